import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExactNumber } from '../../../src/core/exact.ts'
import type { DataType } from '../../../src/core/schema.ts'
import { connectColumns } from '../../../src/formats/debezium/connect-columns.ts'
import { debeziumFormat } from '../../../src/formats/debezium/format.ts'
import type { Decoded } from '../../../src/formats/format.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { rawOf } from '../../support/flow/batches.ts'

const CONNECT = 'org.apache.kafka.connect.data'
const decimal = (scale: unknown, precision?: unknown): object => ({
  type: 'bytes',
  name: `${CONNECT}.Decimal`,
  parameters: { scale, ...(precision === undefined ? {} : { 'connect.decimal.precision': precision }) },
})

const typeOf = (schema: object): DataType | undefined =>
  connectColumns({ type: 'struct', fields: [{ ...schema, field: 'x' }] }).columns.fields[0]?.type

const TYPES: readonly (readonly [object, DataType | undefined])[] = [
  [{ type: 'int8' }, 'byte'],
  [{ type: 'int16' }, 'short'],
  [{ type: 'int32' }, 'integer'],
  [{ type: 'int64' }, 'long'],
  [{ type: 'float' }, 'float'],
  [{ type: 'float32' }, 'float'],
  [{ type: 'double' }, 'double'],
  [{ type: 'float64' }, 'double'],
  [{ type: 'boolean' }, 'boolean'],
  [{ type: 'string', name: 'io.debezium.data.Uuid' }, 'string'],
  [{ type: 'string', name: 'io.debezium.time.ZonedTimestamp' }, 'string'],
  [{ type: 'bytes' }, 'binary'],
  [decimal('10', '38'), 'decimal(38,10)'],
  [decimal('2', 10), 'decimal(10,2)'],
  [decimal('2'), 'decimal(38,2)'],
  [decimal('-3', '5'), 'decimal(8,0)'],
  [decimal('2', '64'), undefined],
  [decimal('x'), undefined],
  [{ type: 'int32', name: `${CONNECT}.Date` }, 'date'],
  [{ type: 'int32', name: 'io.debezium.time.Date' }, 'date'],
  [{ type: 'int64', name: `${CONNECT}.Timestamp` }, 'timestamp'],
  [{ type: 'int64', name: 'io.debezium.time.Timestamp' }, 'timestamp'],
  [{ type: 'int64', name: 'io.debezium.time.MicroTimestamp' }, 'timestamp'],
  [{ type: 'int64', name: 'io.debezium.time.NanoTimestamp' }, 'timestamp'],
  [{ type: 'int32', name: `${CONNECT}.Time` }, 'integer'],
  [{ type: 'int64', name: 'io.debezium.time.MicroTime' }, 'long'],
  [{ type: 'struct', name: 'io.debezium.data.VariableScaleDecimal', fields: [] }, 'string'],
  [
    { type: 'array', items: { type: 'int32', name: 'io.debezium.time.Date' } },
    { type: 'array', elementType: 'date', containsNull: true },
  ],
  [
    { type: 'map', keys: { type: 'string' }, values: decimal('1', '5') },
    { type: 'map', keyType: 'string', valueType: 'decimal(5,1)', valueContainsNull: true },
  ],
  [{ type: 'map', keys: { type: 'int32' }, values: { type: 'string' } }, undefined],
  [
    { type: 'struct', fields: [{ type: 'bytes', field: 'wkb' }] },
    { type: 'struct', fields: [{ name: 'wkb', type: 'binary', nullable: true, metadata: {} }] },
  ],
  [{ type: 'struct', fields: [] }, undefined],
  [{ type: 'tensor' }, undefined],
  [{ type: 'array' }, undefined],
  [{}, undefined],
]

for (const [schema, type] of TYPES)
  test(`${JSON.stringify(schema)} is ${type === undefined ? 'no column' : JSON.stringify(type)}`, () => {
    assert.deepEqual(typeOf(schema), type)
  })

test('A field that can be no column is named, at any depth, and does not hide the others', () => {
  const fields = [
    { type: 'int32', field: 'id' },
    { type: 'int32', field: 'ID' },
    {
      type: 'struct',
      field: 'in',
      fields: [
        { ...decimal('1', '64'), field: 'big' },
        { type: 'string', field: 's' },
      ],
    },
    'no field',
  ]
  const { columns, columnFaults } = connectColumns({ type: 'struct', fields })
  assert.deepEqual(
    columns.fields.map(({ name }) => name),
    ['id', 'in'],
  )
  assert.deepEqual(
    columnFaults.map(({ path, message }) => `${path.join('.')}: ${message}`),
    [
      'ID: cannot be a column: its name is used twice',
      'in.big: a decimal of 64 digits; columns hold 38 at most',
    ],
  )
})

test('A schema that nests or repeats without end has a limit', () => {
  let deep: object = { type: 'int32', field: 'x' }
  for (let i = 0; i < 60; i++) deep = { type: 'struct', field: 'x', fields: [deep] }
  assert.match(connectColumns(deep).columnFaults[0]?.message ?? '', /nests more than 50 levels/)
  const wide = Array.from({ length: 10_001 }, (_, i) => ({ type: 'int32', field: `f${i}` }))
  const { columns, columnFaults } = connectColumns({ type: 'struct', fields: wide })
  assert.equal(columns.fields.length, 10_000)
  assert.match(columnFaults[0]?.message ?? '', /more than 10000 columns/)
})

const format = debeziumFormat(
  jsonFormat({ schema: { type: 'struct', fields: [] }, plain: undefined }),
  { fields: ['ts_ms'] },
  { schema: { type: 'struct', fields: [] } },
)
const state = (...fields: readonly object[]): object => ({
  type: 'struct',
  fields: ['before', 'after'].map((field) => ({ field, type: 'struct', fields })),
})
const event = (schema: object | null, after: object): Buffer =>
  Buffer.from(JSON.stringify({ schema, payload: { before: null, after, op: 'c', ts_ms: 1 } }))
const columnsOf = ({ writers }: Decoded): unknown[] =>
  (writers ?? []).map((writer) =>
    writer?.columns.fields.map(({ name, type }) => `${name} ${JSON.stringify(type)}`),
  )
const ID = { type: 'int32', field: 'id' }
const PRICE = { ...decimal('3', '38'), field: 'price' }
const EVENT = ['__ts_ms "long"', '__deleted "boolean"']

test('An event carries the columns of the schema beside it, old and new in one batch, and none without one', () => {
  const decoded = format.decode(
    rawOf([
      event(state(ID), { id: 1 }),
      event(state(ID, PRICE), { id: 2, price: null }),
      event(null, { id: 3 }),
      event(state(ID, PRICE), { id: 4, price: 'ITQ=' }),
    ]),
  )
  const wide = ['id "integer"', 'price "decimal(38,3)"', ...EVENT]
  assert.deepEqual(columnsOf(decoded), [['id "integer"', ...EVENT], wide, undefined, wide])
  assert.equal(decoded.writers?.[1], decoded.writers?.[3], 'equal schemas are one object')
  assert.deepEqual((decoded.objects[3] as { price: unknown }).price, new ExactNumber('8.500'))
})

test('A value has the form of the column that its schema makes', () => {
  const loose = { type: 'struct', name: 'io.debezium.data.VariableScaleDecimal', fields: [], field: 'loose' }
  const decoded = format.decode(rawOf([event(state(loose), { loose: { scale: 3, value: '/w==' } })]))
  assert.equal((decoded.objects[0] as { loose: unknown }).loose, '-0.001')
  assert.deepEqual(columnsOf(decoded), [['loose "string"', ...EVENT]])
})
