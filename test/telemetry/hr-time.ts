/** Holds a time of the SDK: seconds and nanoseconds. */
export type HrTime = readonly [number, number]

/** Returns milliseconds since the epoch, rounded to microseconds. */
export function hrTimeToMilliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1e3 + Math.round(nanoseconds / 1e3) / 1e3
}
