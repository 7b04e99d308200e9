import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filterRows } from '../../../operators/rows/filter-rows.ts'
import type { Row } from '../../../src/arrow/rows.ts'
import { errorOf, operatorContract, outputsOf } from '../../support/flow/operator-contract.ts'
import { FOUR_ROWS, rowBatch, rowsAfter, shownRows } from '../../support/rows/row-batches.ts'

operatorContract('filterRows', () => filterRows(() => true))

const odd = (row: Row): boolean => {
  if (row['n'] === 4) throw new Error('no four')
  return (row['n'] as number) % 2 === 1
}

test('Rows are kept or counted as filtered; one for which the callback throws becomes a dead letter', () => {
  const rows = rowsAfter(filterRows(odd))
  assert.deepEqual(
    [shownRows(rows), [...rows.records], rows.filtered],
    [[FOUR_ROWS[0], FOUR_ROWS[2]], [0, 2], 1],
  )
  assert.deepEqual(
    rows.deadLetters.map(({ offset, reason }) => [offset, reason]),
    [[13n, 'custom']],
  )
  assert.equal(rowsAfter(filterRows(() => false)).filtered, 4)
  assert.equal(shownRows(rowsAfter(filterRows(() => true))).length, 4)
  assert.equal(
    rowsAfter(
      filterRows(() => {
        throw new Error('all')
      }),
    ).deadLetters.length,
    4,
  )
})

test('Only true keeps a row', () => {
  assert.equal(rowsAfter(filterRows(() => 'yes' as unknown as boolean)).filtered, 4)
})

test('Consecutive filters add up their counts', () => {
  const [out] = outputsOf(
    filterRows((row) => row['n'] !== 1),
    outputsOf(
      filterRows((row) => row['n'] !== 3),
      [rowBatch(FOUR_ROWS)],
    ),
  )
  assert.deepEqual([out?.payload.filtered, out && shownRows(out.payload)], [2, [FOUR_ROWS[1], FOUR_ROWS[3]]])
})

test('Changes that the function makes to a row are lost', () => {
  const changing = filterRows((row) => {
    row['s'] = 'changed'
    return row['n'] !== 1
  })
  assert.deepEqual(shownRows(rowsAfter(changing)), FOUR_ROWS.slice(1))
})

test('A promise ends the stream by name', () => {
  const broken = filterRows(() => Promise.resolve(false) as unknown as boolean)
  assert.match(String(errorOf(broken, rowBatch(FOUR_ROWS))), /filterRows: the function returned a promise/)
})
