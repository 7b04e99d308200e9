/**
 * Holds a JSON number that a double cannot represent as its text: `0.1000000000000000000001`, `1e400`. Integers beyond
 * 2^53 are `bigint` instead. Both are rare, and so are the rows that need `toPlainNumbers`.
 */
export class ExactNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * Holds an integer that was written with a fraction or an exponent, such as `2.0` or `1e3`. A double holds it too; the
 * text tells that other values of the field may have a fraction.
 */
export class WholeFraction extends ExactNumber {}

/** Returns a `WholeFraction` as a double, and any other value as it is. */
export function narrowFraction(value: unknown): unknown {
  return value instanceof WholeFraction ? Number(value.text) : value
}

/** Returns an integer as a double when that is exact, and as a `bigint` otherwise. */
export function narrowInteger(value: bigint): number | bigint {
  const double = Number(value)
  return Number.isSafeInteger(double) ? double : value
}

/**
 * Returns a copy of `value` with every `bigint` and `ExactNumber` replaced by the nearest double, so that code that
 * knows only plain JSON can check it. A value that contains neither is returned itself. Numbers beyond the range of a
 * double become infinite. Nesting of any depth is safe.
 */
export function toPlainNumbers(value: unknown): unknown {
  if (!containsExactNumber(value)) return value
  const root: { value?: unknown } = {}
  const todo: { into: object; key: string; value: unknown }[] = [{ into: root, key: 'value', value }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { into, key } = next
    const copy = isObjectOrArray(next.value) ? (Array.isArray(next.value) ? [] : {}) : plain(next.value)
    // A key such as `__proto__` must become an own property, not a prototype.
    Object.defineProperty(into, key, { value: copy, writable: true, enumerable: true, configurable: true })
    if (!isObjectOrArray(next.value)) continue
    const entries = Object.entries(next.value)
    for (let at = entries.length - 1; at >= 0; at--) {
      const entry = entries[at]
      if (entry !== undefined) todo.push({ into: copy as object, key: entry[0], value: entry[1] })
    }
  }
  return root.value
}

/** Returns whether a value is or contains a `bigint` or an `ExactNumber`. */
export function containsExactNumber(value: unknown): boolean {
  if (!isObjectOrArray(value)) return typeof value === 'bigint' || value instanceof ExactNumber
  const todo: object[] = [value]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    for (const child of Object.values(next) as unknown[]) {
      if (typeof child === 'bigint' || child instanceof ExactNumber) return true
      if (isObjectOrArray(child)) todo.push(child)
    }
  }
  return false
}

/** Returns true when a value of a message is an object or an array, and not an exact number. */
export function isObjectOrArray(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof ExactNumber)
}

/** Returns true when a value of a message is an object with fields: neither an array nor an exact number. */
export function isMessageObject(value: unknown): value is object {
  return isObjectOrArray(value) && !Array.isArray(value)
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return value instanceof ExactNumber ? Number(value.text) : value
}
