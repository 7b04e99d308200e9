import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StructBuilder } from '../../src/arrow/builder.ts'
import { rowBytesMin } from '../../src/arrow/column.ts'
import { appendObjects, mergeRows, emptyRows, objectsOf, takeRows } from '../../src/arrow/rows.ts'
import { rowAt } from '../../src/arrow/values.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { arrayOf, columnsOf, rawOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'
import { EVERY_TYPE, randomRows } from '../support/values/values.ts'

test('Rows are taken in the requested order', (t) => {
  const rows = randomRows(50, chanceOf(t))
  const taken = takeRows(columnsOf(EVERY_TYPE, rows), Int32Array.of(49, 0, 7, 7))
  assert.deepEqual(
    [0, 1, 2, 3].map((row) => rowAt(taken, row)),
    [rows[49], rows[0], rows[7], rows[7]],
  )
  assert.equal(takeRows(taken, new Int32Array(0)).length, 0)
})

test('Two sets of rows of a batch merge into the order of their records', (t) => {
  const chance = chanceOf(t)
  const rows = randomRows(200, chance)
  const fast: number[] = []
  const slow: number[] = []
  for (const record of rows.keys()) if (!chance.once(5)) (chance.once(2) ? fast : slow).push(record)
  const part = (records: number[]) => ({
    columns: columnsOf(
      EVERY_TYPE,
      records.map((record) => rows[record] ?? {}),
    ),
    records: Int32Array.from(records),
  })
  const merged = mergeRows(part(fast), part(slow))
  const expected = [...fast, ...slow].sort((a, b) => a - b)
  assert.deepEqual([...merged.records], expected)
  for (const [row, record] of expected.entries()) assert.deepEqual(rowAt(merged.columns, row), rows[record])
  const all = part([...rows.keys()])
  assert.equal(mergeRows(all, emptyRows(EVERY_TYPE)), all)
  assert.equal(mergeRows(emptyRows(EVERY_TYPE), all), all)
})

test('Objects that do not fit become dead letters with their records, the others rows', () => {
  const schema = structOf({ n: 'long' })
  const builder = new StructBuilder(schema)
  const deadLetters: DeadLetter[] = []
  const raw = rawOf(['a', 'b', 'c', 'd', 'e', 'f'], { first: 10n, keys: ['k'] })
  const objects = [{ n: 1 }, { n: 'x' }, null, undefined, 5, { n: 2 }]
  const fitting = appendObjects(builder, raw, { objects, records: [0, 1, 2, 3, 4, 5] }, deadLetters)
  const columns = builder.finishColumns()
  assert.deepEqual(fitting, [0, 5])
  assert.deepEqual([rowAt(columns, 0), rowAt(columns, 1), columns.length], [{ n: 1 }, { n: 2 }, 2])
  assert.deepEqual(
    deadLetters.map(({ offset, reason, message, value }) => [
      offset,
      reason,
      message,
      Buffer.from(value ?? []).toString(),
    ]),
    [
      [11n, 'type', '/n expected an integer, got "x"', 'b'],
      [12n, 'type', 'expected an object, got null', 'c'],
      [13n, 'type', 'expected an object, got undefined', 'd'],
      [14n, 'type', 'expected an object, got 5', 'e'],
    ],
  )
})

test('Rows in object form carry their nulls', () => {
  const rows = rowsOf(structOf({ a: 'long', s: structOf({ b: 'string' }) }), [{ a: 1 }, { s: {} }])
  assert.deepEqual(objectsOf(rows), [
    { a: 1, s: null },
    { a: null, s: { b: null } },
  ])
})

test('The minimum bytes of a row are those of its fixed columns', () => {
  assert.equal(
    rowBytesMin(
      structOf({
        a: 'long',
        b: 'string',
        c: 'decimal(38,0)',
        d: structOf({ e: 'boolean' }),
        f: arrayOf('long'),
      }),
    ),
    9 + 5 + 17 + 3 + 5,
  )
})
