import { type Clock, systemClock } from '../core/clock.ts'

const EVERY_MS = 60_000

/**
 * Limits log lines that repeat: the first one of each key is logged, and then at most one a minute, with the number of
 * occurrences since the last line. Keys must be few, such as kinds of lines.
 */
export class RepeatLimiter {
  readonly #clock: Clock
  readonly #keys = new Map<string, { nextAtMs: number; occurrences: number }>()

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** Notes an occurrence; returns the number of them since the last line, or `undefined` if no line is due. */
  occurrencesIfDue(key: string): number | undefined {
    const nowMs = this.#clock.now()
    const known = this.#keys.get(key) ?? { nextAtMs: nowMs, occurrences: 0 }
    this.#keys.set(key, known)
    known.occurrences++
    if (nowMs < known.nextAtMs) return undefined
    const { occurrences } = known
    known.nextAtMs = nowMs + EVERY_MS
    known.occurrences = 0
    return occurrences
  }
}
