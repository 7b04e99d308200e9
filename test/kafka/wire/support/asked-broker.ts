import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { APIS, type ApiName } from '../../../../src/kafka/wire/apis.ts'
import type { BrokerConnection } from '../../../../src/kafka/wire/broker.ts'
import { errorNameOf } from '../../../../src/kafka/wire/error-codes.ts'
import { openCluster } from '../../../../src/kafka/wire/open-cluster.ts'
import { nameForTests } from '../../../support/servers/servers.ts'
import { openPlain } from './fake-broker.ts'
import { questionsOf, type Question, type Questions } from './questions.ts'

/** Answers requests of all versions, and knows a topic with one partition and two records. */
export interface AskedBroker {
  /** Asks in every version of an API that both sides know; fails where the answer is not the expected one. */
  ask(api: ApiName): Promise<void>
  /** Returns whether the broker answers an API at all. */
  has(api: ApiName): boolean
  close(): Promise<void>
}

/** Connects to a broker, creates a topic and two records, and returns the means to ask. */
export async function openAskedBroker(brokers: readonly string[]): Promise<AskedBroker> {
  const topic = nameForTests('versions')
  const kafka = new kafkajs.Kafka({
    ...{ brokers: [...brokers], clientId: 'test', logLevel: kafkajs.logLevel.ERROR },
  })
  const admin = kafka.admin()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] })
  await admin.disconnect()
  // A broker has no producer ids until the first request for one has made it get some.
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'a', value: 'one' }, { value: 'two' }] })
  await producer.disconnect()
  await openTransactions(kafka)
  const cluster = openCluster({ clientId: 'test', openSocket: openPlain, brokers })
  const { topics } = await cluster.metadata([topic])
  const place = topics.get(topic)
  assert.ok(place !== undefined)
  const { topicId } = place
  assert.match(topicId, /^[0-9a-f]{32}$/)
  assert.equal(place.partitions[0]?.leaderEpoch, 0)
  const broker = await cluster.coordinator(nameForTests('group'))
  // A single broker has all roles.
  assert.equal(broker.nodeId, place.partitions[0].leaderId)
  const { apiKeys } = await broker.request('ApiVersions', {
    ...{ clientSoftwareName: 'test', clientSoftwareVersion: '1' },
  })
  const oldest = new Map(apiKeys.map(({ apiKey, minVersion }) => [apiKey, minVersion]))
  const questions = questionsOf({ topic, topicId })
  return {
    ask: (api) => askAll(broker, api, questions, oldest.get(APIS[api].key) ?? 0),
    has: (api) => oldest.has(APIS[api].key),
    close: () => cluster.close(),
  }
}

/** A broker coordinates transactions only after the first request for one has made it create their topic. */
async function openTransactions(kafka: kafkajs.Kafka): Promise<void> {
  const producer = kafka.producer({
    ...{ transactionalId: nameForTests('transactions'), idempotent: true, maxInFlightRequests: 1 },
  })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.abort()
  await producer.disconnect()
}

async function askAll(
  broker: BrokerConnection,
  api: ApiName,
  questions: Questions,
  oldest: number,
): Promise<void> {
  // Each body belongs to its API, which the union type cannot express.
  const { body, errors, expected } = questions[api] as unknown as Question<'Heartbeat'>
  const newest = broker.versionOf(api)
  assert.ok(newest !== undefined)
  for (let version = Math.max(APIS[api].versions[0], oldest); version <= newest; version++) {
    const response = await broker.request(api as 'Heartbeat', body(version), { versionMax: version })
    const names = errors(response, version).map(errorNameOf).join(' ')
    assert.equal(names, typeof expected === 'string' ? expected : expected(version), `version ${version}`)
  }
}
