import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstValueFrom, from, Subject, toArray } from 'rxjs'
import { mapRowsAsync, type MapRowsAsyncOptions } from '../../../operators/rows/map-rows-async.ts'
import { mapRows } from '../../../operators/rows/map-rows.ts'
import { retryLater } from '../../../operators/rows/async-calls.ts'
import { schemaAfter, type RowOperator } from '../../../operators/rows/row-operator.ts'
import type { Row, Rows } from '../../../src/arrow/rows.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { HeldClock, settled } from '../../support/flow/held-clock.ts'
import { operatorContract } from '../../support/flow/operator-contract.ts'
import {
  assertAccounted,
  FOUR_ROWS,
  ROW_COLUMNS,
  rowBatch,
  shownLetters,
  shownRows,
} from '../../support/rows/row-batches.ts'

operatorContract('mapRowsAsync', () => mapRowsAsync((row) => Promise.resolve(row), ROW_COLUMNS))

/** Promises that a test settles by the `n` of their row. */
class Pending {
  readonly started: number[] = []
  readonly signals = new Map<number, AbortSignal>()
  readonly resolve = new Map<number, (row: Row) => void>()
  readonly reject = new Map<number, (error: unknown) => void>()
  readonly #clock = new HeldClock()

  operator(options: MapRowsAsyncOptions = {}): RowOperator {
    return mapRowsAsync(
      (row, _, { signal }) =>
        new Promise<Row>((resolve, reject) => {
          const n = row['n'] as number
          this.started.push(n)
          this.signals.set(n, signal)
          this.resolve.set(n, (made) => resolve({ ...row, ...made }))
          this.reject.set(n, reject)
        }),
      ROW_COLUMNS,
      { clock: this.#clock, ...options },
    )
  }
}

function listen(operator: RowOperator): {
  source: Subject<Batch<Rows>>
  outs: Batch<Rows>[]
  ends: unknown[]
  stop: () => void
} {
  const source = new Subject<Batch<Rows>>()
  const outs: Batch<Rows>[] = []
  const ends: unknown[] = []
  const subscription = source.pipe(operator).subscribe({
    next: (batch) => outs.push(batch),
    error: (error: unknown) => ends.push(error),
    complete: () => ends.push('complete'),
  })
  return { source, outs, ends, stop: () => subscription.unsubscribe() }
}

test('Rows and batches keep their order, and at most so many rows run at once over all batches', async () => {
  const pending = new Pending()
  const { source, outs, ends } = listen(pending.operator({ concurrency: 3 }))
  const first = rowBatch(FOUR_ROWS.slice(0, 2))
  const second = rowBatch(FOUR_ROWS.slice(2), { first: 12n })
  source.next(first)
  source.next(second)
  source.complete()
  assert.deepEqual(pending.started, [1, 2, 3])
  pending.resolve.get(3)?.({ s: 'c' })
  await settled()
  assert.deepEqual(pending.started, [1, 2, 3, 4])
  pending.resolve.get(4)?.({ s: 'd' })
  pending.resolve.get(2)?.({ s: 'b' })
  await settled()
  assert.deepEqual([outs.length, ends], [0, []])
  pending.resolve.get(1)?.({ s: 'a' })
  await settled()
  assert.deepEqual(ends, ['complete'])
  assert.deepEqual(
    outs.map(({ provenance }) => provenance),
    [first.provenance, second.provenance],
  )
  assert.deepEqual(
    outs.flatMap(({ payload }) => shownRows(payload).map(({ s }) => s)),
    ['a', 'b', 'c', 'd'],
  )
})

test('A rejection, a throw and a result that does not fit become dead letters', async () => {
  const failing = mapRowsAsync((row) => {
    if (row['n'] === 1) throw new Error('at once')
    if (row['n'] === 2) return Promise.reject(new Error('later'))
    return Promise.resolve(row['n'] === 3 ? { n: 'x' } : row)
  }, ROW_COLUMNS)
  const [out] = await firstValueFrom(from([rowBatch(FOUR_ROWS)]).pipe(failing, toArray()))
  assert.ok(out !== undefined)
  assertAccounted(out.payload)
  assert.deepEqual(shownRows(out.payload), [FOUR_ROWS[3]])
  assert.deepEqual(shownLetters(out.payload), [
    [10n, 'custom', 'at once'],
    [11n, 'custom', 'later'],
    [12n, 'type', '/n expected an integer, got "x"'],
  ])
})

test('Rows that do not fit what comes before are dead letters already', async () => {
  const before = mapRows((row) => (row['n'] === 2 ? { n: 'x' } : row))
  const after = mapRowsAsync((row) => Promise.resolve(row), ROW_COLUMNS)
  const [out] = await firstValueFrom(from([rowBatch(FOUR_ROWS)]).pipe(before, after, toArray()))
  assert.deepEqual(out && shownLetters(out.payload), [[11n, 'type', '/n expected an integer, got "x"']])
  assert.equal(out?.payload.columns.length, 3)
})

test('Empty batches pass, and concurrency is a number', async () => {
  const same = mapRowsAsync((row) => Promise.resolve(row), ROW_COLUMNS)
  const outs = await firstValueFrom(from([rowBatch([]), rowBatch([])]).pipe(same, toArray()))
  assert.equal(outs.length, 2)
  assert.throws(
    () => mapRowsAsync((row) => Promise.resolve(row), ROW_COLUMNS, { concurrency: 0 }),
    RangeError,
  )
  assert.equal(schemaAfter([same], { type: 'struct', fields: [] }), ROW_COLUMNS)
})

test('An outage is repeated with a row that nobody has changed; the rows after it wait', async () => {
  const clock = new HeldClock()
  const seen: unknown[] = []
  const flaky = mapRowsAsync(
    (row, { offset }) => {
      seen.push([offset, row['s']])
      row['s'] = 'changed'
      return seen.length < 3 ? Promise.reject(retryLater(new Error('503'))) : Promise.resolve(row)
    },
    ROW_COLUMNS,
    { clock, concurrency: 1 },
  )
  const { source, outs } = listen(flaky)
  source.next(rowBatch(FOUR_ROWS.slice(0, 2)))
  await clock.advance(10_000)
  assert.deepEqual(seen, [
    [10n, 't1'],
    [10n, 't1'],
    [10n, 't1'],
    [11n, 't2'],
  ])
  assert.deepEqual(outs[0] && shownLetters(outs[0].payload), [])
})

test('An outage that outlasts the retries ends the stream, and the other calls are aborted', async () => {
  const clock = new HeldClock()
  const cause = new Error('503')
  let aborted: unknown
  const down = mapRowsAsync(
    (row, _, { signal }) => {
      if (row['n'] === 1) return Promise.reject(retryLater(cause))
      return new Promise<Row>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = signal.reason
          reject(new Error('aborted'))
        })
      })
    },
    ROW_COLUMNS,
    { clock, timeoutMs: 1_000_000, retry: { attemptsMax: 3 } },
  )
  const { source, ends } = listen(down)
  source.next(rowBatch(FOUR_ROWS))
  await clock.advance(60_000)
  const [error] = ends
  assert.ok(error instanceof PipelineError)
  assert.deepEqual([error.code, error.retryable, error.cause], ['KD_OPERATOR_FAILED', true, cause])
  assert.match(error.message, /503, after 3 attempts \(topic events, partition 0, offset 10\)/)
  assert.equal((aborted as Error).name, 'AbortError')
})

