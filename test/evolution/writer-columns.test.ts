// Goal: the schema that a message names is the only source of its columns' types, however it arrives.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { DataType, StructType } from '../../src/core/schema.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { writtenRecords } from '../../src/formats/avro/format.ts'
import { AvroCursor } from '../../src/formats/avro/cursor.ts'
import type { RecordReader } from '../../src/formats/avro/read.ts'
import { parseAvroSchema } from '../../src/formats/avro/schema.ts'
import type { Format, WriterSchema } from '../../src/formats/format.ts'
import { valueFormat } from '../../src/formats/values.ts'
import type { Store } from '../../src/storage/store.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { arrayOf, mapOf, structOf } from '../support/flow/batches.ts'
import {
  alter,
  carryAll,
  evolvingWorker,
  overtaken,
  protocolWith,
  rowsIn,
  tableOf,
  typesOf,
  withField,
  type WorkerFacts,
} from '../support/flow/evolving.ts'
import { encoderOf } from '../support/values/avro-values.ts'
import { chanceOf } from '../support/values/chance.ts'

/** A message, and the schema that it names: one in Avro's JSON, columns, or none. */
type Message = readonly [schema: object | WriterSchema | undefined, value: unknown]

const record = (fields: Readonly<Record<string, unknown>>, name = 'Row'): object => ({
  type: 'record',
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
})
const optional = (type: unknown): unknown => ['null', type]
const some = (type: string, value: unknown): unknown => ({ [type]: value })
const isWriter = (schema: object): schema is WriterSchema => 'columns' in schema

/** A format whose values are the numbers of messages, so that records of many schemas stand beside each other. */
function formatOf(messages: readonly Message[]): Format {
  const readers = new Map<object, RecordReader>()
  let writer: WriterSchema | undefined
  return valueFormat('test', {
    read: (bytes) => {
      const [schema, value] = messages[Number(Buffer.from(bytes).toString())] as Message
      if (schema === undefined || isWriter(schema)) {
        writer = schema
        return value as object
      }
      const reader = readers.get(schema) ?? writtenRecords(parseAvroSchema(schema, 'test'))
      readers.set(schema, reader)
      writer = reader.writer
      return reader.read(new AvroCursor(encoderOf(schema)(value))) as object
    },
    lastWriter: () => writer,
  })
}

interface Outcome {
  readonly types: Readonly<Record<string, unknown>>
  readonly rows: readonly unknown[]
  readonly letters: readonly string[]
}

/** Carries messages into a table, from where the table is. */
async function carry(
  t: TestContext,
  store: Store,
  messages: readonly Message[],
  facts: Partial<WorkerFacts> = {},
): Promise<Outcome> {
  const letters: DeadLetter[] = []
  const topic = [messages.map((_, at) => String(at))]
  const format = (): Format => formatOf(messages)
  await carryAll(await evolvingWorker(store, { topic, chance: chanceOf(t), letters, format, ...facts }))
  return {
    types: await typesOf(store),
    rows: [...(await rowsIn(store)).values()],
    letters: letters.map(({ reason, message }) => `${reason} ${message}`),
  }
}

async function tableWith(columns: Readonly<Record<string, DataType>>): Promise<MemoryStore> {
  const store = new MemoryStore()
  await tableOf(store, structOf(columns))
  return store
}

const V1 = record({ id: 'int' })
const V2 = record({
  id: 'int',
  price: 'double',
  total: { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 10 },
  at: { type: 'long', logicalType: 'timestamp-millis' },
  tags: { type: 'map', values: 'long' },
  raw: 'bytes',
  never: optional('int'),
})
const V2_VALUE = {
  price: 2,
  total: Buffer.from('0ee79b2d8b3c4e91a5d1b3f4', 'hex'),
  at: 1_767_225_600_000n,
  tags: { a: 1n },
  raw: Buffer.of(0, 255),
  never: null,
}
const V2_TYPES = {
  id: 'integer',
  price: 'double',
  total: 'decimal(38,10)',
  at: 'timestamp',
  tags: mapOf('long'),
  raw: 'binary',
  never: 'integer',
}
const V2_ROW = {
  price: 2,
  at: '2026-01-01T00:00:00.000000Z',
  tags: { a: 1 },
  raw: 'AP8=',
}
const withoutTotal = (row: unknown): unknown => {
  const { total, ...rest } = row as Record<string, unknown>
  assert.ok(total === undefined || typeof total === 'number')
  return rest
}

