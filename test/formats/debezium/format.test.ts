import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExactNumber } from '../../../src/core/exact.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { contractOfTable } from '../../../src/contract/table-contract.ts'
import { loadContract, type Contract } from '../../../src/contract/contract.ts'
import { parseAvroSchema } from '../../../src/formats/avro/schema.ts'
import { avroFormat, unframedAvro } from '../../../src/formats/avro/format.ts'
import { debeziumColumns, withDebeziumColumns } from '../../../src/formats/debezium/columns.ts'
import { debeziumAvroContract, debeziumProtoContract } from '../../../src/formats/debezium/schema.ts'
import { withLogicalTypes } from '../../../src/formats/avro/connect-types.ts'
import { debeziumFormat } from '../../../src/formats/debezium/format.ts'
import type { Format } from '../../../src/formats/format.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { parseRegisteredProto } from '../../../src/formats/protobuf/load.ts'
import { unframedProto, messageOfFile, protobufFormat } from '../../../src/formats/protobuf/format.ts'
import { formatContract } from '../../contracts/format.ts'
import { encoderOf } from '../../support/values/avro-values.ts'
import { rawOf, structOf } from '../../support/flow/batches.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'
import { protoEncoderOf } from '../../support/values/proto-values.ts'

const FIELDS = ['op', 'table', 'source.ts_ms', 'lsn']
const NOTHING: StructType = { type: 'struct', fields: [] }

function eventsInJson(columns: StructType): Format {
  return debeziumFormat(
    jsonFormat({ schema: NOTHING, plain: undefined }),
    { fields: FIELDS },
    { schema: columns },
  )
}

/** Returns the contract of a table with these columns and the columns that events add. */
function contractOf(columns: StructType): Contract {
  return contractOfTable({ type: 'struct', fields: [...columns.fields, ...debeziumColumns(FIELDS)] })
}

const SOURCE = {
  version: '3.0.0',
  connector: 'postgresql',
  ts_ms: 1_700_000_000_000,
  db: 'shop',
  schema: 'public',
  table: 'orders',
  lsn: 24_023_128,
  txId: 555,
}
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const event = (op: string, before: unknown, after: unknown): object => ({
  before,
  after,
  source: SOURCE,
  op,
  ts_ms: 1_700_000_000_500,
  transaction: null,
})
const META = { __table: 'orders', __source_ts_ms: 1_700_000_000_000, __lsn: 24_023_128 }
const ORDERS = structOf({ id: 'long', name: 'string' })
const ADA = { id: 1, name: 'Ada' }

formatContract({
  name: 'Events of Debezium in JSON',
  open: () => eventsInJson(contractOf(ORDERS).schema),
  contract: contractOf(ORDERS),
  good: [
    { bytes: json(event('c', null, ADA)), row: { ...ADA, __op: 'c', ...META, __deleted: false } },
    { bytes: json(event('d', ADA, null)), row: { ...ADA, __op: 'd', ...META, __deleted: true } },
    {
      bytes: json({ schema: null, payload: event('r', null, { id: 2, name: null }) }),
      row: { id: 2, name: null, __op: 'r', ...META, __deleted: false },
    },
  ],
  bad: [
    Buffer.from('{'),
    Buffer.from('{"id":1}'),
    json(event('c', null, null)),
    json(event('d', null, null)),
    json(event('x', null, ADA)),
    json({ schema: {}, payload: 5 }),
    json(event('c', null, { id: 'one' })),
  ],
})

test('Events that concern no row are filtered and counted; a tombstone stays a tombstone', () => {
  const values = [
    json({ ts_ms: 1_700_000_000_000 }),
    json({ schema: {}, payload: { ts_ms: 1_700_000_000_000, ts_us: 1, ts_ns: 1 } }),
    json({ status: 'BEGIN', id: '571', ts_ms: 1, event_count: null, data_collections: null }),
    json({ status: 'END', id: '571', ts_ms: 1, event_count: 2, data_collections: [] }),
    json({ source: SOURCE, databaseName: 'shop', ddl: 'CREATE TABLE t (id INT)', tableChanges: [] }),
    json(event('t', null, null)),
    json({ op: 'm', ts_ms: 1, source: SOURCE, message: { prefix: 'p', content: 'aGk=' } }),
    json({ schema: null, payload: null }),
    null,
    json(event('u', ADA, { id: 1, name: 'Eve' })),
  ]
  const decoded = eventsInJson(contractOf(ORDERS).schema).decode(rawOf(values))
  assert.deepEqual(
    [decoded.filtered, decoded.tombstones, decoded.deadLetters.length, decoded.records],
    [8, 1, 0, [9]],
  )
})

