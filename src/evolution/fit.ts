import { type AnyBuilder, builderOf } from '../arrow/builder.ts'
import { isLoose } from '../contract/json-schema/delta-type.ts'
import { Exact } from '../core/exact.ts'
import { jsonText } from '../core/json-text.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import type { Coerce } from './ingest-values.ts'
import { originOf } from './known.ts'

/** A field of a message that no column takes. */
export interface UnknownField {
  /** Dotted; `element` and `value` for what stands in arrays and maps. */
  readonly path: string
  readonly value: unknown
}

/** One message beside its columns. */
export interface Fitted {
  /** The message, the same object where nothing had to be changed; what no column takes is in it still. */
  readonly row: object
  /** JSON text of what no column took, or could take; only where values are rescued. */
  readonly rescued: string | undefined
  /** Whether the row lacks values because they did not fit. */
  readonly misfit: boolean
  readonly unknown: readonly UnknownField[]
}

/** How messages are fitted. */
export interface FitRules {
  /** Whether what fits no column is kept beside the row; otherwise it stays where it is, for the builders to refuse. */
  readonly rescues: boolean
  /** Which string columns take other values as JSON text: none, those whose values no contract types, or all. */
  readonly lenient: 'none' | 'beyond' | 'all'
  /** Reads values for columns of primitive types more freely than builders do; as they are by default. */
  readonly coerce?: Coerce | undefined
}

/**
 * Holds a message to its columns: a key that differs from a column's name by case alone is that column where the message
 * has no other of the name.
 * Throws a RangeError for what nests beyond the stack.
 */
export function fit(row: object, schema: StructType, rules: FitRules): Fitted {
  const pass = new Pass(rules)
  const { value, rest } = pass.struct(schema, row, '', rules.lenient === 'all')
  return {
    row: value as object,
    rescued: rest === NOTHING ? undefined : jsonText(rest),
    misfit: pass.misfit,
    unknown: pass.unknown,
  }
}

/** Told apart from every JSON value. */
const NOTHING = Symbol('nothing')

interface Part {
  /** What goes into the column; `NOTHING` where it does not fit as a whole. */
  readonly value: unknown
  /** What is rescued of it, in the same nesting. */
  readonly rest: unknown
}

class Pass {
  readonly unknown: UnknownField[] = []
  misfit = false
  readonly #rescues: boolean
  readonly #lenientBeyond: boolean
  readonly #coerce: Coerce | undefined

  constructor({ rescues, lenient, coerce }: FitRules) {
    this.#rescues = rescues
    this.#lenientBeyond = lenient === 'beyond'
    this.#coerce = coerce
  }

  struct(type: StructType, value: object, path: string, lenient: boolean): Part {
    const { exact, folded } = namesOf(type)
    const row = new Copied(value as Row)
    const rest: [string, unknown][] = []
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
      let field = exact.get(key)
      if (field === undefined) {
        const similar = folded.get(key.toLowerCase())
        if (similar !== undefined && !Object.hasOwn(row.now, similar.name)) {
          field = similar
          row.put(field.name, inner)
        }
      }
      if (field === undefined) {
        this.unknown.push({ path: path + key, value: inner })
        if (inner !== null) rest.push([key, inner])
        continue
      }
      if (inner === null) continue
      const part = this.#value(
        field.type,
        inner,
        path + key,
        lenient || (this.#lenientBeyond && (originOf(field) !== undefined || isLoose(field))),
      )
      if (part.value === NOTHING) row.drop(field.name)
      else if (part.value !== inner) row.put(field.name, part.value)
      if (part.rest !== NOTHING) rest.push([key, part.rest])
    }
    return { value: row.now, rest: this.#rescues && rest.length > 0 ? Object.fromEntries(rest) : NOTHING }
  }

