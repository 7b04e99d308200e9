// Goal: rows of Debezium events in JSON come from bytes as they come from objects.
// Method: a batch of events is decoded in both ways; the counts of slow records show which way each record went.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contractOfTable } from '../../../src/contract/table-contract.ts'
import type { DataType, StructType } from '../../../src/core/schema.ts'
import { plainContractOf } from '../../../src/evolution/plain.ts'
import { debeziumColumns } from '../../../src/formats/debezium/columns.ts'
import { debeziumFormat } from '../../../src/formats/debezium/format.ts'
import type { Decoded, Format, FormatOptions } from '../../../src/formats/format.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { rawOf, structOf } from '../../support/flow/batches.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'

const FIELDS = ['op', 'table', 'source.ts_ms', 'lsn', 'source.sequence']
const SOURCE = {
  version: '3.0.0',
  connector: 'postgresql',
  ts_ms: 1_700_000_000_000,
  db: 'shop',
  sequence: '["24023119","24023128"]',
  table: 'orders',
  lsn: 24_023_128,
}

interface Case {
  readonly columns: Readonly<Record<string, DataType>>
  readonly fields?: readonly string[]
  readonly unknownFields?: FormatOptions['unknownFields']
}

function formatsOf({ columns, fields = FIELDS, unknownFields = 'leave' }: Case): {
  fast: Format
  slow: Format
  schema: StructType
} {
  const schema: StructType = {
    type: 'struct',
    fields: [...structOf(columns).fields, ...debeziumColumns(fields)],
  }
  const options = { schema, plain: plainContractOf(schema, undefined), unknownFields }
  const open = (json?: FormatOptions): Format =>
    debeziumFormat(
      jsonFormat({ schema: structOf({}), plain: undefined }),
      { fields },
      { schema },
      json && { columns: json },
    )
  return { fast: open(options), slow: open(), schema }
}

/** Asserts that both ways give the same; returns how records went the slow way. */
function decodeBoth(values: readonly (string | null)[], options: Case): Decoded['slow'] {
  const { fast, slow, schema } = formatsOf(options)
  const raw = rawOf(values)
  const contract = contractOfTable(schema)
  assert.deepEqual(outcomesOf(fast, contract, raw), outcomesOf(slow, contract, raw))
  return fast.decode(raw).slow
}

const COLUMNS = { id: 'long', name: 'string', active: 'boolean' } as const
const row = (id: number): object => ({ id, name: `name ${id}`, active: id % 2 === 0 })
const event = (op: string, before: unknown, after: unknown, more: object = {}): string =>
  JSON.stringify({ before, after, source: SOURCE, op, ts_ms: 1_700_000_000_500, transaction: null, ...more })

test('All operations with a row, escapes in the source and tombstones stay on columns', () => {
  const values = [
    event('c', null, row(1)),
    event('u', row(1), row(2)),
    event('r', null, row(3)),
    event('d', row(2), null),
    null,
  ]
  assert.equal(decodeBoth(values, { columns: COLUMNS, fields: FIELDS.slice(0, 4) }), undefined)
})

test('A record that is unusual goes the slow way alone', () => {
  const usual = Array.from({ length: 50 }, (_, id) => event('c', null, row(id)))
  const unusual = [
    '{',
    '[]',
    '{"op":"c"}',
    event('c', null, null),
    event('x', null, row(1)),
    event('c', null, { ...row(1), id: 'seven' }),
    event('c', null, { ...row(1), extra: 1 }),
    event('c', null, row(1)).replace('"op"', '"\\u006fp"'),
    event('c', null, row(1)).replace('"op":"c"', '"op":"d","op":"c"'),
    event('c', null, row(1)).replace('"version":"3.0.0"', '"version":01'),
    event('c', null, row(1)).replace('"version":"3.0.0"', '"version":"\\q"'),
    `${event('c', null, row(1))} x`,
    event('c', null, row(1), { payload: {} }),
  ]
  for (const value of unusual)
    assert.deepEqual(
      decodeBoth([...usual, value, ...usual], { columns: COLUMNS, fields: FIELDS.slice(0, 4) }),
      {
        value: 1,
      },
    )
})

