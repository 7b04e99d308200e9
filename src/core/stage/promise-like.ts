import { PipelineError } from '../errors.ts'

/** Returns true for a promise and for anything else with a `then` method. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

/**
 * Returns what custom code returned, unless it is a promise, which nothing here waits for. `what` names the function.
 * @throws KD_OPERATOR_INVALID if it is a promise, whose rejection is then ignored
 */
export function withoutPromise<T>(returned: T, what: string): T {
  if (!isPromiseLike(returned)) return returned
  returned.then(undefined, () => undefined)
  throw new PipelineError('KD_OPERATOR_INVALID', `${what} returned a promise, and a value is expected`)
}