  #value(type: DataType, value: unknown, path: string, lenient: boolean): Part {
    if (typeof type === 'string') {
      if (type === 'string' && lenient && typeof value !== 'string')
        return { value: jsonText(value), rest: NOTHING }
      if (this.#coerce !== undefined) value = this.#coerce(type, value)
      return !this.#rescues || fits(type, value) ? { value, rest: NOTHING } : this.#misfit(value)
    }
    switch (type.type) {
      case 'struct':
        if (!isObject(value)) return this.#misfit(value)
        return this.struct(type, value, `${path}.`, lenient)
      case 'array':
        if (!Array.isArray(value)) return this.#misfit(value)
        return this.#list(value, (inner) => this.#value(type.elementType, inner, `${path}.element`, lenient))
      case 'map':
        if (!isObject(value)) return this.#misfit(value)
        return this.#map(value, (inner) => this.#value(type.valueType, inner, `${path}.value`, lenient))
    }
  }

  /** An array of which one element does not fit is rescued as a whole, so that the others keep their places. */
  #list(values: readonly unknown[], partOf: (value: unknown) => Part): Part {
    const parts = values.map((value) => (value === null ? KEPT_NULL : partOf(value)))
    if (parts.some(({ value }) => value === NOTHING)) return this.#misfit(values)
    const same = parts.every((part, at) => part.value === values[at])
    return {
      value: same ? values : parts.map((part) => part.value),
      rest: parts.some(({ rest }) => rest !== NOTHING)
        ? parts.map(({ rest }) => (rest === NOTHING ? null : rest))
        : NOTHING,
    }
  }

  #map(value: object, partOf: (value: unknown) => Part): Part {
    const entries = Object.entries(value) as [string, unknown][]
    const parts = entries.map(([, inner]) => (inner === null ? KEPT_NULL : partOf(inner)))
    if (parts.some((part) => part.value === NOTHING)) return this.#misfit(value)
    const same = parts.every((part, at) => part.value === entries[at]?.[1])
    const rest = entries.flatMap(([key], at): [string, unknown][] => {
      const part = parts[at]
      return part === undefined || part.rest === NOTHING ? [] : [[key, part.rest]]
    })
    return {
      value: same ? value : Object.fromEntries(entries.map(([key], at) => [key, parts[at]?.value])),
      rest: rest.length > 0 ? Object.fromEntries(rest) : NOTHING,
    }
  }

  #misfit(value: unknown): Part {
    if (!this.#rescues) return { value, rest: NOTHING }
    this.misfit = true
    return { value: NOTHING, rest: value }
  }
}

const KEPT_NULL: Part = { value: null, rest: NOTHING }

type Row = Record<string, unknown>

/** An object that is copied before its first change. */
class Copied {
  now: Row
  readonly #original: Row

  constructor(original: Row) {
    this.#original = original
    this.now = original
  }

  put(name: string, value: unknown): void {
    // A name such as `__proto__` must become a property of its own.
    Object.defineProperty(this.#own(), name, { value, writable: true, enumerable: true, configurable: true })
  }

  drop(name: string): void {
    Reflect.deleteProperty(this.#own(), name)
  }

  #own(): Row {
    if (this.now === this.#original) this.now = { ...this.#original }
    return this.now
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Exact)
}

interface Names {
  readonly exact: ReadonlyMap<string, StructField>
  readonly folded: ReadonlyMap<string, StructField>
}

const NAMES = new WeakMap<StructType, Names>()

/** The fields of a struct by their names, and by their names in lower case. */
export function namesOf(type: StructType): Names {
  let names = NAMES.get(type)
  if (names === undefined) {
    names = {
      exact: new Map(type.fields.map((field) => [field.name, field])),
      folded: new Map(type.fields.map((field) => [field.name.toLowerCase(), field])),
    }
    NAMES.set(type, names)
  }
  return names
}

/** Builders that values are tried on; as many as there are primitive types in use. */
const SCRATCH = new Map<DataType, AnyBuilder>()

function fits(type: DataType, value: unknown): boolean {
  const builder = SCRATCH.get(type) ?? builderOf(type)
  SCRATCH.set(type, builder)
  const fault = builder.append(value)
  builder.truncate(0)
  return fault === undefined
}
