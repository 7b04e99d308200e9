import type { DataType } from '../core/schema.ts'

/**
 * A JSON-like partition value as the log holds it: `null` for null and for empty text, dates as ISO, timestamps as ISO 8601
 * in UTC with microseconds (`timestamp_ntz` with a space and no zone), numbers and booleans as their text.
 * Spec: "Partition Value Serialization".
 */
export function partitionText(value: unknown, type: DataType): string | null {
  if (value === null || value === undefined || value === '') return null
  switch (typeof value) {
    case 'string':
      return type === 'timestamp_ntz' ? value.replace('T', ' ') : value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      throw new Error(`Broken invariant: a ${typeof value} cannot be a partition value`)
  }
}
