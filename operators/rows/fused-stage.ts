import { map, type Observable } from 'rxjs'
import type { RowNormaliser } from '../../src/arrow/objects/row-normaliser.ts'
import type { Row, Rows } from '../../src/arrow/rows.ts'
import type { Batch, DeadLetter } from '../../src/core/batch.ts'
import { deadLetterOf } from '../../src/core/dead-letter.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { StructType } from '../../src/core/schema.ts'
import { nowMs } from '../../src/core/stage/span.ts'
import { normalisers, refusePromise, type RowCallback } from './callbacks.ts'
import { recordInfosFor } from './record-info.ts'
import { rowSourceOf, rowsOfObjects, selectedRows, type RowSource } from './row-source.ts'

/** Describes what one operator does with each row: it makes another row, keeps it or not, or only looks at it. */
export interface RowStep extends RowCallback<unknown> {
  /** Name of the stage in timings. */
  readonly stage: string
  readonly kind: 'map' | 'filter' | 'tap'
  /** The columns of the rows that a `map` makes; without them, those of the rows before. */
  readonly schema?: StructType | undefined
}

interface Fusion {
  readonly source: Observable<Batch<Rows>>
  readonly steps: readonly RowStep[]
}

/** The observables that apply steps, with the observable of their rows. */
const FUSIONS = new WeakMap<Observable<Batch<Rows>>, Fusion>()

/** Name of the stage of several steps. */
const FUSED_STAGE = 'rows'

/**
 * Applies a step to each row. When the source applies steps itself, the result applies all of them to the source of the
 * source, row by row: a row passes through all steps before the next one, and no objects are kept between operators. The
 * outcome is that of the operators one after the other.
 */
export function fusedStage(source: Observable<Batch<Rows>>, step: RowStep): Observable<Batch<Rows>> {
  const before = FUSIONS.get(source)
  const fusion: Fusion = { source: before?.source ?? source, steps: [...(before?.steps ?? []), step] }
  const run = new StepRun(fusion.steps)
  const stage = before === undefined ? step.stage : FUSED_STAGE
  const result = fusion.source.pipe(
    map(({ provenance, payload }) => {
      const startMs = nowMs()
      const rows = run.apply(payload)
      provenance.timings.push({ stage, startMs, endMs: nowMs() })
      return { provenance, payload: rows }
    }),
  )
  FUSIONS.set(result, fusion)
  return result
}

/** The rows of one batch that have passed all steps. */
interface Passed {
  readonly indices: number[]
  readonly records: number[]
  /** The rows that the last `map` made, or the rows themselves. */
  readonly objects: unknown[]
  filtered: number
  /** Dead letters, in the order in which the operators would have them one after the other. */
  readonly letters: DeadLetter[][]
}

/** Applies steps to batches. */
class StepRun {
  readonly #steps: readonly RowStep[]
  /** One for the rows of the source, and one after each step. */
  readonly #normalisersOf: readonly ((schema: StructType) => RowNormaliser)[]
  readonly #lastMap: number

  constructor(steps: readonly RowStep[]) {
    this.#steps = steps
    this.#normalisersOf = [normalisers(), ...steps.map(() => normalisers())]
    this.#lastMap = steps.findLastIndex(({ kind }) => kind === 'map')
  }

  apply(rows: Rows): Rows {
    const steps = this.#steps
    const source = rowSourceOf(rows)
    const normaliserAfter = this.#normalisersFor(source)
    const passed: Passed = {
      ...{ indices: [], records: [], objects: [], filtered: 0 },
      letters: Array.from({ length: 2 * steps.length + 1 }, () => []),
    }
    this.#pass(source, normaliserAfter, passed)
    const { indices, records, objects, filtered } = passed
    const letters = [...source.letters, ...passed.letters.flat()]
    if (this.#lastMap >= 0) {
      const rest = { ...source.rest, filtered: source.rest.filtered + filtered }
      const normaliser = normaliserAfter.at(-1) as RowNormaliser
      const areChecked = this.#lastMap < steps.length - 1
      return rowsOfObjects(rest, normaliser, { objects, records, areChecked }, letters)
    }
    if (indices.length === source.length && !source.keepsObjects) return rows
    return selectedRows(source, { kept: indices, objects: objects as Row[], filtered }, letters)
  }

  /** Returns the normaliser of the rows of the source, and of the rows after each step. */
  #normalisersFor(source: RowSource): readonly RowNormaliser[] {
    let { schema } = source
    return this.#normalisersOf.map((normaliserOf, i) => {
      const step = this.#steps[i - 1]
      if (step?.kind === 'map') schema = step.schema ?? schema
      return normaliserOf(schema)
    })
  }

  #pass(source: RowSource, normaliserAfter: readonly RowNormaliser[], passed: Passed): void {
    const steps = this.#steps
    const { raw } = source.rest
    const infoOf = recordInfosFor(
      raw,
      steps.some(({ takesInfo }) => takesInfo),
    )
    // A function that does not make the next row gets a copy if the row is needed after it.
    const keepsRows = source.keepsObjects || this.#lastMap >= 0
    const { length } = source
    nextRow: for (let i = 0; i < length; i++) {
      const record = source.recordAt(i)
      let row = source.ownRowAt(i)
      const info = infoOf(record)
      for (let k = 0; k < steps.length; k++) {
        if (typeof row === 'string') {
          passed.letters[2 * k]?.push(deadLetterOf(raw, record, 'type', row))
          continue nextRow
        }
        const { kind, operator, run, failed } = steps[k] as RowStep
        const normaliser = normaliserAfter[k] as RowNormaliser
        const isLast = k === steps.length - 1
        const needsCopy = kind !== 'map' && (!isLast || keepsRows)
        let result: unknown
        try {
          result = run(needsCopy ? normaliser.copy(row) : row, info)
        } catch (error) {
          failed?.(error, info)
          passed.letters[2 * k + 1]?.push(deadLetterOf(raw, record, 'custom', messageOf(error)))
          continue nextRow
        }
        refusePromise(operator, result, info)
        if (kind === 'filter' && result !== true) {
          passed.filtered++
          continue nextRow
        }
        if (kind !== 'map') continue
        // The last row is checked when it becomes columns.
        row = isLast ? (result as Row) : normalised(normaliserAfter[k + 1] as RowNormaliser, result)
      }
      if (typeof row === 'string' && this.#lastMap < steps.length - 1) continue
      passed.indices.push(i)
      passed.records.push(record)
      if (keepsRows) passed.objects.push(row)
    }
  }
}

/** Returns the row that the columns hold for an object, or why they do not. */
function normalised(normaliser: RowNormaliser, object: unknown): Row | string {
  try {
    return normaliser.normalise(object)
  } catch (thrown) {
    return messageOf(thrown)
  }
}
