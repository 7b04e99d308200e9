import { randomUUID } from 'node:crypto'
import type { Batch } from '../../core/batch.ts'
import { Credit } from '../../core/credit/credit.ts'
import { heldBytesOf, type Raw } from '../../core/raw.ts'
import { createKafka, type KafkaOptions, connectAdmin } from '../client/client.ts'
import { createSource } from './consumer-source.ts'

/** Maximum bytes held between Kafka and the reader. */
const HELD_BYTES_MAX = 64 * 1024 * 1024

/**
 * Yields the committed records of a topic from its start to its current end in batches; the records of each partition are
 * in order. It reads with a temporary consumer group, which is deleted at the end or when the caller leaves the loop.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED
 */
export async function* readTopic(
  options: KafkaOptions & { readonly topic: string },
): AsyncGenerator<Batch<Raw>> {
  const credit = new Credit(HELD_BYTES_MAX)
  const groupId = `${options.clientId}-look-${randomUUID()}`
  const source = createSource({
    ...options,
    groupId,
    startFrom: 'earliest',
    resume: () => Promise.resolve(undefined),
    credit,
    costBytes: heldBytesOf,
    until: 'latest',
  })
  // Bounded by the credit.
  const waiting: Batch<Raw>[] = []
  let ended: { readonly error?: unknown } | undefined
  let wake: () => void = () => undefined
  const subscription = source.batches.subscribe({
    next: (batch) => {
      waiting.push(batch)
      wake()
    },
    error: (error: unknown) => {
      ended = { error }
      wake()
    },
    complete: () => {
      ended = {}
      wake()
    },
  })
  const isOver = (): boolean => ended !== undefined
  try {
    for (;;) {
      const batch = waiting.shift()
      if (batch !== undefined) {
        yield batch
        credit.give(batch.provenance.bytes)
      } else if (isOver()) break
      else await new Promise<void>((resolve) => (wake = resolve))
    }
    if (ended !== undefined && 'error' in ended) throw ended.error
  } finally {
    subscription.unsubscribe()
    await source.close()
    await deleteGroup(options, groupId)
  }
}

/** Deletes the consumer group; if that fails, the broker deletes it after the offset retention time. */
async function deleteGroup(options: KafkaOptions, groupId: string): Promise<void> {
  try {
    const admin = await connectAdmin(await createKafka(options), options)
    try {
      await admin.deleteGroups([groupId])
    } finally {
      await admin.disconnect()
    }
  } catch (error) {
    options.log?.debug({ err: error, groupId }, 'The temporary consumer group could not be deleted')
  }
}
