/** Reads fields of one JSON object of the log, exactly, and says what is wrong where a field is not what the specification demands. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>
  readonly #name: string

  /** `name` is the action's name, for messages. */
  constructor(value: unknown, name: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new TypeError(`${name} is not an object`)
    }
    this.#object = value as Record<string, unknown>
    this.#name = name
  }

  /** A field that may be absent or null. */
  optional<T>(key: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : undefined
    if (value === undefined || value === null) return undefined
    const result = read(value)
    if (result === undefined) throw new TypeError(`${this.#name}.${key} is not what it must be`)
    return result
  }

  /** A field that must be there. */
  required<T>(key: string, read: (value: unknown) => T | undefined): T {
    const result = this.optional(key, read)
    if (result === undefined) throw new TypeError(`${this.#name}.${key} is missing`)
    return result
  }
}

/** A string, or `undefined`. */
export const asString = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

/** A boolean, or `undefined`. */
export const asBoolean = (value: unknown): boolean | undefined =>
  typeof value === 'boolean' ? value : undefined

/** A whole number within 2^53, or `undefined`. */
export function asSafeInteger(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : undefined
}

/** A whole number of 64 bits, or `undefined`. */
export function asLong(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : undefined
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined
}

/** An array of strings, or `undefined`. */
export function asStrings(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

/** A map of strings to strings, or `undefined`; a null value is left out. */
export function asTextMap(value: unknown): Record<string, string> | undefined {
  const map = asNullableTextMap(value)
  if (map === undefined) return undefined
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => entry[1] !== null),
  )
}

/** A map of strings to strings or null, or `undefined`. */
export function asNullableTextMap(value: unknown): Record<string, string | null> | undefined {
  const entries = asEntries(value)
  if (entries === undefined) return undefined
  for (const [, item] of entries) if (item !== null && typeof item !== 'string') return undefined
  return Object.fromEntries(entries as [string, string | null][])
}

/** An object as it is, or `undefined`. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const entries = asEntries(value)
  return entries === undefined ? undefined : Object.fromEntries(entries)
}

function asEntries(value: unknown): [string, unknown][] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.entries(value)
}
