import type { Clock } from '../core/clock.ts'

/** Decides how many records may be sent, and when. */
export interface RateLimiter {
  /** Resolves to the number of records that may be sent now, from 1 to `max`, or to 0 once sending is over. */
  acquire(max: number): Promise<number>
}

/** Interval in which records become due, so that a low rate does not cause one request per record. */
const TICK_MS = 20
/** Longest backlog that is made up for after the receiver was slow, in milliseconds. */
const CATCH_UP_MS_MAX = 1_000

/**
 * Returns a limiter for `perSecond` records a second, evenly spread. After a delay, at most one second's worth is
 * made up for. The first record is due at once. Sending is over when `signal` aborts.
 */
export function createRateLimiter(perSecond: number, clock: Clock, signal: AbortSignal): RateLimiter {
  let startMs: number | undefined
  let taken = 0
  const due = (): number => {
    startMs ??= clock.now()
    const all = 1 + Math.floor(((clock.now() - startMs) * perSecond) / 1_000)
    const forgiven = all - taken - Math.max(1, Math.ceil((perSecond * CATCH_UP_MS_MAX) / 1_000))
    if (forgiven > 0) taken += forgiven
    return all - taken
  }
  let nextMs = -Infinity
  return {
    acquire: async (max) => {
      while (!signal.aborted) {
        const count = clock.now() >= nextMs ? Math.min(due(), max) : 0
        if (count > 0) {
          taken += count
          // At the maximum, more records are due already.
          if (count < max) nextMs = clock.now() + TICK_MS
          return count
        }
        const waitMs = Math.max(1, nextMs - clock.now(), clock.now() >= nextMs ? 1_000 / perSecond / 4 : 0)
        // The wait rejects only when the signal aborts, which the loop checks.
        await clock.sleep(Math.min(waitMs, CATCH_UP_MS_MAX), signal).catch(() => undefined)
      }
      return 0
    },
  }
}

/** Returns a limiter that never waits, until `signal` aborts. */
export function createUnlimitedRate(signal: AbortSignal): RateLimiter {
  return { acquire: (max) => Promise.resolve(signal.aborted ? 0 : max) }
}
