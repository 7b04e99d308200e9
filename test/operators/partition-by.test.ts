import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionBy } from '../../operators/partition-by.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import type { StructType } from '../../src/core/schema.ts'
import { provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { errorOf, operatorContract, outputsOf } from '../support/flow/operator-contract.ts'

operatorContract('partitionBy', () => partitionBy(['a']))

/** Returns the partition of every row. */
function partitionsOf(
  names: readonly string[],
  schema: StructType,
  rows: readonly Record<string, unknown>[],
): unknown[] {
  const batch = { provenance: provenanceOf(), payload: rowsOf(schema, rows) }
  const [out] = outputsOf(partitionBy(names), [batch])
  assert.equal(out?.provenance, batch.provenance)
  const { labels, partitions } = out.payload
  assert.equal(out.payload.rows, batch.payload)
  assert.equal(
    new Set(
      partitions.map((values) =>
        JSON.stringify(values, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)),
      ),
    ).size,
    partitions.length,
    'no partition twice',
  )
  return rows.map((_, row) => partitions[labels?.[row] ?? 0])
}

test('Rows are assigned to partitions by the values of several columns, in order', () => {
  const rows = [
    { a: 'x', b: 1 },
    { a: 'y', b: 1 },
    { a: 'x', b: 2 },
    { a: 'x', b: 1 },
  ]
  assert.deepEqual(partitionsOf(['b', 'a'], structOf({ a: 'string', b: 'integer' }), rows), [
    [1, 'x'],
    [1, 'y'],
    [2, 'x'],
    [1, 'x'],
  ])
})

test('Null, empty text and the text "null" are three partitions', () => {
  const rows = [{ a: null }, { a: '' }, { a: 'null' }, { a: null }, { a: '' }]
  assert.deepEqual(partitionsOf(['a'], structOf({ a: 'string' }), rows), [
    [null],
    [''],
    ['null'],
    [null],
    [''],
  ])
})

test('Null and zero are two partitions for every numeric type', () => {
  for (const [type, zero] of [
    ['integer', 0],
    ['long', 0],
    ['double', 0],
    ['boolean', false],
    ['date', '1970-01-01'],
    ['timestamp', '1970-01-01T00:00:00.000000Z'],
  ] as const)
    assert.deepEqual(partitionsOf(['a'], structOf({ a: type }), [{ a: zero }, { a: null }, { a: zero }]), [
      [zero],
      [null],
      [zero],
    ])
  assert.deepEqual(
    partitionsOf(['a'], structOf({ a: 'decimal(5,2)' }), [
      { a: new ExactNumber('0') },
      {},
      { a: new ExactNumber('-1.5') },
    ]),
    [['0.00'], [null], ['-1.50']],
  )
})

test('Longs that differ only in the last bit are two partitions', () => {
  const rows = [{ a: 2n ** 53n }, { a: 2n ** 53n + 1n }, { a: -(2n ** 63n) }]
  assert.deepEqual(
    partitionsOf(['a'], structOf({ a: 'long' }), rows),
    rows.map(({ a }) => [a]),
  )
})

test('Ten thousand partitions in one batch are ten thousand partitions', () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => ({ a: `p${i % 10_000}` }))
  assert.deepEqual(
    partitionsOf(['a'], structOf({ a: 'string' }), rows),
    rows.map(({ a }) => [a]),
  )
})

test('Without partition columns all rows are in one partition, and without rows there are none', () => {
  assert.deepEqual(partitionsOf([], structOf({ a: 'long' }), [{ a: 1 }, { a: 2 }]), [[], []])
  for (const names of [[], ['a']]) {
    const [out] = outputsOf(partitionBy(names), [
      { provenance: provenanceOf(), payload: rowsOf(structOf({ a: 'long' }), []) },
    ])
    assert.deepEqual([out?.payload.partitions, out?.payload.labels], [[], undefined])
  }
})

test('A partition column that the rows do not have is a broken invariant', () => {
  const batch = { provenance: provenanceOf(), payload: rowsOf(structOf({ a: 'long' }), [{ a: 1 }]) }
  assert.match(String(errorOf(partitionBy(['missing']), batch)), /partition column missing/)
})