test('Messages without a row are filtered, beside rows from bytes', () => {
  const { fast, schema } = formatsOf({ columns: COLUMNS })
  const raw = rawOf([event('c', null, row(1), { source: {} }), '{"ts_ms":1}', event('t', null, null)])
  const decoded = fast.decode(raw)
  assert.equal(decoded.filtered, 2)
  assert.deepEqual(decoded.validated?.records, Int32Array.of(0))
  assert.equal(decoded.validated.columns.schema, schema)
})

/** An event beside the schema of its rows, with these Connect fields. */
function embedded(fields: readonly object[], states: readonly string[]): string[] {
  const of = { type: 'struct', optional: true, fields }
  const schema = {
    type: 'struct',
    fields: [
      { ...of, field: 'before' },
      { ...of, field: 'after' },
    ],
  }
  return states.map(
    (state) => `{"schema":${JSON.stringify(schema)},"payload":{"before":null,"after":${state},"op":"c"}}`,
  )
}

const connect = (field: string, type: string, name: string): object => ({ field, type, name, optional: true })

test('Dates and instants are converted on columns, at the edges of years and of 64 bits', () => {
  const fields = [
    connect('day', 'int32', 'io.debezium.time.Date'),
    connect('ms', 'int64', 'io.debezium.time.Timestamp'),
    connect('us', 'int64', 'io.debezium.time.MicroTimestamp'),
    connect('ns', 'int64', 'io.debezium.time.NanoTimestamp'),
  ]
  const columns = { day: 'date', ms: 'timestamp', us: 'timestamp_ntz', ns: 'timestamp' } as const
  const state = (day: number, ms: number, us: number, ns: number): string =>
    JSON.stringify({ day, ms, us, ns })
  const states = [
    state(0, 0, 0, 0),
    state(-1, -1, -1, -1),
    state(-719_528, -62_167_219_200_000, -62_167_219_200_000, -999),
    state(2_932_896, 253_402_300_799_999, 4_294_967_296, -1000),
    state(19_000, 1_700_000_000_123, 1_700_000_000_123_456, 999),
    state(19_000, 4_294_967_296, 4_294_967_295, 1_700_000_000_123),
    '{"day":null,"ms":null}',
  ]
  assert.equal(decodeBoth(embedded(fields, states), { columns, fields: [] }), undefined)
  const beyond = embedded(fields, [state(2_932_897, 0, 0, 0), state(0, 253_402_300_800_000, 0, 0)])
  assert.deepEqual(decodeBoth(beyond, { columns, fields: [] }), { value: 2 })
})

test('A schema whose columns are not there yet is learnt from objects; the next schema is recognised', () => {
  const fields = [
    { field: 'id', type: 'int64' },
    { field: 'added', type: 'string' },
  ]
  const values = embedded(fields, ['{"id":1}', '{"id":2}'])
  assert.deepEqual(decodeBoth(values, { columns: { id: 'long' }, fields: [] }), { schema: 2 })
  assert.equal(decodeBoth(values, { columns: { id: 'long', added: 'string' }, fields: [] }), undefined)
})

test('Event fields with columns that the table lacks, or has in other types, are said to need objects', () => {
  const columns = structOf({ id: 'long', __op: 'long', __deleted: 'string' })
  const format = debeziumFormat(
    jsonFormat({ schema: structOf({}), plain: undefined }),
    { fields: ['op', 'table'] },
    { schema: columns },
    { columns: { schema: columns, plain: plainContractOf(columns, undefined) } },
  )
  assert.deepEqual(
    format.objectReasons?.().map(({ subject }) => subject),
    ['columns.__table', 'columns.__deleted'],
  )
  assert.deepEqual(format.decode(rawOf([event('c', null, row(1))])).slow, { path: 1 })
})
