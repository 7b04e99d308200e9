import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../../../src/core/clock.ts'

interface Sleeper {
  readonly dueMs: number
  readonly order: number
  readonly wake: () => void
}

/** A simulated clock that wakes sleepers in a deterministic order. */
export class SimClock implements Clock {
  #nowMs = 1_000_000
  #order = 0
  readonly #sleeping = new Set<Sleeper>()

  now(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#sleeping.delete(sleeper)
        reject(new Error('aborted'))
      }
      const sleeper: Sleeper = {
        dueMs: this.#nowMs + ms,
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      if (signal?.aborted === true) {
        abort()
        return
      }
      this.#sleeping.add(sleeper)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Number of pending sleepers. */
  get sleepers(): number {
    return this.#sleeping.size
  }

  /** Advances by `ms`, wakes each sleeper at its time, and lets pending promises run. */
  async advance(ms: number): Promise<void> {
    await setImmediate()
    const endMs = this.#nowMs + ms
    for (;;) {
      let next: Sleeper | undefined
      for (const one of this.#sleeping) {
        const isSooner =
          next === undefined || one.dueMs < next.dueMs || (one.dueMs === next.dueMs && one.order < next.order)
        if (one.dueMs <= endMs && isSooner) next = one
      }
      if (next === undefined) break
      this.#sleeping.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.wake()
      await setImmediate()
    }
    this.#nowMs = endMs
    await setImmediate()
  }

  /** Advances in small steps until `isDone`, at most by `msMax`. */
  async until(isDone: () => boolean, msMax: number, what: string): Promise<void> {
    await setImmediate()
    for (let ms = 0; ms < msMax && !isDone(); ms += 50) await this.advance(50)
    if (!isDone()) throw new Error(`${what} did not happen within ${msMax} ms`)
  }
}