for (const contract of [undefined, { properties: { id: { type: 'integer', 'x-delta-type': 'integer' } } }])
  test(`A version that comes while the topic runs adds its columns, mixed with the old one, ${contract === undefined ? 'without a subject' : 'with one'}`, async (t) => {
    const store = await tableWith({ id: 'integer' })
    const messages: Message[] = [
      [V1, { id: 0 }],
      [V2, { id: 1, ...V2_VALUE }],
      [V1, { id: 2 }],
      [V2, { id: 3, ...V2_VALUE, price: 2.5, never: some('int', 7) }],
    ]
    const more = contract === undefined ? {} : { contract }
    const first = await carry(t, store, messages.slice(0, 3), more)
    assert.deepEqual(first.types, V2_TYPES)
    const { types, rows, letters } = await carry(t, store, messages, more)
    assert.deepEqual(letters, [])
    assert.deepEqual(types, V2_TYPES)
    assert.deepEqual(rows.map(withoutTotal), [
      { id: 0 },
      { id: 1, ...V2_ROW },
      { id: 2 },
      { id: 3, ...V2_ROW, price: 2.5, never: 7 },
    ])
  })

test('Decimals keep all digits in a column that a new version adds', async (t) => {
  const unscaled = 12_345_678_901_234_567_890_123_456_789n
  const hex = unscaled.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  const store = await tableWith({ id: 'integer' })
  const { letters } = await carry(t, store, [[V2, { id: 1, ...V2_VALUE, total: bytes }]])
  assert.deepEqual(letters, [])
  const lines: string[] = []
  const { readRowLines } = await import('../../src/delta/rewrite/row-lines.ts')
  const { loadSnapshot } = await import('../../src/delta/log/snapshot.ts')
  for await (const line of readRowLines(store, await loadSnapshot(store))) lines.push(line)
  assert.match(lines.join('\n'), /"total":1234567890123456789\.0123456789/)
})

test('Structs, elements and values of maps gain the fields of a new version, with its types', async (t) => {
  const inner = (fields: Readonly<Record<string, unknown>>, name: string): object => record(fields, name)
  const version = (fields: Readonly<Record<string, unknown>>): object =>
    record({
      s: inner(fields, 'S'),
      l: { type: 'array', items: inner(fields, 'L') },
      m: { type: 'map', values: inner(fields, 'M') },
    })
  const [before, after] = [version({ a: 'int' }), version({ a: 'int', b: 'double', c: optional('bytes') })]
  const store = await tableWith({ id: 'integer' })
  const value = { a: 1, b: 2, c: null }
  const messages: Message[] = [
    [before, { s: { a: 0 }, l: [{ a: 0 }], m: { k: { a: 0 } } }],
    [after, { s: value, l: [value], m: { k: value } }],
  ]
  await carry(t, store, messages.slice(0, 1))
  const { types, rows, letters } = await carry(t, store, messages)
  const struct = structOf({ a: 'integer', b: 'double', c: 'binary' })
  assert.deepEqual(types, { id: 'integer', s: struct, l: arrayOf(struct), m: mapOf(struct) })
  const kept = { a: 1, b: 2 }
  assert.deepEqual(rows[1], { s: kept, l: [kept], m: { k: kept } })
  assert.deepEqual(letters, [])
})

