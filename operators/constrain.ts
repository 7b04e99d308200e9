import type { OperatorFunction } from 'rxjs'
import { takeRows, type Rows } from '../src/arrow/rows.ts'
import type { Batch } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { deadLetterOf } from '../src/core/dead-letter.ts'
import { batchStage } from '../src/core/stage.ts'
import { brokenRows, noteSatisfied, type CompiledConstraint } from '../src/delta/constraint-check.ts'

/**
 * Rows that break a constraint of the table become dead letters, with the constraint, its expression and the values of its
 * columns. `constraints` is asked for each batch, so that those of the newest table count; without any, batches pass as
 * they are. `clock` answers constraints that ask for the time, once a batch.
 */
export function constrain(
  constraints: () => readonly CompiledConstraint[],
  clock: Clock = systemClock,
): OperatorFunction<Batch<Rows>, Batch<Rows>> {
  return batchStage('constrain', (rows) => {
    const all = constraints()
    if (all.length === 0) return rows
    const broken = brokenRows(all, rows.columns, clock.now())
    const kept = broken.size === 0 ? rows : without(rows, broken)
    noteSatisfied(kept.columns, all)
    return kept
  })
}

function without(rows: Rows, broken: ReadonlyMap<number, string>): Rows {
  const { raw, columns, records } = rows
  const letters = [...broken].map(([row, message]) =>
    deadLetterOf(raw, records[row] as number, 'constraint', message),
  )
  const kept = new Int32Array(columns.length - broken.size)
  let at = 0
  for (let row = 0; row < columns.length; row++) if (!broken.has(row)) kept[at++] = row
  return {
    ...rows,
    columns: takeRows(columns, kept),
    records: kept.map((row) => records[row] as number),
    deadLetters: [...rows.deadLetters, ...letters],
  }
}