const connect = (fields: readonly object[]): object => ({
  type: 'struct',
  fields: ['before', 'after'].map((field) => ({
    field,
    type: 'struct',
    optional: true,
    name: 'shop.Value',
    fields,
  })),
})
const LOGICAL_FIELDS = [
  { field: 'day', type: 'int32', name: 'io.debezium.time.Date' },
  { field: 'ms', type: 'int64', name: 'io.debezium.time.Timestamp' },
  { field: 'us', type: 'int64', name: 'io.debezium.time.MicroTimestamp' },
  { field: 'ns', type: 'int64', name: 'io.debezium.time.NanoTimestamp' },
  { field: 'zoned', type: 'string', name: 'io.debezium.time.ZonedTimestamp' },
  { field: 'connect', type: 'int64', name: 'org.apache.kafka.connect.data.Timestamp' },
  {
    field: 'price',
    type: 'bytes',
    name: 'org.apache.kafka.connect.data.Decimal',
    parameters: { scale: '2' },
  },
  { field: 'loose', type: 'struct', name: 'io.debezium.data.VariableScaleDecimal', fields: [] },
  { field: 'time', type: 'int64', name: 'io.debezium.time.MicroTime' },
  { field: 'list', type: 'array', items: { type: 'int32', name: 'io.debezium.time.Date' } },
]
const LOGICAL = {
  day: 19_675,
  ms: 1_700_000_000_123,
  us: 1_700_000_000_123_456,
  ns: 1_700_000_000_123_456_789n,
  zoned: '2023-11-14T22:13:20+01:00',
  connect: 1_700_000_000_123,
  price: 'BNI=',
  loose: { scale: 3, value: '/w==' },
  time: 3_723_000_004,
  list: [0, -1],
}
/** Contains a number that a double cannot hold. */
const logicalJson = Buffer.from(
  JSON.stringify({
    schema: connect(LOGICAL_FIELDS),
    payload: event('c', null, { ...LOGICAL, ns: 'NS' }),
  }).replace('"NS"', String(LOGICAL.ns)),
)

test('Logical types of an embedded schema are converted to the values of their columns', () => {
  const columns = structOf({
    day: 'date',
    ms: 'timestamp',
    us: 'timestamp_ntz',
    ns: 'timestamp',
    zoned: 'timestamp',
    connect: 'string',
    price: 'decimal(10,2)',
    loose: 'string',
    time: 'string',
    list: { type: 'array', elementType: 'date', containsNull: true },
  })
  const contract = contractOf(columns)
  const [outcome] = outcomesOf(eventsInJson(contract.schema), contract, rawOf([logicalJson]))
  assert.deepEqual(outcome, {
    row: {
      day: '2023-11-14',
      ms: '2023-11-14T22:13:20.123000Z',
      us: '2023-11-14T22:13:20.123456',
      ns: '2023-11-14T22:13:20.123456Z',
      zoned: '2023-11-14T21:13:20.000000Z',
      connect: '2023-11-14T22:13:20.123000Z',
      price: new ExactNumber('12.34'),
      loose: '-0.001',
      time: '01:02:03.000004',
      list: ['1970-01-01', '1969-12-31'],
      __op: 'c',
      ...META,
      __deleted: false,
    },
  })
})

test('Numeric columns take the numbers; without a column the logical type decides', () => {
  const numbers = structOf({ day: 'integer', ms: 'long', us: 'long', time: 'long' })
  const [row] = eventsInJson(numbers).decode(rawOf([logicalJson])).objects as Record<string, unknown>[]
  assert.deepEqual(
    [row?.['day'], row?.['ms'], row?.['us'], row?.['time']],
    [LOGICAL.day, LOGICAL.ms, LOGICAL.us, LOGICAL.time],
  )
  const [bare] = eventsInJson(NOTHING).decode(rawOf([logicalJson])).objects as Record<string, unknown>[]
  assert.deepEqual(
    [bare?.['day'], bare?.['us'], bare?.['price'], bare?.['time']],
    ['2023-11-14', '2023-11-14T22:13:20.123456Z', new ExactNumber('12.34'), LOGICAL.time],
  )
})

for (const [what, value, pattern] of [
  ['A date that is not a number', { day: 'x' }, /expected days since 1970 .*got "x"/],
  ['An instant beyond the year 9999', { ms: 253_402_300_800_000 }, /within the years 0 to 9999/],
  ['A decimal without bytes', { price: '' }, /expected the bytes of a decimal/],
  [
    'A decimal of a million digits',
    { price: Buffer.alloc(1_000).toString('base64') },
    /expected the bytes of a decimal/,
  ],
  ['An invalid scale', { loose: { scale: 1e9, value: 'AA==' } }, /expected the scale of a decimal/],
] as const) {
  test(`${what} is a dead letter`, () => {
    const message = json({ schema: connect(LOGICAL_FIELDS), payload: event('c', null, value) })
    const { deadLetters } = eventsInJson(NOTHING).decode(rawOf([message]))
    assert.match(deadLetters[0]?.message ?? '', pattern)
  })
}