test('A call whose time is up is aborted and repeated, also one that does not heed its signal', async () => {
  const clock = new HeldClock()
  const signals: AbortSignal[] = []
  const slow = mapRowsAsync(
    (row, _, { signal }) => {
      signals.push(signal)
      return signals.length === 1 ? new Promise<Row>(() => undefined) : Promise.resolve(row)
    },
    ROW_COLUMNS,
    { clock, timeoutMs: 500 },
  )
  const { source, outs } = listen(slow)
  source.next(rowBatch(FOUR_ROWS.slice(0, 1)))
  await clock.advance(499)
  assert.deepEqual([signals.length, signals[0]?.aborted], [1, false])
  await clock.advance(5_000)
  assert.deepEqual([signals.length, signals[0]?.aborted, signals[1]?.aborted], [2, true, false])
  assert.deepEqual(outs[0] && shownRows(outs[0].payload), FOUR_ROWS.slice(0, 1))
})

test('Unsubscribing aborts what runs and starts nothing more', async () => {
  const pending = new Pending()
  const { source, ends, stop } = listen(pending.operator({ concurrency: 2 }))
  source.next(rowBatch(FOUR_ROWS))
  stop()
  assert.deepEqual(
    [...pending.signals.values()].map(({ aborted }) => aborted),
    [true, true],
  )
  pending.reject.get(1)?.(new Error('aborted'))
  pending.resolve.get(2)?.({})
  await settled()
  assert.deepEqual([pending.started, ends], [[1, 2], []])
})
