import { randomUUID } from 'node:crypto'
import { Exact } from './exact.ts'

/** Wraps a number that a double does not hold while it passes through `JSON.stringify`; random, so that no text can hold it. */
const MARK = `exact-${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g')

/**
 * JSON text of a value, numbers to the letter where it holds them exactly (`bigint`, `Exact`). With `nulls: false` members
 * of objects that are null are left out. Throws a RangeError for nesting beyond the stack.
 */
export function jsonText(value: unknown, options: { readonly nulls?: boolean } = {}): string {
  const text = JSON.stringify(value, function (this: unknown, _, inner: unknown): unknown {
    if (inner === null && options.nulls === false && !Array.isArray(this)) return undefined
    if (inner instanceof Map) return Object.fromEntries(inner as ReadonlyMap<string, unknown>)
    if (typeof inner === 'bigint') return MARK + String(inner)
    return inner instanceof Exact ? MARK + inner.text : inner
  })
  return text.includes(MARK) ? text.replaceAll(MARKED, '$1') : text
}
