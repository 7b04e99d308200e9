import type { Clock } from '../../../core/clock.ts'

/**
 * Tries candidates in order until one succeeds. The next attempt starts when one has failed or has been pending for
 * `staggerMs`, so that an unresponsive candidate does not delay the others. Passes results that arrive after the first
 * success to `drop`. Rejects with an `AggregateError` of all errors, in the order of the candidates, if all fail.
 */
export function raceStaggered<C, T>(
  candidates: readonly C[],
  attempt: (candidate: C) => Promise<T>,
  options: { readonly staggerMs: number; readonly clock: Clock; readonly drop: (late: T) => void },
): Promise<T> {
  const { staggerMs, clock, drop } = options
  return new Promise((resolve, reject) => {
    const errors: unknown[] = []
    const timers = new AbortController()
    let begun = 0
    let failed = 0
    let isSettled = false
    const begin = (): void => {
      if (isSettled || begun === candidates.length) return
      const index = begun++
      let isOver = false
      attempt(candidates[index] as C).then(
        (result) => {
          if (isSettled) {
            drop(result)
            return
          }
          isSettled = true
          timers.abort()
          resolve(result)
        },
        (error: unknown) => {
          errors[index] = error
          isOver = true
          failed++
          if (failed < candidates.length) begin()
          else if (!isSettled) {
            isSettled = true
            timers.abort()
            reject(new AggregateError(errors))
          }
        },
      )
      clock.sleep(staggerMs, timers.signal).then(
        () => {
          if (!isOver) begin()
        },
        () => undefined,
      )
    }
    if (candidates.length === 0) reject(new AggregateError([]))
    else begin()
  })
}
