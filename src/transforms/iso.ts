import { formatDateTime } from '../arrow/time.ts'

/** Microseconds since the epoch as ISO 8601 text in UTC, with no more threes of fraction digits than are needed. */
export function isoOf(micros: bigint): string {
  const text = formatDateTime(micros, true)
  if (text.endsWith('.000000Z')) return `${text.slice(0, -8)}Z`
  return text.endsWith('000Z') ? `${text.slice(0, -4)}Z` : text
}