test('Records of several types in one topic make the columns of all, and an unrelated type is a dead letter', async (t) => {
  const order = record({ id: 'int', total: 'float' }, 'Order')
  const person = record({ id: 'int', born: { type: 'int', logicalType: 'date' } }, 'Person')
  const other = record({ id: 'string', note: 'string' }, 'Other')
  const store = await tableWith({ id: 'integer' })
  const { types, rows, letters } = await carry(t, store, [
    [order, { id: 1, total: 2 }],
    [person, { id: 2, born: 0 }],
    [other, { id: 'x', note: 'n' }],
  ])
  // A flush without rows adds no columns, and the seed decides what is in the flush of the third record.
  const { note, ...others } = types
  assert.ok(note === 'string' || note === undefined)
  assert.deepEqual(others, { id: 'integer', total: 'float', born: 'date' })
  assert.deepEqual(rows, [
    { id: 1, total: 2 },
    { id: 2, born: '1970-01-01' },
  ])
  assert.equal(letters.length, 1)
  assert.match(letters[0] ?? '', /^type \/id expected an integer/)
})

test('A wider type widens the column where the table allows it; elsewhere larger values alone are dead letters', async (t) => {
  const wide = record({ id: 'long', s: record({ n: 'long' }, 'S'), d: 'double' })
  const value = { id: 2n ** 40n, s: { n: 2n ** 40n }, d: 0.1 }
  const small = { id: 5n, s: { n: 6n }, d: 0.5 }
  for (const widens of [true, false]) {
    const store = await tableWith({ id: 'integer', s: structOf({ n: 'integer' }), d: 'float' })
    if (widens) await protocolWith(store, 'typeWidening', { 'delta.enableTypeWidening': 'true' })
    const { types, rows, letters } = await carry(t, store, [
      [V1, { id: 1 }],
      [wide, value],
      [wide, small],
    ])
    const [long, double] = widens ? ['long', 'double'] : ['integer', 'float']
    const { s } = types as { readonly s: StructType }
    assert.deepEqual([types['id'], s.fields[0]?.type, types['d']], [long, long, double])
    assert.deepEqual(rows.at(-1), { id: 5, s: { n: 6 }, d: 0.5 })
    assert.equal(rows.length, widens ? 3 : 2)
    assert.equal(letters.length, widens ? 0 : 1)
    // After the commit the types are those of the table, and rows go on.
    const again = await carry(t, store, [
      [V1, { id: 1 }],
      [wide, value],
      [wide, small],
      [wide, widens ? value : small],
    ])
    assert.equal(again.rows.length, widens ? 4 : 3)
  }
})

test('A field that no column can hold makes dead letters of the messages that have it, with the reason of its schema', async (t) => {
  const columns = structOf({ id: 'long' })
  const columnFaults = [{ path: ['tree', 'items', 'self'], message: 'a recursive schema' }]
  const writer: WriterSchema = { columns, columnFaults }
  const named: WriterSchema = { columns: structOf({ id: 'long', 'a\n': 'long', '': 'double' }) }
  const store = await tableWith({ id: 'long' })
  const { types, rows, letters } = await carry(t, store, [
    [writer, { id: 1, tree: [{ self: { x: 1 } }] }],
    [writer, { id: 2, tree: null }],
    [named, { id: 3, 'a\n': 1 }],
    [named, { id: 4, 'a\n': null }],
  ])
  assert.deepEqual(types, { id: 'long' })
  assert.deepEqual(rows, [{ id: 2 }, { id: 4 }])
  assert.deepEqual(letters, [
    'type tree: cannot become a column: a recursive schema',
    'type a\n: cannot become a column, because of its name or the number of columns',
  ])
})

test('Other policies add nothing: fields are rescued, dropped, or stop the topic', async (t) => {
  const messages: Message[] = [
    [V1, { id: 1 }],
    [record({ id: 'int', x: 'double' }), { id: 2, x: 2 }],
  ]
  const rescued = await carry(t, await tableWith({ id: 'integer' }), messages, { policy: 'rescue' })
  assert.deepEqual(rescued.types, { id: 'integer', _rescued_data: 'string' })
  assert.deepEqual(rescued.rows, [{ id: 1 }, { id: 2, _rescued_data: '{"x":2}' }])
  const dropped = await carry(t, await tableWith({ id: 'integer' }), messages, { policy: 'none' })
  assert.deepEqual([dropped.types, dropped.rows], [{ id: 'integer' }, [{ id: 1 }, { id: 2 }]])
  await assert.rejects(
    carry(t, await tableWith({ id: 'integer' }), messages, { policy: 'failOnNewColumns' }),
    {
      code: 'KD_SCHEMA_CHANGED',
    },
  )
})

