/** Seconds and nanoseconds, as the SDK keeps time. */
export type HrTime = readonly [number, number]

/** Milliseconds since the epoch, to the microsecond. */
export function hrTimeToMilliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1e3 + Math.round(nanoseconds / 1e3) / 1e3
}
