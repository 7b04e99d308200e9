import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import { schemaAfter, type RowOperator } from '../../../operators/rows/row-operator.ts'
import { scanRows, type ScanStep } from '../../../operators/rows/scan-rows.ts'
import type { Row, Rows } from '../../../src/arrow/rows.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { structOf } from '../../support/flow/batches.ts'
import { errorOf, operatorContract } from '../../support/flow/operator-contract.ts'
import { FOUR_ROWS, rowBatch, rowsAfter, shownLetters, shownRows } from '../../support/rows/row-batches.ts'

const schema = structOf({ n: 'long', sum: 'long' })

/** Sums of n; the state is an object that is changed in place. */
const summing = (batchesMax = 100): RowOperator =>
  scanRows(
    (state: { sum: number }, row) => {
      state.sum += row['n'] as number
      return { state, row: { n: row['n'], sum: state.sum } }
    },
    () => ({ sum: 0 }),
    schema,
    { batchesMax },
  )

operatorContract('scanRows', () => summing())

/** Gives batches to an operator one by one. */
function runner(operator: RowOperator): (batch: Batch<Rows>) => Row[] {
  const source = new Subject<Batch<Rows>>()
  const out: Batch<Rows>[] = []
  let failed: Error | undefined
  source
    .pipe(operator)
    .subscribe({ next: (batch) => out.push(batch), error: (error: Error) => (failed = error) })
  return (batch) => {
    source.next(batch)
    if (failed !== undefined) throw failed
    return shownRows(out.at(-1)?.payload as Rows)
  }
}

const numbers = (first: number, count: number, partition = 0): Batch<Rows> =>
  rowBatch(
    Array.from({ length: count }, (_, i) => ({ n: first + i, s: null })),
    { first: BigInt(first), follows: first === 0 ? undefined : BigInt(first) - 1n, partition },
  )
const sumTo = (n: number): number => (n * (n + 1)) / 2

test('The state passes from row to row and from batch to batch, for each partition', () => {
  const run = runner(summing())
  assert.deepEqual(
    run(numbers(0, 3)).map(({ sum }) => sum),
    [0, 1, 3],
  )
  assert.deepEqual(
    run(numbers(0, 2, 1)).map(({ sum }) => sum),
    [0, 1],
  )
  assert.deepEqual(
    run(numbers(3, 2)).map(({ sum }) => sum),
    [6, 10],
  )
})

test('Rows that are read again begin with the state before them, in whatever batches they come', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 4 })), { maxLength: 20 }), (steps) => {
      const run = runner(summing())
      // Batches end at these offsets, and reading begins again at one of them.
      let ends = [-1]
      for (const [back, count] of steps) {
        ends = ends.slice(0, Math.max(1, ends.length - back))
        const first = (ends.at(-1) as number) + 1
        assert.deepEqual(
          run(numbers(first, count)).map(({ sum }) => sum),
          Array.from({ length: count }, (_, i) => sumTo(first + i)),
        )
        ends.push(first + count - 1)
      }
    }),
  )
})

test('Beyond records that another process has carried, the state is that of the start', () => {
  const run = runner(summing())
  run(numbers(0, 3))
  assert.deepEqual(
    run(numbers(10, 2)).map(({ sum }) => sum),
    [10, 21],
  )
  assert.deepEqual(
    run(numbers(10, 2)).map(({ sum }) => sum),
    [10, 21],
  )
})

test('Reading again from before the states that are kept ends the stream, retryable', () => {
  const run = runner(summing(2))
  for (let first = 0; first < 5; first++) run(numbers(first, 1))
  assert.deepEqual(
    run(numbers(3, 1)).map(({ sum }) => sum),
    [6],
  )
  assert.throws(
    () => run(numbers(1, 1)),
    (error) =>
      error instanceof PipelineError &&
      error.code === 'KD_OPERATOR_FAILED' &&
      error.retryable &&
      error.context['offset'] === 1n,
  )
})

test('A new subscription begins with the first state', () => {
  const operator = summing()
  runner(operator)(numbers(0, 3))
  assert.deepEqual(
    runner(operator)(numbers(3, 1)).map(({ sum }) => sum),
    [3],
  )
})

test('Rows are left out, refused and given their record; a throw leaves the state as it was', () => {
  const rows = rowsAfter(
    scanRows(
      (count: number, row, { offset }): ScanStep<number, Row> => {
        if (row['n'] === 2) throw new Error('two')
        return { state: count + 1, row: row['n'] === 3 ? undefined : { n: offset, sum: count } }
      },
      () => 0,
      schema,
    ),
  )
  assert.deepEqual(shownRows(rows), [
    { n: 10, sum: 0 },
    { n: 13, sum: 2 },
  ])
  assert.deepEqual([rows.filtered, shownLetters(rows)], [1, [[11n, 'custom', 'two']]])
  assert.equal(schemaAfter([summing()], structOf({ x: 'long' })), schema)
})

test('What cannot be copied, and what is no step, ends the stream and says so', () => {
  class Counter {
    count = 0
  }
  const failures: readonly (readonly [RowOperator, RegExp])[] = [
    [
      scanRows(
        (state: Counter, row) => ({ state, row }),
        () => new Counter(),
        schema,
      ),
      /instance of a class, pass copyState/,
    ],
    [
      scanRows(
        (state: { f: () => void }, row) => ({ state, row }),
        () => ({ f: () => undefined }),
        schema,
      ),
      /cannot be copied, pass copyState/,
    ],
    [
      scanRows(
        () => undefined as unknown as ScanStep<number, Row>,
        () => 0,
        schema,
      ),
      /must return \{ state, row \}/,
    ],
    [
      scanRows(
        () => Promise.resolve() as unknown as ScanStep<number, Row>,
        () => 0,
        schema,
      ),
      /scanRows: the function returned a promise/,
    ],
  ]
  for (const [operator, message] of failures) {
    const error = errorOf(operator, rowBatch(FOUR_ROWS))
    assert.match(String(error), message)
    assert.equal((error as PipelineError).code, 'KD_OPERATOR_INVALID')
  }
  const own = scanRows(
    (state: Counter, row) => ({ state, row }),
    () => new Counter(),
    schema,
    { copyState: () => new Counter() },
  )
  assert.equal(rowsAfter(own).columns.length, 4)
})
