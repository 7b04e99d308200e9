import { after } from 'node:test'
import kafkajs from 'kafkajs'
import type { Admin, CompressionTypes, Message, Producer } from 'kafkajs'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'

// At the top level: a hook that is registered inside a test does not run at the end of the file.
const shared = kafkaForTests()
const admins: Admin[] = []
after(() => Promise.all(admins.map((admin) => admin.disconnect())))

/** Describes a new topic on the brokers of the test run, with an admin client that ends with the file. */
export interface TestTopic {
  readonly brokers: string[]
  readonly topic: string
  readonly admin: Admin
  readonly produce: (messages: readonly TestMessage[], compression?: CompressionTypes) => Promise<void>
  /** Deletes the records of a partition before `offset`. */
  readonly deleteBefore: (partition: number, offset: bigint) => Promise<void>
  /** Creates a producer with a transactional id; the caller disconnects it. */
  readonly transactional: (transactionalId?: string) => Promise<Producer>
}

/** Describes a Kafka message with its partition. */
export type TestMessage = Message & { readonly partition: number }

/** Creates a topic; `config` holds topic settings by Kafka's names, `own` separate brokers of a test. */
export async function testTopic(
  partitions: number,
  config: Readonly<Record<string, string>> = {},
  own?: string[],
): Promise<TestTopic> {
  const brokers = own ?? (await shared)
  const client = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  admins.push(admin)
  const topic = nameForTests('topic')
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions, config })
  const createPartitioner = kafkajs.Partitioners.DefaultPartitioner
  return {
    brokers,
    topic,
    admin,
    produce: async (messages, compression = kafkajs.CompressionTypes.None) => {
      const producer = client.producer({ createPartitioner })
      await producer.connect()
      await producer.send({ topic, messages: [...messages], compression })
      await producer.disconnect()
    },
    deleteBefore: async (partition, offset) => {
      // kafkajs deletes records only of topics whose leaders it has looked up.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: offset.toString() }] })
    },
    transactional: async (transactionalId = nameForTests('txn')) => {
      const producer = client.producer({
        createPartitioner,
        transactionalId,
        maxInFlightRequests: 1,
      })
      await producer.connect()
      return producer
    },
  }
}

/** Creates `count` messages for one partition with the values `{"i":0}` and up. */
export function numbered(partition: number, count: number, from = 0): TestMessage[] {
  return Array.from({ length: count }, (_, i) => ({
    partition,
    key: `k${from + i}`,
    value: `{"i":${from + i}}`,
  }))
}
