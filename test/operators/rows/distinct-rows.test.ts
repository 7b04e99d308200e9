import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import type { DistinctRowsOptions } from '../../../operators/rows/distinct-keys.ts'
import { distinctRows } from '../../../operators/rows/distinct-rows.ts'
import type { RowOperator } from '../../../operators/rows/row-operator.ts'
import type { Row, Rows } from '../../../src/arrow/rows.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { errorOf, operatorContract } from '../../support/flow/operator-contract.ts'
import { FOUR_ROWS, rowBatch, rowsAfter, shownLetters, shownRows } from '../../support/rows/row-batches.ts'

const byN = (options: Partial<DistinctRowsOptions> = {}): RowOperator =>
  distinctRows((row) => row['n'] as number, { withinMs: 1_000, keysMax: 100, ...options })

operatorContract('distinctRows', () => byN())

function runner(operator: RowOperator): (batch: Batch<Rows>) => unknown[] {
  const source = new Subject<Batch<Rows>>()
  let latest: Rows | undefined
  let failed: Error | undefined
  source
    .pipe(operator)
    .subscribe({ next: ({ payload }) => (latest = payload), error: (error: Error) => (failed = error) })
  return (batch) => {
    source.next(batch)
    if (failed !== undefined) throw failed
    return shownRows(latest as Rows).map(({ n }) => n)
  }
}

const keyed = (first: number, keys: readonly number[], timestampMs = 0, partition = 0): Batch<Rows> =>
  rowBatch(
    keys.map((n): Row => ({ n, s: null })),
    { first: BigInt(first), follows: first === 0 ? undefined : BigInt(first) - 1n, timestampMs, partition },
  )

test('The first row of a key is kept within the time, by Kafka timestamps, in each partition', () => {
  const run = runner(byN())
  assert.deepEqual(run(keyed(0, [1, 2, 1])), [1, 2])
  assert.deepEqual(run(keyed(3, [1, 3], 999)), [3])
  assert.deepEqual(run(keyed(0, [1], 999, 1)), [1])
  assert.deepEqual(run(keyed(5, [1, 3], 1_000)), [1])
  // A timestamp that goes back is within the time too.
  assert.deepEqual(run(keyed(7, [1, 2], 1)), [])
})

test('Left out rows are filtered; a throw and a key that is absent are dead letters', () => {
  const rows = rowsAfter(
    distinctRows(
      (row) => {
        if (row['n'] === 1) throw new Error('one')
        return (row['n'] === 2 ? undefined : 'same') as string
      },
      { withinMs: 1, keysMax: 1 },
    ),
  )
  assert.deepEqual([shownRows(rows), rows.filtered], [[FOUR_ROWS[2]], 1])
  assert.deepEqual(shownLetters(rows), [
    [10n, 'custom', 'one'],
    [11n, 'custom', 'the key of the row is undefined'],
  ])
})

/** Keeps the rows that a run without a fence keeps. */
function keptOf(keys: readonly number[], timesMs: readonly number[], withinMs: number): boolean[] {
  const kept = new Map<number, number>()
  return keys.map((key, i) => {
    const before = kept.get(key)
    const ms = timesMs[i] as number
    if (before !== undefined && Math.abs(ms - before) < withinMs) return false
    kept.set(key, ms)
    return true
  })
}

test('Rows that are read again are kept and left out as before, in whatever batches they come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(4), fc.nat(3_000)), { minLength: 20, maxLength: 20 }),
      fc.array(fc.tuple(fc.nat(6), fc.integer({ min: 1, max: 6 })), { minLength: 1, maxLength: 20 }),
      (records, steps) => {
        const keys = records.map(([key]) => key)
        const timesMs = records.map(([, ms]) => ms)
        const kept = keptOf(keys, timesMs, 1_000)
        const run = runner(byN())
        let position = 0
        for (const [back, count] of steps) {
          const first = Math.max(0, position - back)
          const end = Math.min(records.length, first + count)
          if (end <= first) continue
          const batch = keyed(first, keys.slice(first, end))
          batch.payload.raw.timestampsMs.set(timesMs.slice(first, end))
          assert.deepEqual(
            run(batch),
            keys.slice(first, end).filter((_, i) => kept[first + i]),
          )
          position = end
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('Beyond the maximum of keys the least recently seen is forgotten', () => {
  const run = runner(byN({ keysMax: 2 }))
  assert.deepEqual(run(keyed(0, [1, 2, 1, 3, 1, 2])), [1, 2, 3, 2])
})

test('Reading again from before the changes that are kept ends the stream, retryable', () => {
  const run = runner(byN({ keysMax: 3 }))
  for (let first = 0; first < 8; first++) run(keyed(first, [first]))
  assert.deepEqual(run(keyed(7, [7])), [7])
  assert.throws(
    () => run(keyed(1, [1])),
    (error) => error instanceof PipelineError && error.code === 'KD_OPERATOR_FAILED' && error.retryable,
  )
})

test('A new subscription knows no keys', () => {
  const operator = byN()
  runner(operator)(keyed(0, [1]))
  assert.deepEqual(runner(operator)(keyed(1, [1])), [1])
})

test('A promise and bounds that make no sense are refused', () => {
  const broken = distinctRows(() => Promise.resolve(1) as unknown as number, { withinMs: 1, keysMax: 1 })
  assert.match(String(errorOf(broken, rowBatch(FOUR_ROWS))), /distinctRows: the function returned a promise/)
  assert.throws(() => byN({ keysMax: 0 }), RangeError)
  assert.throws(() => byN({ withinMs: 0 }), RangeError)
})
