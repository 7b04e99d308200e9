import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'

/** Topics that begin to open at once. */
export const OPENING_MAX = 8
/** Longest time for which a topic that opens holds back others: a server that does not answer must not stop the rest. */
export const OPENING_MS_MAX = 250

/**
 * Spreads the work of opening topics, so that a process with hundreds of them serves probes and heartbeats meanwhile. At
 * most eight topics begin at once; the next one begins when one of them is open, has failed, or has taken 250 ms, and
 * between two of them other work has its turn.
 */
export class OpeningSlots {
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Runs `open` when it is its turn, and resolves or rejects with its result.
   * @throws the reason of `signal` if it aborts before
   */
  async run<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#take()
    const done = new AbortController()
    const ended = this.#clock.sleep(OPENING_MS_MAX, done.signal).catch(() => undefined)
    void ended.then(() => this.#release())
    try {
      signal.throwIfAborted()
      return await open()
    } finally {
      done.abort()
    }
  }

  async #take(): Promise<void> {
    if (this.#taken < OPENING_MAX) {
      this.#taken++
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await setImmediate()
  }

  /** Hands the slot over to the topic that has waited longest. */
  #release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#taken--
    else next()
  }
}
