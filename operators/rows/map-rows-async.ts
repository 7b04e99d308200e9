import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'
import type { RowNormaliser } from '../../src/arrow/objects/row-normaliser.ts'
import type { Row, Rows } from '../../src/arrow/rows.ts'
import type { Batch, DeadLetter } from '../../src/core/batch.ts'
import { systemClock, type Clock } from '../../src/core/clock.ts'
import { deadLetterOf } from '../../src/core/dead-letter.ts'
import { messageOf } from '../../src/core/errors.ts'
import { noteBatchWaiting } from '../../src/core/stage/operator-contract.ts'
import { nowMs } from '../../src/core/stage/span.ts'
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../../src/resilience/retries.ts'
import type { Exactly } from '../../src/rows/row-input.ts'
import type { RowSchema } from '../../src/rows/row-types.ts'
import { AsyncCalls, type AsyncCallback } from './async-calls.ts'
import { normalisers } from './callbacks.ts'
import { recordInfoOf, type RecordInfo } from './record-info.ts'
import { withRowSchema, type RowOperator } from './row-operator.ts'
import { rowSourceOf, rowsOfObjects, type RowSource } from './row-source.ts'

/** Sets the bounds of `mapRowsAsync`. */
export interface MapRowsAsyncOptions {
  /** Rows for which the function runs at once, over all batches; 16 by default. */
  readonly concurrency?: number
  /** Milliseconds after which a call is aborted and counts as an outage; 30,000 by default. */
  readonly timeoutMs?: number
  /** Retries of an outage; by default those of the service's requests: six attempts, at most two minutes. */
  readonly retry?: Partial<RetryPolicy>
  readonly clock?: Clock
}

/** Gives an asynchronous function what it needs beside its row. */
export interface AsyncCall {
  /** Aborted when the time of the call is up and when the stream ends. */
  readonly signal: AbortSignal
}

const CONCURRENCY = 16
const TIMEOUT_MS = 30_000

/**
 * Replaces each row by what the promise of `map` resolves to, in the columns of `schema`. At most `concurrency` rows are
 * processed at once, over all batches; rows and batches keep their order. A rejection, and a result that does not fit the
 * columns, becomes a dead letter. A call that exceeds `timeoutMs`, or that throws `retryLater(error)`, is an outage: it is
 * repeated after a growing pause while the rows after it wait. Credit bounds the batches that wait.
 * @throws KD_OPERATOR_FAILED, retryable, when an outage outlasts the retries
 */
export function mapRowsAsync<
  T extends object = Row,
  Out extends object = Row,
  In extends object = Out,
  R extends In = In,
>(
  map: (row: T, info: RecordInfo, call: AsyncCall) => Promise<R & Exactly<NoInfer<R>, In>>,
  schema: RowSchema<Out, In>,
  options?: MapRowsAsyncOptions,
): RowOperator<T, Out>
export function mapRowsAsync(
  map: AsyncCallback,
  schema: RowSchema,
  options: MapRowsAsyncOptions = {},
): RowOperator {
  const { concurrency = CONCURRENCY, timeoutMs = TIMEOUT_MS, clock = systemClock } = options
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new RangeError(`mapRowsAsync: concurrency must be an integer of at least 1, got ${concurrency}`)
  const retry = { ...DEFAULT_RETRY_POLICY, ...options.retry }
  const operator: OperatorFunction<Batch<Rows>, Batch<Rows>> = (source) =>
    new Observable<Batch<Rows>>((subscriber) => {
      const calls = new AsyncCalls(map, { timeoutMs, retry, clock })
      const mapping = new AsyncMapping(subscriber, calls, normalisers()(schema), concurrency)
      subscriber.add(() => calls.abort())
      subscriber.add(
        source.subscribe({
          next: (batch) => mapping.add(batch),
          error: (error: unknown) => subscriber.error(error),
          complete: () => mapping.complete(),
        }),
      )
    })
  return withRowSchema(operator, schema)
}

/** A batch whose rows are being processed. */
interface OpenBatch {
  readonly batch: Batch<Rows>
  readonly source: RowSource
  readonly startMs: number
  readonly objects: unknown[]
  /** Rows that have become dead letters. */
  readonly refused: (DeadLetter | undefined)[]
  /** The next row to start. */
  next: number
  settled: number
}

/** The batches of one subscription, in order. */
class AsyncMapping {
  readonly #subscriber: Subscriber<Batch<Rows>>
  readonly #calls: AsyncCalls
  readonly #normaliser: RowNormaliser
  readonly #concurrency: number
  readonly #open: OpenBatch[] = []
  #running = 0
  #completed = false

  constructor(
    subscriber: Subscriber<Batch<Rows>>,
    calls: AsyncCalls,
    normaliser: RowNormaliser,
    concurrency: number,
  ) {
    this.#subscriber = subscriber
    this.#calls = calls
    this.#normaliser = normaliser
    this.#concurrency = concurrency
  }

  add(batch: Batch<Rows>): void {
    const source = rowSourceOf(batch.payload)
    const state = { objects: [], refused: [], next: 0, settled: 0 }
    this.#open.push({ batch, source, startMs: nowMs(), ...state })
    this.#advance()
  }

  complete(): void {
    this.#completed = true
    this.#advance()
  }

  /** Starts rows while there is room, and emits the batches whose rows are settled. */
  #advance(): void {
    for (const open of this.#open) {
      while (this.#running < this.#concurrency && open.next < open.source.length) {
        if (this.#subscriber.closed) return
        this.#start(open, open.next++)
      }
      if (this.#running >= this.#concurrency) break
    }
    for (let head = this.#open[0]; head !== undefined && isSettled(head); head = this.#open[0]) {
      this.#open.shift()
      this.#emit(head)
    }
    if (this.#completed && this.#open.length === 0) this.#subscriber.complete()
  }

  #start(open: OpenBatch, i: number): void {
    const { source, objects, refused } = open
    const { raw } = source.rest
    const record = source.recordAt(i)
    const row = source.ownRowAt(i)
    if (typeof row === 'string') {
      refused[i] = deadLetterOf(raw, record, 'type', row)
      open.settled++
      return
    }
    this.#running++
    // Each attempt gets a row of its own: the one before may have changed its row.
    const rowOf = (attempt: number): Row => (attempt === 1 ? row : (source.ownRowAt(i) as Row))
    // The time for which an operator may hold a batch does not count outages.
    const retried = (): void => noteBatchWaiting(open.batch.provenance)
    this.#calls.run(rowOf, recordInfoOf(raw, record), retried).then(
      (outcome) => {
        if ('thrown' in outcome) refused[i] = deadLetterOf(raw, record, 'custom', messageOf(outcome.thrown))
        else objects[i] = outcome.result
        open.settled++
        this.#running--
        this.#advance()
      },
      (error: unknown) => this.#subscriber.error(error),
    )
  }

  #emit({ batch, source, startMs, objects, refused }: OpenBatch): void {
    const made: unknown[] = []
    const records: number[] = []
    const letters = [...source.letters]
    for (let i = 0; i < source.length; i++) {
      const letter = refused[i]
      if (letter !== undefined) letters.push(letter)
      else {
        made.push(objects[i])
        records.push(source.recordAt(i))
      }
    }
    const { provenance } = batch
    provenance.timings.push({ stage: 'mapAsync', startMs, endMs: nowMs() })
    const rows = { objects: made, records, areChecked: false }
    this.#subscriber.next({
      provenance,
      payload: rowsOfObjects(source.rest, this.#normaliser, rows, letters),
    })
  }
}

function isSettled({ settled, source }: OpenBatch): boolean {
  return settled === source.length
}
