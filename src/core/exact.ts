/**
 * A JSON number that a double cannot hold, kept as its own text: `0.1000000000000000000001`, `1e400`. Integers beyond
 * 2^53 travel as `bigint` instead. Both are rare, and so are the rows that need `plainNumbers`.
 */
export class Exact {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * The same value with every `bigint` and `Exact` in it replaced by the nearest double, so that code which knows only
 * plain JSON can check it. A value without any is returned as it is, uncopied. Walks without recursion, so that
 * nesting of any depth is safe. What lies beyond a double becomes an infinity.
 */
export function plainNumbers(value: unknown): unknown {
  if (!holdsExact(value)) return value
  const root: { value?: unknown } = {}
  const todo: { into: object; key: string; value: unknown }[] = [{ into: root, key: 'value', value }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { into, key } = next
    const copy = isContainer(next.value) ? (Array.isArray(next.value) ? [] : {}) : plain(next.value)
    // A key such as `__proto__` must become an own property, not a prototype.
    Object.defineProperty(into, key, { value: copy, writable: true, enumerable: true, configurable: true })
    if (!isContainer(next.value)) continue
    const entries = Object.entries(next.value)
    for (let at = entries.length - 1; at >= 0; at--) {
      const entry = entries[at]
      if (entry !== undefined) todo.push({ into: copy as object, key: entry[0], value: entry[1] })
    }
  }
  return root.value
}

/** Whether a `bigint` or an `Exact` stands anywhere in the value. */
export function holdsExact(value: unknown): boolean {
  if (!isContainer(value)) return typeof value === 'bigint' || value instanceof Exact
  const todo: object[] = [value]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    for (const child of Object.values(next) as unknown[]) {
      if (typeof child === 'bigint' || child instanceof Exact) return true
      if (isContainer(child)) todo.push(child)
    }
  }
  return false
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Exact)
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Exact ? Number(value.text) : value
}
