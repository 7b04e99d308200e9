import type { DataType } from '../core/schema.ts'
import type { Column } from './column.ts'

/**
 * Collects the values of one column. A builder is used again for the next batch: `finish` copies out exactly what was
 * appended and clears it, so that its buffers are allocated once.
 */
export interface Builder {
  readonly type: DataType
  readonly length: number
  /** Appends a JSON-like value; says what was wrong with it, `undefined` when it fits. After a fault the length may be anything: `truncate`. */
  append(value: unknown): string | undefined
  appendNull(): void
  /** Drops everything from `length` on. */
  truncate(length: number): void
  /** The column so far, as an exact copy; the builder is empty afterwards. */
  finish(): Column
}

/** A value for an error message, shortened to 100 characters. */
export function shown(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  const replacer = (_: string, inner: unknown): unknown => (typeof inner === 'bigint' ? String(inner) : inner)
  let text: string
  try {
    // What JSON has no text for (undefined, functions, symbols) comes back undefined, whatever the declaration says.
    const json = JSON.stringify(value, replacer) as string | undefined
    text = json ?? typeof value
  } catch {
    // A circle, nesting beyond the stack, or a `toJSON` that throws: what a message shows is no reason to fail.
    text = `a value of type ${typeof value}`
  }
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
