import assert from 'node:assert/strict'
import { test } from 'node:test'
import { of } from 'rxjs'
import { bufferTimeOrCount } from '../../../operators/buffer-time-or-count.ts'
import { partitionBy } from '../../../operators/partition-by.ts'
import { mapRows } from '../../../operators/rows/map-rows.ts'
import { mergeMapRows } from '../../../operators/rows/merge-map-rows.ts'
import type { Row } from '../../../src/arrow/rows.ts'
import type { Counts } from '../../../src/core/batch.ts'
import { structOf } from '../../support/flow/batches.ts'
import { errorOf, operatorContract } from '../../support/flow/operator-contract.ts'
import { FOUR_ROWS, rowBatch, rowsAfter, shownLetters, shownRows } from '../../support/rows/row-batches.ts'

const schema = structOf({ n: 'long', i: 'integer' })
const several = (row: Row): Row[] =>
  Array.from({ length: (row['n'] as number) - 1 }, (_, i) => ({ n: row['n'], i }))

operatorContract('mergeMapRows', () => mergeMapRows((row) => [row], schema))

test('A row becomes none, one or several, which belong to its record', () => {
  const rows = rowsAfter(mergeMapRows(several, schema))
  assert.deepEqual(shownRows(rows), [
    { n: 2, i: 0 },
    { n: 3, i: 0 },
    { n: 3, i: 1 },
    { n: 4, i: 0 },
    { n: 4, i: 1 },
    { n: 4, i: 2 },
  ])
  assert.deepEqual([...rows.records], [1, 2, 2, 3, 3, 3])
  assert.deepEqual([rows.filtered, rows.expanded], [1, 3])
})

test('A record whose rows do not all fit becomes one dead letter, without rows', () => {
  const rows = rowsAfter(
    mergeMapRows((row) => {
      if (row['n'] === 1) throw new Error('none')
      if (row['n'] === 2) return 'rows' as unknown as Row[]
      return [row, { n: row['n'] === 3 ? 'x' : 0, i: 1 }]
    }, schema),
  )
  assert.deepEqual(shownRows(rows), [
    { n: 4, i: null },
    { n: 0, i: 1 },
  ])
  assert.deepEqual(shownLetters(rows), [
    [10n, 'custom', 'none'],
    [11n, 'type', 'expected an array of rows'],
    [12n, 'type', 'row 1: /n expected an integer, got "x"'],
  ])
})

test('A flush counts further rows as expanded records, also those that a later operator refuses', () => {
  let counts: Counts | undefined
  const refusing = mapRows((row) => {
    if (row['i'] === 1) throw new Error('one')
    return row
  })
  of(rowBatch(FOUR_ROWS))
    .pipe(
      mergeMapRows(several, schema),
      mergeMapRows((row) => [row, row], schema),
      refusing,
      partitionBy([]),
      bufferTimeOrCount({ count: 1, bytes: 1e6, ageMs: 1e6 }),
    )
    .subscribe((flush) => (counts = flush.counts))
  assert.ok(counts !== undefined)
  const { records, expanded = 0, rows, deadLetters, tombstones, filtered } = counts
  assert.equal(records + expanded, rows + deadLetters + tombstones + filtered)
  assert.deepEqual([records, expanded, rows, deadLetters, filtered], [4, 9, 8, 4, 1])
})

test('A promise ends the stream by name', () => {
  const broken = mergeMapRows((row) => Promise.resolve([row]) as unknown as Row[], schema)
  assert.match(String(errorOf(broken, rowBatch(FOUR_ROWS))), /mergeMapRows: the function returned a promise/)
})
