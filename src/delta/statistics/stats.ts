import { parseJson } from '../protocol/action-json.ts'

/**
 * Parses the statistics of a file; returns `undefined` if they are absent or malformed. Spec: "Per-file Statistics".
 */
export function parseStats(stats: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (stats === undefined) return undefined
  try {
    const value = parseJson(stats)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // Statistics are optional: malformed ones are ignored.
    return undefined
  }
}

/** Returns `numRecords` of a file, or `undefined` if its statistics lack it. */
export function recordCountOf(stats: string | undefined): number | undefined {
  const records = parseStats(stats)?.['numRecords']
  return typeof records === 'number' ? records : undefined
}

/** Tells whether a value is a JSON object. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
