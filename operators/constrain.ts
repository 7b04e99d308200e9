import type { OperatorFunction } from 'rxjs'
import { withoutRows, type Rows } from '../src/arrow/rows.ts'
import type { Batch } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import { brokenRows, noteSatisfied, type CompiledConstraint } from '../src/delta/constraints/check.ts'

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
    const kept = withoutRows(rows, broken, 'constraint')
    noteSatisfied(kept.columns, all)
    return kept
  })
}
