import { defer, tap, type OperatorFunction } from 'rxjs'
import type { Rows } from '../../arrow/rows.ts'
import type { Batch, Provenance } from '../../core/batch.ts'
import { nowMs } from '../../core/stage/span.ts'

/** Name of the stage that runs the operators of a user, in traces and metrics. */
const OPERATORS_STAGE = 'operators'

interface Entered {
  readonly provenance: Provenance
  readonly timings: number
  readonly startMs: number
}

/**
 * Returns the operator as one stage of a batch, with its own time and span: that from when a batch enters the operator until
 * it leaves it. The time of stages within is part of it.
 */
export function operatorsStage<A>(
  operator: OperatorFunction<Batch<A>, Batch<Rows>>,
): OperatorFunction<Batch<A>, Batch<Rows>> {
  return (source) =>
    defer(() => {
      const entered: Entered[] = []
      return source.pipe(
        tap(({ provenance }) => {
          entered.push({ provenance, timings: provenance.timings.length, startMs: nowMs() })
        }),
        operator,
        tap(({ provenance, payload }) => {
          const first = entered.shift()
          // Anything else breaks the contract of operators, which is checked elsewhere.
          if (first?.provenance !== provenance) return
          // Columns may be built when they are first used; that is work of the operators.
          if (payload.columns.length >= 0) provenance.timings.length = first.timings
          provenance.timings.push({ stage: OPERATORS_STAGE, startMs: first.startMs, endMs: nowMs() })
        }),
      )
    })
}
