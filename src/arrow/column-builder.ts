import { ExactNumber } from '../core/exact.ts'
import type { DataType } from '../core/schema.ts'
import type { Column } from './column.ts'

/**
 * A `ColumnBuilder` collects the values of one column. It is reused for the next batch: `finish` copies out exactly the
 * appended values and clears the builder, so that its buffers are allocated once.
 */
export interface ColumnBuilder {
  readonly type: DataType
  readonly length: number
  /**
   * Appends a JSON-like value; returns the fault if it does not fit. After a fault the length is undefined: call
   * `truncate`.
   */
  append(value: unknown): string | undefined
  appendNull(): void
  /** Drops all values from index `length` on. */
  truncate(length: number): void
  /** Returns the column as an exact copy and clears the builder. */
  finish(): Column
}

/** Returns a value as text for an error message, shortened to 100 characters. */
export function describeValue(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof ExactNumber) return value.text
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'an invalid Date'
  const replacer = (_: string, inner: unknown): unknown => (typeof inner === 'bigint' ? String(inner) : inner)
  let text: string
  try {
    // JSON.stringify returns undefined for undefined, functions and symbols, unlike its declaration.
    const json = JSON.stringify(value, replacer) as string | undefined
    text = json ?? typeof value
  } catch {
    // Circular or too deeply nested values, or a `toJSON` that throws, must not break an error message.
    text = `a value of type ${typeof value}`
  }
  // The cut may separate the halves of a surrogate pair.
  return text.length > 100 ? `${text.slice(0, 100).replace(/[\ud800-\udbff]$/, '')}…` : text
}
