import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../../src/core/clock.ts'

/** A clock that stands still until it is moved. */
export class HeldClock implements Clock {
  /** Lengths of all sleeps so far. */
  readonly sleeps: number[] = []
  #nowMs = 0
  #sleeping: { readonly dueMs: number; readonly wake: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms)
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        reject(new Error('aborted'))
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      this.#sleeping.push({ dueMs: this.#nowMs + ms, wake })
      if (signal?.aborted === true) abort()
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** How many sleep now. */
  get sleepers(): number {
    return this.#sleeping.length
  }

  /** Moves on, wakes who is due in the order of their times, and lets everything run that can. */
  async advance(ms: number): Promise<void> {
    await settled()
    const endMs = this.#nowMs + ms
    for (;;) {
      const next = this.#sleeping.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined) break
      this.#sleeping = this.#sleeping.filter((one) => one !== next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.wake()
      await settled()
    }
    this.#nowMs = endMs
    await settled()
  }
}

/** Resolves when every promise that can go on has gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate()
}
