import type { Clock } from '../../core/clock.ts'

/** Describes a value that is looked up while somebody wants it. */
interface LookOptions<T> {
  /** Looks the value up, given the one before. */
  readonly look: (before: T | undefined) => Promise<T>
  /** Minimum time between two looks, in milliseconds. */
  readonly everyMs: number
  /** Receives the error of a look that failed; the value is then unknown. */
  readonly onFailure: (error: unknown) => void
  readonly clock: Clock
}

/**
 * Holds a value that other servers know. It is looked up only when it is asked for, at most once within an interval and one
 * look at a time, and never waited for.
 */
export class Looked<T> {
  readonly #options: LookOptions<T>
  #value: T | undefined
  #lookedAtMs = -Infinity
  #looking: Promise<void> | undefined

  constructor(options: LookOptions<T>) {
    this.#options = options
  }

  /** Returns the value of the last look; undefined before the first one has ended, and after one that failed. */
  value(): T | undefined {
    const nowMs = this.#options.clock.now()
    if (this.#looking === undefined && nowMs - this.#lookedAtMs >= this.#options.everyMs) {
      this.#lookedAtMs = nowMs
      this.#looking = this.#look().finally(() => (this.#looking = undefined))
    }
    return this.#value
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.#looking
  }

  async #look(): Promise<void> {
    try {
      this.#value = await this.#options.look(this.#value)
    } catch (error) {
      this.#value = undefined
      this.#options.onFailure(error)
    }
  }
}
