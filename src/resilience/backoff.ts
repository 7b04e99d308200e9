/** Configures exponential backoff. */
export interface BackoffOptions {
  /** Pause after the first failure before jitter, in milliseconds. */
  readonly minBackoffMs: number
  /** Maximum pause before jitter, in milliseconds. */
  readonly maxBackoffMs: number
  /**
   * Spreads pauses, so that many clients do not send at once: `full` takes a random share of the pause, `slight`, the
   * default, varies it by 20 % in both directions, and `none` keeps it.
   */
  readonly jitter?: 'full' | 'slight' | 'none'
  /** Random number in [0, 1), for jitter. Default: `Math.random`. */
  readonly random?: () => number
}

/** Fraction by which slight jitter varies a pause in both directions. */
const SLIGHT = 0.2

/**
 * Returns the pause in milliseconds after `failures` consecutive failures: it doubles with each failure up to the
 * maximum, and is then varied by the jitter.
 */
export function backoffMs(
  failures: number,
  { minBackoffMs, maxBackoffMs, jitter = 'slight', random = Math.random }: BackoffOptions,
): number {
  if (failures <= 0) return 0
  const pause = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(failures - 1, 30))
  if (jitter === 'none') return pause
  return pause * (jitter === 'full' ? random() : 1 - SLIGHT + 2 * SLIGHT * random())
}