test('A value is checked by the schema that it names instead of a contract from the format, never instead of a written one', async (t) => {
  const contract = { type: 'object', properties: { id: { type: 'integer' } }, additionalProperties: false }
  const writer: WriterSchema = {
    columns: structOf({ id: 'long', x: 'double' }),
    check: (value) => ('no' in value ? '/no is forbidden' : undefined),
  }
  const messages: Message[] = [
    [writer, { id: 1, x: 2 }],
    [writer, { id: 2, no: 1 }],
    [undefined, { id: 3, y: 1 }],
    [undefined, { id: 4 }],
  ]
  const byWriter = await carry(t, await tableWith({ id: 'long' }), messages, {
    contract,
    checksByWriter: true,
  })
  assert.deepEqual(byWriter.types, { id: 'long', x: 'double' })
  assert.deepEqual(byWriter.rows, [{ id: 1, x: 2 }, { id: 4 }])
  assert.deepEqual(
    byWriter.letters.map((letter) => letter.split(' ').slice(0, 2)),
    [
      ['contract', '/no'],
      ['contract', '/'],
    ],
  )
  const byContract = await carry(t, await tableWith({ id: 'long' }), messages, { contract })
  assert.deepEqual([byContract.types, byContract.rows], [{ id: 'long' }, [{ id: 4 }]])
})

test('Values have a say only about fields that no schema describes, and only these count as inferred', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`c${i}`, 'double' as const]))
  const writer: WriterSchema = { columns: structOf({ id: 'long', o: structOf({ a: 'float' }), ...many }) }
  const store = await tableWith({ id: 'long' })
  const { types, rows, letters } = await carry(
    t,
    store,
    [
      [writer, { id: 1, o: { a: 1, extra: 1 }, c0: 1 }],
      [undefined, { id: 2, c1: 1, more: 5 }],
      [undefined, { id: 3, third: 'x' }],
    ],
    { learnedMax: 2, contract: { properties: { id: { type: 'integer' } } } },
  )
  assert.equal(Object.keys(types).length, 53)
  assert.deepEqual(types['o'], structOf({ a: 'float', extra: 'long' }))
  assert.deepEqual([types['c0'], types['c1'], types['more']], ['double', 'double', 'long'])
  assert.deepEqual(rows, [
    { id: 1, o: { a: 1, extra: 1 }, c0: 1 },
    { id: 2, c1: 1, more: 5 },
  ])
  assert.equal(letters.length, 1)
})

test('Columns of a version stay when another writer changes the table in the middle of the flush', async (t) => {
  const store = await tableWith({ id: 'integer' })
  const late = overtaken(store, () =>
    alter(store, (schema: StructType) => withField(schema, 'other', 'date')),
  )
  const { types, rows, letters } = await carry(t, late, [
    [V1, { id: 1 }],
    [V2, { id: 2, ...V2_VALUE }],
  ])
  const { id, ...added } = V2_TYPES
  assert.deepEqual(types, { id, other: 'date', ...added })
  assert.deepEqual(rows.map(withoutTotal), [{ id: 1 }, { id: 2, ...V2_ROW }])
  assert.deepEqual(letters, [])
})

test('A column that another writer gave another type while a version was new keeps it; values that fit are rows', async (t) => {
  const store = await tableWith({ id: 'integer' })
  const late = overtaken(store, () => alter(store, (schema: StructType) => withField(schema, 'x', 'long')))
  const version = record({ id: 'int', x: 'double' })
  const messages: Message[] = [
    [version, { id: 1, x: 2 }],
    [version, { id: 2, x: 2.5 }],
  ]
  // The flush is given up, and its records are read again.
  const { types, rows, letters } = await carry(t, late, messages)
  assert.deepEqual(types, { id: 'integer', x: 'long' })
  assert.deepEqual(rows, [{ id: 1, x: 2 }])
  assert.deepEqual(letters, ['type /x expected an integer, got 2.5'])
})
