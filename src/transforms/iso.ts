import { formatDateTime } from '../arrow/time.ts'

/** Returns microseconds since the epoch as ISO 8601 text in UTC, with 0, 3 or 6 fraction digits, as few as needed. */
export function toIsoText(micros: bigint): string {
  const text = formatDateTime(micros, true)
  if (text.endsWith('.000000Z')) return `${text.slice(0, -8)}Z`
  return text.endsWith('000Z') ? `${text.slice(0, -4)}Z` : text
}
