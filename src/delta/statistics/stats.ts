import { parseJson } from '../protocol/action-json.ts'

/** The statistics of a file as an object, `undefined` where it has none that can be read. Spec: "Per-file Statistics". */
export function parseStats(stats: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (stats === undefined) return undefined
  try {
    const value = parseJson(stats)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // Statistics are optional, and so nothing depends on ones that are no JSON.
    return undefined
  }
}

/** `numRecords` of a file; `undefined` where its statistics do not say. */
export function recordsOf(stats: string | undefined): number | undefined {
  const records = parseStats(stats)?.['numRecords']
  return typeof records === 'number' ? records : undefined
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
