import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { toDeadLetterRow } from '../../../src/stored-letters/row.ts'
import { compileDeadLetterColumns } from '../../../src/service/dead-letters/dead-letter-columns.ts'
import { structOf } from '../../support/flow/batches.ts'

const LETTER: DeadLetter = {
  reason: 'type',
  message: 'expected an integer',
  topic: 'orders',
  partition: 3,
  offset: 7n,
  timestampMs: 1_700_000_000_000,
  key: undefined,
  value: Buffer.from('{"shop":{"id":12}}'),
}
const ROW = toDeadLetterRow(LETTER, 0, Date.parse('2024-05-06T07:08:09Z'))

function made(expressions: Record<string, string>, schema = structOf({ date: 'string' })): object {
  const row = compileDeadLetterColumns(expressions).fill(ROW, LETTER, schema)
  return Object.fromEntries(Object.keys(expressions).map((name) => [name, row[name]]))
}

test('An expression can use the row of a dead letter and its original message', () => {
  const schema = structOf({ date: 'string', shop: 'integer', place: 'long', written: 'timestamp' })
  assert.deepEqual(
    made(
      {
        date: 'substr(epoch_micros_to_iso8601(timestamp), `0`, `10`)',
        shop: 'parse_json(json_string).shop.id',
        place: 'kafka.offset',
        written: 'timestamp',
      },
      schema,
    ),
    { date: '2024-05-06', shop: 12, place: 7, written: '2024-05-06T07:08:09.000000Z' },
  )
})

test('A failing expression or a value that does not fit its column gives null and does not affect other columns', () => {
  const schema = structOf({ date: 'string', shop: 'integer' })
  assert.deepEqual(made({ date: 'substr(base64_bytes, `0`, `10`)', shop: 'error' }, schema), {
    date: null,
    shop: null,
  })
})

test('The Kafka timestamp is in microseconds, and null when it is no time between 1970 and 9999', () => {
  const at = (timestampMs: number): unknown => {
    const letter = { ...LETTER, timestampMs }
    const schema = structOf({ a: 'timestamp', b: 'timestamp', c: 'long' })
    const row = compileDeadLetterColumns({
      a: 'kafka_timestamp',
      b: 'kafka.timestamp',
      c: 'kafka.timestamp',
    }).fill(toDeadLetterRow(letter, 0, 0), letter, schema)
    return [row['a'], row['b'], row['c'], row['kafka_timestamp']]
  }
  const text = '2023-11-14T22:13:20.000'
  assert.deepEqual(at(1_700_000_000_000), [`${text}000Z`, `${text}000Z`, 1_700_000_000_000_000, `${text}Z`])
  for (const ms of [-1, -62_135_596_800_001, 253_402_300_800_000, 1e17])
    assert.deepEqual(at(ms), [null, null, null, null], String(ms))
  assert.deepEqual(at(253_402_300_799_999), [
    '9999-12-31T23:59:59.999000Z',
    '9999-12-31T23:59:59.999000Z',
    253_402_300_799_999_000n,
    '9999-12-31T23:59:59.999Z',
  ])
})

test('A value that is nested too deeply gives null and does not affect other columns', () => {
  const value = Buffer.from(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)
  const letter = { ...LETTER, value }
  const schema = structOf({ deep: 'string', place: 'long' })
  const row = compileDeadLetterColumns({ deep: 'parse_json(json_string)', place: 'kafka.offset' }).fill(
    toDeadLetterRow(letter, 0, 0),
    letter,
    schema,
  )
  assert.deepEqual([row['deep'], row['place']], [null, 7])
})

test('A column that the table lacks is left out', () => {
  assert.deepEqual(made({ date: "'today'", more: 'error' }), { date: 'today', more: undefined })
})

test('Without expressions rows stay unchanged', () => {
  assert.equal(compileDeadLetterColumns({}).fill(ROW, LETTER, structOf({})), ROW)
})
