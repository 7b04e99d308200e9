import type { Clock } from '../core/clock.ts'

/** When how many records may be sent. */
export interface Pace {
  /** Resolves to how many may be sent now, from 1 to `max`; to 0 once sending is over. */
  take(max: number): Promise<number>
}

/** Records fall due this often, so that a slow rate does not become a request for each record. */
const TICK_MS = 20
/** What was not sent while the other side was slow is made up for by no more than this. */
const DEBT_MS_MAX = 1_000

/**
 * Lets `perSecond` records a second go, evenly: of those that could not go in time, a second's worth is made up for. It is
 * over when `signal` aborts; the first record is due at once.
 */
export function steadyPace(perSecond: number, clock: Clock, signal: AbortSignal): Pace {
  let startMs: number | undefined
  let taken = 0
  const due = (): number => {
    startMs ??= clock.now()
    const all = 1 + Math.floor(((clock.now() - startMs) * perSecond) / 1_000)
    const forgiven = all - taken - Math.max(1, Math.ceil((perSecond * DEBT_MS_MAX) / 1_000))
    if (forgiven > 0) taken += forgiven
    return all - taken
  }
  let nextMs = -Infinity
  return {
    take: async (max) => {
      while (!signal.aborted) {
        const count = clock.now() >= nextMs ? Math.min(due(), max) : 0
        if (count > 0) {
          taken += count
          // More are due already where it came to the maximum.
          if (count < max) nextMs = clock.now() + TICK_MS
          return count
        }
        const waitMs = Math.max(1, nextMs - clock.now(), clock.now() >= nextMs ? 1_000 / perSecond / 4 : 0)
        // The wait rejects only when the signal aborts, which the loop sees.
        await clock.sleep(Math.min(waitMs, DEBT_MS_MAX), signal).catch(() => undefined)
      }
      return 0
    },
  }
}

/** Lets records go as fast as they are taken, until `signal` aborts. */
export function fullPace(signal: AbortSignal): Pace {
  return { take: (max) => Promise.resolve(signal.aborted ? 0 : max) }
}
