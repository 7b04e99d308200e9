/** Reads the fields of one JSON object of the log with type checks. Error messages name the object and the field. */
export class JsonFields {
  readonly #object: Readonly<Record<string, unknown>>
  readonly #name: string

  /**
   * Wraps a parsed JSON value. `name` is the action's name, for messages.
   * @throws TypeError if the value is not an object
   */
  constructor(value: unknown, name: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new TypeError(`${name} is not an object`)
    }
    this.#object = value as Record<string, unknown>
    this.#name = name
  }

  /**
   * Returns a field that may be absent or null.
   * @throws TypeError if `read` does not accept the value
   */
  optional<T>(key: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : undefined
    if (value === undefined || value === null) return undefined
    const result = read(value)
    if (result === undefined) throw new TypeError(`${this.#name}.${key} has an invalid value`)
    return result
  }

  /**
   * Returns a required field.
   * @throws TypeError if it is missing or `read` does not accept the value
   */
  required<T>(key: string, read: (value: unknown) => T | undefined): T {
    const result = this.optional(key, read)
    if (result === undefined) throw new TypeError(`${this.#name}.${key} is missing`)
    return result
  }
}

/** Returns the value if it is a string. */
export const asString = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

/** Returns the value if it is a boolean. */
export const asBoolean = (value: unknown): boolean | undefined =>
  typeof value === 'boolean' ? value : undefined

/** Returns the value if it is a whole number within 2^53. */
export function asSafeInteger(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : undefined
}

/** Returns the value if it is a whole number of 64 bits. */
export function asLong(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : undefined
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined
}

/** Returns the value if it is an array of strings. */
export function asStrings(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

/** Returns the value if it maps strings to strings; null values are left out. */
export function asTextMap(value: unknown): Record<string, string> | undefined {
  const map = asNullableTextMap(value)
  if (map === undefined) return undefined
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => entry[1] !== null),
  )
}

/** Returns the value if it maps strings to strings or null. */
export function asNullableTextMap(value: unknown): Record<string, string | null> | undefined {
  const entries = asEntries(value)
  if (entries === undefined) return undefined
  for (const [, item] of entries) if (item !== null && typeof item !== 'string') return undefined
  return Object.fromEntries(entries as [string, string | null][])
}

/** Returns the value if it is a JSON object. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const entries = asEntries(value)
  return entries === undefined ? undefined : Object.fromEntries(entries)
}

function asEntries(value: unknown): [string, unknown][] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.entries(value)
}
