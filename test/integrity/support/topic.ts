import kafkajs, { type Message } from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { generateUserEvents } from '../../../src/sample/user-events.ts'

/** What a topic holds: for each partition, by offset, whether the record is good (1) or bad (2). */
export interface Expected {
  readonly partitions: readonly Uint8Array[]
  readonly good: number
  readonly bad: number
}

/** How a topic is filled. */
export interface Filling {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly records: number
  readonly badEvery: number
  readonly partitions: number
  readonly seed: number
}

const BATCH = 5_000

/** Produces user events round robin, one batch at a time, so that the place of each record is known beforehand. */
export async function fillTopic({
  brokers,
  topic,
  records,
  badEvery,
  partitions,
  seed,
}: Filling): Promise<Expected> {
  const client = { brokers, clientId: 'integrity' }
  await createTopic(client, topic, { partitions })
  const producer = new kafkajs.Kafka({
    ...client,
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    // A request that is sent again must not shift the offsets of what comes after it.
  }).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const kinds = Array.from({ length: partitions }, () => new Uint8Array(Math.ceil(records / partitions)))
  const sent = new Array<number>(partitions).fill(0)
  let bad = 0
  let index = 0
  let messages: Message[] = []
  const send = async (): Promise<void> => {
    if (messages.length > 0) await producer.send({ topic, acks: -1, messages })
    messages = []
  }
  for (const event of generateUserEvents({ seed, badEvery, count: records, traceparentEvery: 100 })) {
    const partition = index++ % partitions
    const offset = sent[partition] ?? 0
    sent[partition] = offset + 1
    ;(kinds[partition] as Uint8Array)[offset] = event.bad === undefined ? 1 : 2
    if (event.bad !== undefined) bad++
    const { key, value, headers } = event
    messages.push({ key, value, partition, ...(headers === undefined ? {} : { headers: { ...headers } }) })
    if (messages.length === BATCH) await send()
  }
  await send()
  await producer.disconnect()
  return {
    partitions: kinds.map((kind, partition) => kind.subarray(0, sent[partition])),
    good: index - bad,
    bad,
  }
}
