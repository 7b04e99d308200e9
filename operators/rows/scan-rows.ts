import { defer } from 'rxjs'
import type { Row, Rows } from '../../src/arrow/rows.ts'
import { messageOf, PipelineError } from '../../src/core/errors.ts'
import { batchStage } from '../../src/core/stage/stage.ts'
import type { Exactly } from '../../src/rows/row-input.ts'
import type { RowSchema } from '../../src/rows/row-types.ts'
import { callForEachRow, normalisers, type RowCallback } from './callbacks.ts'
import type { RecordInfo } from './record-info.ts'
import { withRowSchema, type RowOperator } from './row-operator.ts'
import { rowSourceOf, rowsOfObjects } from './row-source.ts'
import { StateHistory } from './state-history.ts'

/** Holds what the function of `scanRows` makes of a row: the next state, and the row or `undefined` to leave it out. */
export interface ScanStep<S, In> {
  readonly state: S
  readonly row: In | undefined
}

/** Sets the bounds of `scanRows`. */
export interface ScanRowsOptions<S> {
  /**
   * Returns a copy of the state, which is kept after each batch; `structuredClone` by default. A state that is never
   * changed but replaced needs no copy: `(state) => state`.
   */
  readonly copyState?: (state: S) => S
  /** Batches of a Kafka partition whose states are kept; 1,000 by default. */
  readonly batchesMax?: number
}

const BATCHES_MAX = 1_000

/**
 * Replaces each row by what `fn` makes of it and of the state, as `scan` does. Each Kafka partition has a state of its own,
 * which begins with `seed()`. Rows for which `fn` returns no row are counted as filtered. A row for which `fn` throws
 * becomes a dead letter and leaves the state as it was.
 *
 * The state belongs to an offset: when the records of a partition are read again after a fence, it is that before these
 * records. States are kept in memory alone: after a restart, and for a partition whose records another process has carried
 * meanwhile, the state is `seed()` at the first record that is read.
 * @throws KD_OPERATOR_FAILED, retryable, if a partition is read again from before the latest `batchesMax` batches
 * @throws KD_OPERATOR_INVALID if `fn` returns a promise or the state cannot be copied
 */
export function scanRows<
  S,
  T extends object = Row,
  Out extends object = Row,
  In extends object = Out,
  R extends In = In,
>(
  fn: (state: S, row: T, info: RecordInfo) => ScanStep<S, R & Exactly<NoInfer<R>, In>>,
  seed: () => S,
  schema: RowSchema<Out, In>,
  options?: ScanRowsOptions<S>,
): RowOperator<T, Out>
export function scanRows<S>(
  fn: (state: S, row: Row, info: RecordInfo) => ScanStep<S, object>,
  seed: () => S,
  schema: RowSchema,
  { copyState = clonedState, batchesMax = BATCHES_MAX }: ScanRowsOptions<S> = {},
): RowOperator {
  const operator: RowOperator = (batches) =>
    defer(() => {
      const history = new StateHistory({ operator: 'scanRows', seed, copy: copyState, batchesMax })
      const normaliser = normalisers()(schema)
      return batches.pipe(
        batchStage('scan', (rows: Rows, { provenance }) => {
          const source = rowSourceOf(rows)
          let state = history.stateBefore(provenance)
          const objects: object[] = []
          const records: number[] = []
          let { filtered } = source.rest
          const callback: RowCallback<ScanStep<S, object>> = {
            operator: 'scanRows',
            run: (row, info) => fn(state, row, info),
            takesInfo: fn.length > 2,
            passesRows: false,
          }
          const letters = callForEachRow(source, callback, (step, i) => {
            if (!isStep(step)) throw invalid('the function must return { state, row }')
            state = step.state
            if (step.row === undefined) filtered++
            else {
              objects.push(step.row)
              records.push(source.recordAt(i))
            }
          })
          history.store(provenance, state)
          const made = { objects, records, areChecked: false }
          return rowsOfObjects({ ...source.rest, filtered }, normaliser, made, letters)
        }),
      )
    })
  return withRowSchema(operator, schema)
}

function isStep(step: unknown): boolean {
  return typeof step === 'object' && step !== null && 'state' in step
}

/** Returns a deep copy of a state of plain data. */
function clonedState<S>(state: S): S {
  if (typeof state !== 'object' || state === null) return state
  let copy: S
  try {
    copy = structuredClone(state)
  } catch (error) {
    throw invalid(`the state cannot be copied, pass copyState: ${messageOf(error)}`)
  }
  // The copy of an instance of a class has its fields but not its methods.
  if (Object.getPrototypeOf(copy) === Object.getPrototypeOf(state)) return copy
  throw invalid('the state is an instance of a class, pass copyState')
}

function invalid(detail: string): PipelineError {
  return new PipelineError('KD_OPERATOR_INVALID', `scanRows: ${detail}`)
}
