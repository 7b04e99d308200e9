import { randomUUID } from 'node:crypto'
import type { Batch } from '../../core/batch.ts'
import { Credit } from '../../core/credit/credit.ts'
import type { Raw } from '../../core/raw.ts'
import { createKafka, type KafkaOptions, reachAdmin } from '../client/client.ts'
import { createSource } from './kafkajs-source.ts'

/** What is held between Kafka and whoever reads. */
const HELD_BYTES_MAX = 64 * 1024 * 1024

/**
 * The committed records of a topic from its start to the end that it has now, in batches, each partition in its order. It
 * reads as a group of its own, which leaves no trace. Whoever stops early closes it by leaving the loop.
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
    costBytes: (raw) => raw.bytes.length + raw.keys.length,
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
    await forget(options, groupId)
  }
}

/** Deletes the group; one that stays is deleted by the broker after its time. */
async function forget(options: KafkaOptions, groupId: string): Promise<void> {
  try {
    const admin = await reachAdmin(createKafka(options), options)
    try {
      await admin.deleteGroups([groupId])
    } finally {
      await admin.disconnect()
    }
  } catch (error) {
    options.log?.debug({ err: error, groupId }, 'The group could not be deleted')
  }
}
