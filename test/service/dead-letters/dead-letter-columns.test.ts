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

test('A column that the table lacks is left out', () => {
  assert.deepEqual(made({ date: "'today'", more: 'error' }), { date: 'today', more: undefined })
})

test('Without expressions rows stay unchanged', () => {
  assert.equal(compileDeadLetterColumns({}).fill(ROW, LETTER, structOf({})), ROW)
})
