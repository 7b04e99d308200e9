import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, type BytesColumn, type Column, type FixedColumn } from '../../../src/arrow/column.ts'
import { gather, type RowPick } from '../../../src/arrow/gather.ts'
import { countValues, packedOf } from '../../../src/arrow/sparse/sparse-column.ts'
import { valueAt } from '../../../src/arrow/values.ts'
import { FileStatistics } from '../../../src/parquet/statistics.ts'
import { columnsOf } from '../../support/flow/batches.ts'
import { chanceOf, type Chance } from '../../support/values/chance.ts'
import { EVERY_TYPE, randomValue } from '../../support/values/values.ts'

type Leaf = FixedColumn | BytesColumn

const LEAVES = {
  type: 'struct',
  fields: EVERY_TYPE.fields.filter(({ type }) => typeof type === 'string'),
} as const

/** Rows of which each value is null, except for about one in `share`. */
function sparseRows(count: number, share: number, chance: Chance): Record<string, unknown>[] {
  return Array.from({ length: count }, () =>
    Object.fromEntries(
      LEAVES.fields.map(({ name, type }) => [name, chance.once(share) ? randomValue(type, chance) : null]),
    ),
  )
}

function valuesOf(column: Column): unknown[] {
  return Array.from({ length: column.length }, (_, row) => valueAt(column, row))
}

/** The same column in the form in which nulls take memory. */
function filled(column: Leaf): Leaf {
  const { type, length, valid } = column
  if (column.kind === 'bytes')
    return { kind: 'bytes', type, length, valid, offsets: column.offsets, bytes: column.bytes }
  return { kind: 'fixed', type, length, valid, words: column.words, values: column.values }
}

test('A column that is mostly null has the values of its rows, and its memory depends on the values alone', (t) => {
  const rows = sparseRows(1_000, 20, chanceOf(t))
  const { columns } = columnsOf(LEAVES, rows)
  for (const [index, { name }] of LEAVES.fields.entries()) {
    const column = columns[index] as Leaf
    const sparse = packedOf(column)
    assert.ok(column.sparse !== undefined && sparse === column.sparse, name)
    assert.equal(sparse.rows.length, countValues(column), name)
    assert.ok(bytesOf(column) < bytesOf(filled(column)), name)
    assert.deepEqual(
      valuesOf(column),
      rows.map((row) => row[name]),
      name,
    )
    assert.deepEqual(packedOf(filled(column))?.rows, sparse.rows, name)
    assert.deepEqual(valuesOf(packedOf(filled(column))?.packed as Leaf), valuesOf(sparse.packed), name)
  }
})

test('Picks of columns in both forms, with and without row numbers, keep the order of values', (t) => {
  const chance = chanceOf(t)
  const batches = [
    { count: 500, share: 50 },
    { count: 300, share: 1 },
    { count: 200, share: 5 },
    { count: 100, share: 1_000 },
    { count: 3, share: 2 },
  ].map(({ count, share }) => {
    const rows = sparseRows(count, share, chance)
    return { rows, columns: columnsOf(LEAVES, rows) }
  })
  let sparse = 0
  for (let round = 0; round < 40; round++)
    for (const [index, { name, type }] of LEAVES.fields.entries()) {
      const picks: RowPick[] = []
      const expected: unknown[] = []
      for (let i = 0; i < 1 + chance.int(4); i++) {
        const { rows, columns } = chance.pick(batches)
        const column = columns.columns[index] as Column
        const start = chance.int(rows.length)
        const end = start + chance.int(rows.length - start + 1)
        const order = chance.once(4)
          ? Int32Array.from({ length: rows.length }, () => chance.int(rows.length))
          : undefined
        picks.push({ column, rows: order, start, end })
        for (let row = start; row < end; row++)
          expected.push(rows[order === undefined ? row : (order[row] as number)]?.[name])
      }
      const gathered = gather(type, picks) as Leaf
      if (gathered.sparse !== undefined) sparse++
      assert.deepEqual(valuesOf(gathered), expected, name)
    }
  assert.ok(sparse > 50, `${sparse} of the gathered columns are sparse`)
})

test('Statistics of a column do not depend on its form', (t) => {
  const chance = chanceOf(t)
  const [sparse, dense] = [new FileStatistics(LEAVES), new FileStatistics(LEAVES)]
  for (const share of [10, 100, 100_000, 2]) {
    const { columns, length } = columnsOf(LEAVES, sparseRows(400, share, chance))
    sparse.update(columns, length)
    dense.update(
      columns.map((column) => filled(column as Leaf)),
      length,
    )
  }
  assert.equal(sparse.json(), dense.json())
})
