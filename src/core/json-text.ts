import { randomUUID } from 'node:crypto'
import { ExactNumber } from './exact.ts'

/** Marks numbers beyond double precision while they pass through `JSON.stringify`; random, so that no text contains it. */
const MARK = `exact-${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g')

/**
 * Returns the JSON text of a value, with the exact digits of `bigint` and `ExactNumber`. With `nulls: false` null members
 * of objects are left out.
 * @throws RangeError if the value is nested deeper than the stack allows
 */
export function toJsonText(value: unknown, options: { readonly nulls?: boolean } = {}): string {
  const text = JSON.stringify(value, function (this: unknown, _, inner: unknown): unknown {
    if (inner === null && options.nulls === false && !Array.isArray(this)) return undefined
    if (inner instanceof Map) return Object.fromEntries(inner as ReadonlyMap<string, unknown>)
    if (typeof inner === 'bigint') return MARK + String(inner)
    return inner instanceof ExactNumber ? MARK + inner.text : inner
  })
  return text.includes(MARK) ? text.replaceAll(MARKED, '$1') : text
}
