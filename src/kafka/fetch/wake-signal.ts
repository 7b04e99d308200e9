import type { Clock } from '../../core/clock.ts'

/** Wakes a single waiter; a call of `wake` while nothing waits is kept for the next `wait`. */
export class WakeSignal {
  readonly #clock: Clock
  #isPending = false
  #resolve: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wake(): void {
    this.#isPending = true
    this.#resolve?.()
  }

  /** Resolves on the next `wake`, or after `ms` if that is finite. */
  async wait(ms = Infinity): Promise<void> {
    if (!this.#isPending && ms > 0) {
      const sleep = new AbortController()
      await new Promise<void>((resolve) => {
        this.#resolve = resolve
        if (ms !== Infinity) this.#clock.sleep(ms, sleep.signal).then(resolve, resolve)
      })
      this.#resolve = undefined
      sleep.abort()
    }
    this.#isPending = false
  }
}
