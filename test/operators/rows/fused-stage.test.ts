import assert from 'node:assert/strict'
import { test } from 'node:test'
import { map, of, pipe, share, Subject } from 'rxjs'
import { filterRows } from '../../../operators/rows/filter-rows.ts'
import { mapRows } from '../../../operators/rows/map-rows.ts'
import { tapRows } from '../../../operators/rows/tap-rows.ts'
import type { Rows } from '../../../src/arrow/rows.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { FOUR_ROWS, rowBatch, shownRows } from '../../support/rows/row-batches.ts'

/** Notes which operator saw which row. */
function noted(seen: string[], name: string) {
  return mapRows((row) => {
    seen.push(`${name}${String(row['n'])}`)
    return row
  })
}

test('Operators in a row are applied to one row before the next, however they were joined', () => {
  const seen: string[] = []
  const batch = rowBatch(FOUR_ROWS.slice(0, 2))
  of(batch)
    .pipe(noted(seen, 'a'), pipe(noted(seen, 'b'), noted(seen, 'c')))
    .subscribe()
  assert.deepEqual(seen, ['a1', 'b1', 'c1', 'a2', 'b2', 'c2'])
  assert.deepEqual(
    batch.provenance.timings.map(({ stage }) => stage),
    ['rows'],
  )
})

test('An operator of another kind between them sees rows that have passed those before it', () => {
  const seen: string[] = []
  const between = map((batch: Batch<Rows>) => {
    seen.push(`columns ${batch.payload.columns.length}`)
    return batch
  })
  of(rowBatch(FOUR_ROWS))
    .pipe(
      filterRows((row) => row['n'] !== 1),
      between,
      tapRows((row) => void seen.push(`row ${String(row['n'])}`)),
    )
    .subscribe()
  assert.deepEqual(seen, ['columns 3', 'row 2', 'row 3', 'row 4'])
})

test('Each function is called once for each row, also when its rows have several subscribers', () => {
  let calls = 0
  const source = new Subject<Batch<Rows>>()
  const shared = source.pipe(
    mapRows((row) => {
      calls++
      return row
    }),
    share(),
  )
  const outs: unknown[] = []
  shared
    .pipe(mapRows((row) => ({ ...row, s: 'first' })))
    .subscribe(({ payload }) => outs.push(shownRows(payload)[0]))
  shared
    .pipe(filterRows((row) => row['s'] !== 'first'))
    .subscribe(({ payload }) => outs.push(shownRows(payload)[0]))
  source.next(rowBatch(FOUR_ROWS))
  assert.equal(calls, 4)
  assert.deepEqual(outs, [{ n: 1, s: 'first' }, FOUR_ROWS[0]])
})

test('What is subscribed to before the last operator is a stream of its own', () => {
  const first = of(rowBatch(FOUR_ROWS)).pipe(mapRows((row) => ({ ...row, s: 'a' })))
  const second = first.pipe(mapRows((row) => ({ ...row, s: `${String(row['s'])}b` })))
  const shown: unknown[] = []
  second.subscribe(({ payload }) => shown.push(shownRows(payload)[0]?.['s']))
  first.subscribe(({ payload }) => shown.push(shownRows(payload)[0]?.['s']))
  assert.deepEqual(shown, ['ab', 'a'])
})
