import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { chainConfigOf } from '../../src/library/chain-config.ts'
import type { KafkaToDeltaOptions } from '../../src/library/chain-options.ts'
import { json } from '../../src/library/formats.ts'
import { columns } from '../../src/rows/row-schema.ts'
import { MemoryStore } from '../../src/storage/memory.ts'

const required: KafkaToDeltaOptions<object> = {
  brokers: ['kafka:9092'],
  topic: 'events',
  format: json(columns({ id: 'long' })),
  table: './lake/events',
}

test('A chain without further options has the configuration of a service with this topic alone', () => {
  const service = loadConfig({
    object: { kafka: { brokers: ['kafka:9092'] }, topics: { events: { table: { uri: './lake/events' } } } },
  })
  const { config, topic, store, deadLetters } = chainConfigOf(required)
  assert.deepEqual(topic, service.topics['events'])
  const { groupId } = config.kafka
  assert.deepEqual(
    { ...config, kafka: { ...config.kafka }, topics: {} },
    { ...service, kafka: { ...service.kafka, groupId }, topics: {} },
  )
  assert.deepEqual([store, deadLetters], [undefined, undefined])
  assert.equal(topic.table.uri, resolve('./lake/events'))
  assert.equal(topic.deadLetters.topic, 'events-dlq')
})

test('Chains of one topic into two tables have two groups; the offsets in a table have one name', () => {
  const [one, other] = ['./lake/events', './lake/others'].map((table) =>
    chainConfigOf({ ...required, table }),
  )
  assert.ok(one !== undefined && other !== undefined)
  assert.match(one.config.kafka.groupId, /^kafka-delta-[0-9a-f]{12}$/)
  assert.notEqual(one.config.kafka.groupId, other.config.kafka.groupId)
  assert.equal(chainConfigOf(required).config.kafka.groupId, one.config.kafka.groupId)
  assert.deepEqual([one.topic.appId, other.topic.appId], ['kafka-delta-events', 'kafka-delta-events'])
})

test('Options take the place of the defaults, and those of a chain that of its further options', () => {
  const { topic, config } = chainConfigOf({
    ...required,
    groupId: 'readers',
    startFrom: 'latest',
    flush: { count: 7, ageMs: 500 },
    schemaEvolution: 'failOnNewColumns',
    deadLetters: 'letters',
    table: { uri: 's3://lake/events', partitionColumns: ['id'], optimize: { everyCommits: 9 } },
    kafka: { clientId: 'me', groupId: 'no', sessionTimeoutMs: undefined },
    topicOptions: { flush: { count: 8, bytes: 9 }, parquet: { compression: 'snappy' }, topic: 'no' },
  })
  assert.deepEqual(
    [config.kafka.groupId, config.kafka.clientId, config.kafka.sessionTimeoutMs],
    ['readers', 'me', 30_000],
  )
  assert.deepEqual(
    [topic.topic, topic.appId, topic.startFrom, topic.flush.count, topic.flush.bytes, topic.flush.ageMs],
    ['events', 'readers-events', 'latest', 7, 9, 500],
  )
  assert.deepEqual(
    [topic.table.uri, topic.table.partitionColumns, topic.table.schemaEvolution, topic.parquet.compression],
    ['s3://lake/events', ['id'], 'failOnNewColumns', 'snappy'],
  )
  assert.deepEqual([topic.deadLetters.topic, topic.table.optimize.everyCommits], ['letters', 9])
})

test('A store and a sink of one’s own are kept as they are', () => {
  const store = new MemoryStore()
  const sink = { write: () => Promise.resolve() }
  for (const table of [store, { store, partitionColumns: ['id'] }]) {
    const chain = chainConfigOf({ ...required, table, deadLetters: sink })
    assert.deepEqual([chain.store === store, chain.deadLetters === sink], [true, true])
    assert.equal(chain.topic.deadLetters.mode, 'dlq')
  }
})

test('Several topics, and options that no service has, are refused', () => {
  const refused = [{ topics: ['a', 'b'] }, { pattern: 'a.*' }, { fluhs: {} }]
  for (const topicOptions of refused as unknown as readonly object[])
    assert.throws(
      () => chainConfigOf({ ...required, topicOptions }),
      (error) => error instanceof PipelineError && error.code === 'KD_CONFIG_INVALID',
    )
})
