/** Configures exponential backoff. */
export interface BackoffOptions {
  /** Pause after the first failure, in milliseconds. */
  readonly minBackoffMs: number
  /** Maximum pause before jitter, in milliseconds. */
  readonly maxBackoffMs: number
  /** Random number in [0, 1), for jitter. */
  readonly random: () => number
}

/** Fraction by which a pause varies in both directions, so that many clients do not reconnect at once. */
const JITTER = 0.2

/**
 * Returns the pause in milliseconds after `failures` consecutive failures: it doubles with each failure up to the
 * maximum, with a jitter of 20 %.
 */
export function backoffMs(failures: number, { minBackoffMs, maxBackoffMs, random }: BackoffOptions): number {
  if (failures <= 0) return 0
  const pause = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(failures - 1, 30))
  return pause * (1 - JITTER + 2 * JITTER * random())
}
