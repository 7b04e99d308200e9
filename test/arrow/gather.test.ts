import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, type Column } from '../../src/arrow/column.ts'
import { nullColumnOf } from '../../src/arrow/sparse/null-column.ts'
import { gather, type RowPick } from '../../src/arrow/gather.ts'
import { valueAt } from '../../src/arrow/values.ts'
import { arrayOf, columnsOf, mapOf, structOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'
import { EVERY_TYPE, randomRows } from '../support/values/values.ts'

function valuesOf(column: Column): unknown[] {
  return Array.from({ length: column.length }, (_, row) => valueAt(column, row))
}

test('Random picks of random columns, with and without row numbers, keep the order of values', (t) => {
  const chance = chanceOf(t)
  const batches = [300, 0, 1, 150].map((count) => {
    const rows = randomRows(count, chance)
    return { rows, columns: columnsOf(EVERY_TYPE, rows) }
  })
  for (const [index, { name, type }] of EVERY_TYPE.fields.entries()) {
    const picks: RowPick[] = []
    const expected: unknown[] = []
    for (let i = 0; i < 8; i++) {
      const { rows, columns } = chance.pick(batches)
      const column = columns.columns[index] as Column
      const indices = Int32Array.from({ length: rows.length === 0 ? 0 : chance.int(40) }, () =>
        chance.int(rows.length),
      )
      const bound = chance.once(2) ? indices.length : rows.length
      const isIndexed = bound === indices.length
      const start = chance.int(bound + 1)
      const end = start + chance.int(bound - start + 1)
      picks.push(isIndexed ? { column, rows: indices, start, end } : { column, start, end })
      for (let row = start; row < end; row++)
        expected.push(rows[isIndexed ? (indices[row] as number) : row]?.[name])
    }
    assert.deepEqual(valuesOf(gather(type, picks)), expected, name)
  }
})

test('Nothing gathered is an empty column of the type', () => {
  for (const { type } of EVERY_TYPE.fields) {
    const column = gather(type, [])
    assert.deepEqual([column.length, column.type, valuesOf(column)], [0, type, []])
  }
})

test('A column of nulls holds a null in every row, also beside values', () => {
  for (const { name, type } of EVERY_TYPE.fields) {
    const nulls = nullColumnOf(type, 3)
    assert.deepEqual(valuesOf(nulls), [null, null, null], name)
    const some = columnsOf(structOf({ [name]: type }), [{}, {}]).columns[0] as Column
    const both = gather(type, [
      { column: some, start: 0, end: 2 },
      { column: nulls, start: 1, end: 3 },
    ])
    assert.deepEqual(valuesOf(both), [null, null, null, null], name)
    assert.ok(bytesOf(both) > 0)
  }
})

test('Fields of a struct are found by name if the requested type orders them differently, and null if they are missing', () => {
  const ours = structOf({
    s: structOf({ a: 'long', b: 'string', in: arrayOf(structOf({ x: 'long', y: 'long' })) }),
  })
  const theirs = structOf({
    in: arrayOf(structOf({ y: 'long', z: 'double', x: 'long' })),
    more: mapOf('long'),
    b: 'string',
    a: 'long',
  })
  const column = columnsOf(ours, [{ s: { a: 1, b: 'one', in: [{ x: 1, y: 2 }] } }, { s: null }])
    .columns[0] as Column
  assert.deepEqual(valuesOf(gather(theirs, [{ column, rows: Int32Array.of(1, 0), start: 0, end: 2 }])), [
    null,
    { in: [{ y: 2, z: null, x: 1 }], more: null, b: 'one', a: 1 },
  ])
})

test('Short columns that are mostly null become one that has only its values', () => {
  const schema = structOf({ n: 'long', s: 'string' })
  const rows = Array.from({ length: 40 }, (_, n) =>
    n % 10 === 0 ? { n, s: `text ${n}` } : { n: null, s: null },
  )
  const parts = Array.from({ length: 5 }, () => columnsOf(schema, rows))
  for (const [index, { name, type }] of schema.fields.entries()) {
    const picks = parts.map(({ columns }) => ({ column: columns[index] as Column, start: 1, end: 40 }))
    const joined = gather(type, picks)
    assert.ok((joined.kind === 'fixed' || joined.kind === 'bytes') && joined.sparse !== undefined)
    assert.equal(joined.sparse.rows.length, 15)
    const expected = parts.flatMap(() => rows.slice(1).map((row) => row[name as 'n' | 's']))
    assert.deepEqual(
      valuesOf(joined).map((value) => (typeof value === 'bigint' ? Number(value) : value)),
      expected,
    )
  }
})
