import { createTopic } from '../src/kafka/client/admin.ts'
import type { CodecName } from '../src/compression/compression.ts'
import type { OutgoingRecord } from '../src/kafka/produce/record-batch.ts'
import { openSender } from '../src/kafka/produce/sender.ts'
import { produceEvents } from '../src/sample/produce.ts'
import { generateRecords } from '../src/sample/event.ts'
import { USER_EVENTS } from '../src/sample/user-events.ts'

const CLIENT_ID = 'kafka-delta-bench'
const BATCHES_IN_FLIGHT_MAX = 8

/**
 * Creates a topic and its dead-letter topic and fills it with `records`, user events by default. Resolves to the size of
 * all values, in bytes.
 */
export async function produce(
  brokers: readonly string[],
  {
    topic,
    partitions,
    compression,
  }: { readonly topic: string; readonly partitions: number; readonly compression?: CodecName | undefined },
  count: number,
  records: Iterable<OutgoingRecord> = generateRecords(USER_EVENTS, { seed: 1, count }),
): Promise<number> {
  const client = { brokers, clientId: CLIENT_ID }
  await createTopic(client, topic, { partitions })
  await createTopic(client, `${topic}-dlq`, { partitions: 1 })
  const sender = await openSender({ ...client, topic, ...(compression === undefined ? {} : { compression }) })
  try {
    const { bytes } = await produceEvents(records, sender, { inFlightMax: BATCHES_IN_FLIGHT_MAX })
    return bytes
  } finally {
    await sender.close()
  }
}
