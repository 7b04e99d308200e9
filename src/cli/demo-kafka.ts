import { messageOf } from '../core/errors.ts'
import { createKafka } from '../kafka/client.ts'
import { produceEvents } from '../sample/produce.ts'
import type { Produced } from '../sample/produce.ts'
import type { UserEvent } from '../sample/user-events.ts'

/** What the demo does with Kafka beside the pipeline: fills the topic, and looks at the dead letters. */
export interface DemoKafka {
  createTopics(topics: readonly { readonly topic: string; readonly partitions: number }[]): Promise<void>
  produce(topic: string, events: Iterable<UserEvent>, onSent: (records: number) => void): Promise<Produced>
  /** The envelopes in a topic of dead letters, up to its end as it is now. */
  deadLetters(topic: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  deleteTopics(topics: readonly string[]): Promise<void>
}

const READ_MS_MAX = 60_000

/** Connects for each task and leaves nothing open. */
export function demoKafka(brokers: readonly string[]): DemoKafka {
  const kafka = createKafka({ brokers, clientId: 'kafka-delta-demo' })
  type Admin = ReturnType<typeof kafka.admin>
  const withAdmin = async <T>(task: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = kafka.admin()
    await admin.connect()
    try {
      return await task(admin)
    } finally {
      await admin.disconnect()
    }
  }
  return {
    createTopics: (topics) =>
      withAdmin(async (admin) => {
        await admin.createTopics({
          topics: topics.map(({ topic, partitions }) => ({ topic, numPartitions: partitions })),
          waitForLeaders: true,
        })
      }),
    produce: async (topic, events, onSent) => {
      const producer = kafka.producer({ allowAutoTopicCreation: false })
      await producer.connect()
      try {
        return await produceEvents(
          events,
          (batch) => producer.send({ topic, acks: 1, messages: batch as UserEvent[] }),
          onSent,
        )
      } finally {
        await producer.disconnect()
      }
    },
    deadLetters: async (topic) => {
      const ends = await withAdmin((admin) => admin.fetchTopicOffsets(topic))
      const total = ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
      return total === 0 ? [] : readAll(kafka, topic, total)
    },
    deleteTopics: (topics) => withAdmin((admin) => admin.deleteTopics({ topics: [...topics] })),
  }
}

async function readAll(
  kafka: ReturnType<typeof createKafka>,
  topic: string,
  total: number,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const groupId = `${topic}-look-${Date.now().toString(36)}`
  const consumer = kafka.consumer({ groupId })
  const letters: Record<string, unknown>[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`Only ${letters.length} of ${total} dead letters could be read from ${topic}`))
      }, READ_MS_MAX)
      const done = (): void => {
        clearTimeout(timer)
        resolve()
      }
      consumer
        .run({
          autoCommit: false,
          eachMessage: ({ message }) => {
            letters.push(JSON.parse(message.value?.toString() ?? '{}') as Record<string, unknown>)
            if (letters.length === total) done()
            return Promise.resolve()
          },
        })
        .catch((error: unknown) => {
          clearTimeout(timer)
          reject(error instanceof Error ? error : new Error(messageOf(error)))
        })
    })
    return letters
  } finally {
    await consumer.disconnect()
  }
}
