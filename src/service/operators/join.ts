import { isObservable, type OperatorFunction } from 'rxjs'
import type { RowOperator } from '../../../operators/rows/row-operator.ts'
import type { Rows } from '../../arrow/rows.ts'
import type { Batch } from '../../core/batch.ts'
import { PipelineError } from '../../core/errors.ts'
import { isPromiseLike } from '../../core/stage/promise-like.ts'
import { checkedOperator } from '../../core/stage/operator-contract.ts'
import { withPlace } from './guards.ts'
import { operatorsStage } from './operators-stage.ts'

type AnyOperator = OperatorFunction<Batch<Rows>, Batch<Rows>>

/**
 * Joins the operators of a user into one that runs them in order as one stage, checks their contract and names the topic in
 * their errors. Returns `undefined` if there are none.
 */
export function joinUserOperators(
  operators: readonly RowOperator<never, object>[],
  topic: string,
): AnyOperator | undefined {
  if (operators.length === 0) return undefined
  const what = `operators of topic ${topic}`
  const joined = joinOperators(
    (operators as readonly AnyOperator[]).map((each, index) => observed(each, index, what)),
  )
  return joined && checkedOperator(what, operatorsStage(withPlace(joined, what, topic)))
}

/** Returns the operator; one that returns no observable is named, since the next one would fail instead. */
function observed(operator: AnyOperator, index: number, what: string): AnyOperator {
  return (batches) => {
    const output: unknown = operator(batches)
    if (isObservable(output)) return output as ReturnType<AnyOperator>
    const got = output === null ? 'null' : isPromiseLike(output) ? 'a promise' : typeof output
    const detail = `${what}: rows[${index}] returned ${got} instead of an observable`
    throw new PipelineError('KD_OPERATOR_INVALID', detail)
  }
}

/** Joins operators into one that runs them in order; absent ones are left out. Returns `undefined` if none is left. */
export function joinOperators(operators: readonly (AnyOperator | undefined)[]): AnyOperator | undefined {
  const given = operators.filter((operator) => operator !== undefined)
  if (given.length === 0) return undefined
  return (batches) => given.reduce((stream, operator) => operator(stream), batches)
}
