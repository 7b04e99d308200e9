// Goal: what producers' own clients frame by a registry that is not ours becomes the rows that were meant.
// Method: the clients for JavaScript and for Python register schemas (references, nested messages, several versions) and
// frame values; the service carries them from a real broker into tables.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import kafkajs from 'kafkajs'
import { parseExact } from '../../../src/formats/json/exact.ts'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { startRegistry } from '../../support/servers/registry.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { outputOf, PROGRAM } from '../support/carry.ts'
import { hasPython, pythonLines, pythonWithProducers } from '../support/python.ts'

const brokers = await kafkaForTests()
const registry = await startRegistry()
after(() => registry.stop())
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-clients-'))
after(() => rm(folder, { recursive: true, force: true }))
const python = (await hasPython()) ? await pythonWithProducers() : undefined

interface Topic {
  readonly format: 'avro' | 'json' | 'protobuf'
  readonly values: readonly (Buffer | null)[]
  readonly message?: string
  readonly framing?: 'none'
  readonly envelope?: 'debezium'
}

const ROW_SCHEMA = {
  type: 'struct',
  fields: [
    { field: 'id', type: 'int64' },
    { field: 'day', type: 'int32', name: 'io.debezium.time.Date' },
  ],
}
const event = (op: string, before: object | null, after: object | null): Buffer =>
  Buffer.from(
    JSON.stringify({
      schema: {
        type: 'struct',
        fields: [
          { ...ROW_SCHEMA, field: 'before' },
          { ...ROW_SCHEMA, field: 'after' },
        ],
      },
      payload: { before, after, source: { table: 'orders', ts_ms: 5 }, op, ts_ms: 6 },
    }),
  )
/** A row of a database that is made, changed and deleted, with a heartbeat and the tombstone. */
const EVENTS = [
  event('c', null, { id: 1, day: 19_675 }),
  Buffer.from('{"ts_ms":7}'),
  event('u', { id: 1, day: 19_675 }, { id: 1, day: 0 }),
  event('d', { id: 1, day: 0 }, null),
  null,
]

/** Carries each topic into a table; the rows of each. */
async function rowsOf(
  prefix: string,
  topics: Readonly<Record<string, Topic>>,
): Promise<Record<string, unknown[]>> {
  const client = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  for (const [name, { values }] of Object.entries(topics)) {
    await createTopic({ brokers, clientId: 'test' }, prefix + name, { partitions: 1 })
    await producer.send({ topic: prefix + name, messages: values.map((value) => ({ value })) })
  }
  await producer.disconnect()
  const entries = Object.entries(topics).map(
    ([name, { format, message, envelope = 'none', framing = 'registry' }]) => [
      prefix + name,
      {
        format,
        framing,
        envelope,
        table: { uri: join(folder, prefix + name) },
        ...(message === undefined ? {} : { protobuf: { message } }),
      },
    ],
  )
  const config = join(folder, `${prefix}.json`)
  const kafka = { brokers, groupId: nameForTests('clients') }
  await writeFile(
    config,
    JSON.stringify({
      kafka,
      schemaRegistry: { url: registry.url },
      topics: Object.fromEntries(entries) as object,
    }),
  )
  const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
  assert.equal(await worker.ended, 0, worker.lines.slice(-15).join('\n'))
  const rows: Record<string, unknown[]> = {}
  for (const name of Object.keys(topics)) {
    const lines = await outputOf(['table', 'cat', join(folder, prefix + name)])
    rows[name] = lines.map((line) => parseExact(line))
  }
  return rows
}

