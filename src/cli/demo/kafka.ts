import { lastValueFrom, tap } from 'rxjs'
import { Credit } from '../../core/credit/credit.ts'
import { createTopic } from '../../kafka/client/admin.ts'
import { createKafka } from '../../kafka/client/client.ts'
import { createSource } from '../../kafka/source/consumer-source.ts'
import { openSender } from '../../kafka/produce/sender.ts'
import type { OutgoingRecord } from '../../kafka/produce/record-batch.ts'
import { produceEvents, type ProducedTotals } from '../../sample/produce.ts'

/** Provides the demo's own access to Kafka: creating and filling topics, and reading dead letters. */
interface DemoKafka {
  createTopics(topics: readonly { readonly topic: string; readonly partitions: number }[]): Promise<void>
  produce(
    topic: string,
    events: Iterable<OutgoingRecord>,
    onSent: (records: number) => void,
  ): Promise<ProducedTotals>
  /** Reads the envelopes in a dead-letter topic, up to its current end. */
  deadLetters(topic: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  deleteTopics(topics: readonly string[]): Promise<void>
}

/** Batches sent and not acknowledged yet. */
const BATCHES_IN_FLIGHT_MAX = 8
const CREDIT_BYTES = 64 * 1024 * 1024

/** Creates the demo's access to Kafka. Each call opens its own connection and closes it again. */
export function createDemoKafka(brokers: readonly string[]): DemoKafka {
  const client = { brokers, clientId: 'kafka-delta-demo' }
  type Admin = ReturnType<Awaited<ReturnType<typeof createKafka>>['admin']>
  const withAdmin = async <T>(task: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = (await createKafka(client)).admin()
    await admin.connect()
    try {
      return await task(admin)
    } finally {
      await admin.disconnect()
    }
  }
  return {
    createTopics: async (topics) => {
      for (const { topic, partitions } of topics) await createTopic(client, topic, { partitions })
    },
    produce: async (topic, events, onSent) => {
      const sender = await openSender({ ...client, topic })
      try {
        return await produceEvents(events, sender, {
          inFlightMax: BATCHES_IN_FLIGHT_MAX,
          onSent: ({ records }) => {
            onSent(records)
          },
        })
      } finally {
        await sender.close()
      }
    },
    deadLetters: (topic) => readAll(brokers, topic),
    deleteTopics: (topics) => withAdmin((admin) => admin.deleteTopics({ topics: [...topics] })),
  }
}

/** Reads the values of a topic as JSON, up to its current end, with the service's own source. */
async function readAll(
  brokers: readonly string[],
  topic: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const credit = new Credit(CREDIT_BYTES)
  const source = createSource({
    brokers,
    clientId: 'kafka-delta-demo',
    groupId: `${topic}-look-${Date.now().toString(36)}`,
    topic,
    startFrom: 'earliest',
    resume: () => Promise.resolve(undefined),
    credit,
    costBytes: () => 0,
    until: 'latest',
  })
  const letters: Readonly<Record<string, unknown>>[] = []
  try {
    await lastValueFrom(
      source.batches.pipe(
        tap(({ payload: { bytes, count, valueStart, valueEnd } }) => {
          for (let record = 0; record < count; record++) {
            const value = Buffer.from(bytes.subarray(valueStart[record], valueEnd[record]))
            letters.push(JSON.parse(value.toString()) as Readonly<Record<string, unknown>>)
          }
        }),
      ),
      { defaultValue: undefined },
    )
    return letters
  } finally {
    await source.close()
  }
}
