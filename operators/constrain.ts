import type { OperatorFunction } from 'rxjs'
import { rejectRows, type Rows } from '../src/arrow/rows.ts'
import type { Batch } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import {
  findViolations,
  markSatisfied,
  type CompiledConstraint,
} from '../src/delta/constraints/constraint-violations.ts'

/**
 * Turns rows that violate a constraint of the table into dead letters with the constraint, its expression and the values
 * of its columns. `constraints` is called for each batch, so that the newest version of the table counts; without
 * constraints, batches are passed on unchanged. `clock` is read once per batch for constraints on the current time.
 */
export function constrain(
  constraints: () => readonly CompiledConstraint[],
  clock: Clock = systemClock,
): OperatorFunction<Batch<Rows>, Batch<Rows>> {
  return batchStage('constrain', (rows) => {
    const all = constraints()
    if (all.length === 0) return rows
    const broken = findViolations(all, rows.columns, clock.now())
    const kept = rejectRows(rows, broken, 'constraint')
    markSatisfied(kept.columns, all)
    return kept
  })
}