async function registered(
  subject: string,
  schema: string,
  type: SchemaType,
  references: object[] = [],
): Promise<number> {
  const response = await fetch(`${registry.url}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema, schemaType: type, references }),
  })
  return ((await response.json()) as { id: number }).id
}

test('The client for JavaScript: Avro of two versions, JSON, Protobuf with an import, and without places of messages', async () => {
  const client = new SchemaRegistry({ host: registry.url })
  const prefix = nameForTests('node-')
  const avro = (more: object[]): string =>
    JSON.stringify({ type: 'record', name: 'Event', fields: [{ name: 'id', type: 'long' }, ...more] })
  const old = await registered(`${prefix}avro-value`, avro([]), SchemaType.AVRO)
  const now = await registered(
    `${prefix}avro-value`,
    avro([{ name: 'name', type: ['null', 'string'], default: null }]),
    SchemaType.AVRO,
  )
  const schema = JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] })
  const json = await registered(`${prefix}json-value`, schema, SchemaType.JSON)
  const moneyText = 'syntax = "proto3"; package acme; message Money { string currency = 1; int64 units = 2; }'
  await registered(`${prefix}money`, moneyText, SchemaType.PROTOBUF)
  const orderText =
    'syntax = "proto3"; package acme; import "money.proto"; message Order { uint32 id = 1; Money price = 2; enum Kind { A = 0; B = 1; } Kind kind = 3; }'
  const order = await registered(`${prefix}proto-value`, orderText, SchemaType.PROTOBUF, [
    { name: 'money.proto', subject: `${prefix}money`, version: 1 },
  ])
  const options = { [SchemaType.PROTOBUF]: { messageName: 'Order' } }
  const framer = new SchemaRegistry({ host: registry.url }, options)
  const rows = await rowsOf(prefix, {
    avro: {
      format: 'avro',
      values: [await client.encode(old, { id: 1 }), await client.encode(now, { id: 2, name: 'é' }), null],
    },
    json: { format: 'json', values: [await client.encode(json, { id: 3 }), Buffer.from('{"id":4}')] },
    proto: {
      format: 'protobuf',
      values: [
        await framer.encode(order, { id: 4_000_000_000, price: { currency: 'EUR', units: 5 }, kind: 1 }),
        await framer.encode(order, {}),
        Buffer.from('0000ffffff00', 'hex'),
      ],
    },
    // Neither contract nor table nor registry: the columns are those of the first messages.
    cdc: { format: 'json', framing: 'none', envelope: 'debezium', values: EVENTS },
  })
  assert.deepEqual(rows, {
    avro: [
      { id: 1, name: null },
      { id: 2, name: 'é' },
    ],
    json: [{ id: 3 }],
    proto: [
      { id: 4_000_000_000, price: { currency: 'EUR', units: 5 }, kind: 'B' },
      { id: 0, price: null, kind: 'A' },
    ],
    cdc: [
      { id: 1, day: '2023-11-14', __op: 'c', __table: 'orders', __source_ts_ms: 5, __deleted: false },
      { id: 1, day: '1970-01-01', __op: 'u', __table: 'orders', __source_ts_ms: 5, __deleted: false },
      { id: 1, day: '1970-01-01', __op: 'd', __table: 'orders', __source_ts_ms: 5, __deleted: true },
    ],
  })
})

if (python !== undefined) {
  test('The client for Python: Avro of two versions and with a reference, JSON, Protobuf as a descriptor, a nested message', async () => {
    const prefix = nameForTests('python-')
    const script = join(import.meta.dirname, '../support', 'frame_values.py')
    const lines = await pythonLines(python, [script, registry.url, prefix])
    const valuesOf = (topic: string): Buffer[] =>
      lines
        .map((line) => line.split(' '))
        .filter(([name]) => name === topic)
        .map(([, value]) => Buffer.from(value ?? '', 'base64'))
    const rows = await rowsOf(prefix, {
      avro: { format: 'avro', values: valuesOf('avro') },
      person: { format: 'avro', values: valuesOf('person') },
      json: { format: 'json', values: valuesOf('json') },
      'proto-first': { format: 'protobuf', values: [...valuesOf('proto-first'), ...valuesOf('proto-outer')] },
      'proto-outer': { format: 'protobuf', values: valuesOf('proto-outer'), message: 'acme.Outer' },
      'proto-inner': { format: 'protobuf', values: valuesOf('proto-inner'), message: 'acme.Outer.Inner' },
    })
    assert.deepEqual(rows, {
      avro: [
        { id: 1, at: null },
        { id: 2, at: '2023-11-14T22:13:20.000000Z' },
      ],
      person: [{ name: 'Ada', home: { city: 'Riga' } }],
      json: [{ id: 1, name: 'é' }],
      'proto-first': [
        { n: -5, tags: null },
        { n: null, tags: { a: 1 } },
      ],
      'proto-outer': [{ tags: { a: 1 } }],
      'proto-inner': [
        {
          id: 2n ** 64n - 1n,
          price: { currency: 'EUR', units: 2n ** 53n + 1n },
          at: '2023-11-14T22:13:20.000000Z',
        },
      ],
    })
  })
}