test('A row that is a number, which a double cannot hold, is a dead letter', () => {
  const text = json({ payload: event('c', null, { id: 1 }) })
    .toString()
    .replace('{"id":1}', '1e400')
  assert.match(text, /"after":1e400/)
  const { deadLetters, objects } = eventsInJson(NOTHING).decode(rawOf([text]))
  assert.deepEqual([deadLetters.length, objects.length], [1, 0])
})

test('A contract validates only the row; the columns of events are added to it', () => {
  const written = loadContract(
    {
      type: 'object',
      properties: { id: { type: 'integer' }, name: { type: 'string', minLength: 2 } },
      required: ['id'],
      additionalProperties: false,
    },
    { source: 'test' },
  )
  const contract = withDebeziumColumns(written, FIELDS)
  const raw = rawOf([
    json(event('c', null, ADA)),
    json(event('c', null, { id: 1, name: 'x' })),
    json(event('u', null, { name: 'Eve' })),
  ])
  const [row, short, lacking] = outcomesOf(eventsInJson(contract.schema), contract, raw)
  assert.deepEqual(row, { row: { ...ADA, __op: 'c', ...META, __deleted: false } })
  assert.match(JSON.stringify(short), /"contract".*name/)
  assert.match(JSON.stringify(lacking), /"contract".*id/)
})

test("Avro events have Debezium's logical types, and their contract is that of the row", () => {
  const value = {
    type: 'record',
    name: 'Value',
    fields: [
      { name: 'id', type: 'long' },
      {
        name: 'at',
        type: [
          'null',
          { type: 'long', 'connect.version': 1, 'connect.name': 'io.debezium.time.MicroTimestamp' },
        ],
        default: null,
      },
      { name: 'day', type: { type: 'int', 'connect.name': 'io.debezium.time.Date' } },
    ],
  }
  const schema = {
    type: 'record',
    name: 'Envelope',
    namespace: 'shop',
    fields: [
      { name: 'before', type: ['null', value], default: null },
      { name: 'after', type: ['null', 'Value'], default: null },
      {
        name: 'source',
        type: {
          type: 'record',
          name: 'Source',
          fields: [
            { name: 'ts_ms', type: 'long' },
            { name: 'table', type: 'string' },
          ],
        },
      },
      { name: 'op', type: 'string' },
    ],
  }
  const node = parseAvroSchema(withLogicalTypes(schema), 'test')
  const contract = withDebeziumColumns(debeziumAvroContract(node, 'test'), FIELDS)
  const format = debeziumFormat(avroFormat(unframedAvro(node)), { fields: FIELDS }, contract)
  const bytes = encoderOf(schema)({
    before: null,
    after: { 'shop.Value': { id: 7n, at: { long: 1_700_000_000_123_456n }, day: 1 } },
    source: { ts_ms: 5n, table: 'orders' },
    op: 'u',
  })
  assert.deepEqual(outcomesOf(format, contract, rawOf([bytes])), [
    {
      row: {
        id: 7,
        at: '2023-11-14T22:13:20.123456Z',
        day: '1970-01-02',
        __op: 'u',
        __table: 'orders',
        __source_ts_ms: 5,
        __lsn: null,
        __deleted: false,
      },
    },
  ])
  assert.throws(
    () => debeziumAvroContract(parseAvroSchema(value, 'test'), 'test'),
    /expected a schema of Debezium events/,
  )
})

test('Protobuf events are decoded like Avro events', () => {
  const text = `syntax = "proto3"; message Envelope { Value before = 1; Value after = 2; Source source = 3; string op = 4;
    message Value { int64 id = 1; string name = 2; } message Source { int64 ts_ms = 1; string table = 2; } }`
  const message = messageOfFile(
    parseRegisteredProto({ type: 'PROTOBUF', text, references: [] }, 'test'),
    'test',
  )
  const contract = withDebeziumColumns(debeziumProtoContract(message, 'test'), FIELDS)
  const format = debeziumFormat(protobufFormat(unframedProto(message)), { fields: FIELDS }, contract)
  const bytes = protoEncoderOf(
    text,
    'Envelope',
  )({ before: { id: 3, name: 'x' }, source: { ts_ms: 5, table: 't' }, op: 'd' })
  assert.deepEqual(outcomesOf(format, contract, rawOf([bytes])), [
    { row: { id: 3, name: 'x', __op: 'd', __table: 't', __source_ts_ms: 5, __lsn: null, __deleted: true } },
  ])
})
