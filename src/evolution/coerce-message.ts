import { type AnyBuilder, builderOf } from '../arrow/builder.ts'
import { describeValue } from '../arrow/column-builder.ts'
import { acceptsAnyJson } from '../contract/json-schema/delta-type.ts'
import { isMessageObject } from '../core/exact.ts'
import { toJsonText } from '../core/json-text.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import { CoercionFault, type CoerceValue } from './ingest-values.ts'
import { columnOriginOf } from './table-columns.ts'

/** Describes a field of a message that has no column. */
export interface UnknownField {
  /** Dotted path; `element` and `value` stand for the contents of arrays and maps. */
  readonly path: string
  readonly value: unknown
}

/** Holds a message whose values were coerced to the types of its columns. */
export interface CoercedMessage {
  /** The message, the same object when nothing had to change. Fields without a column stay in it. */
  readonly row: object
  /** JSON text of the values without a fitting column; only when `rescues` is set. */
  readonly rescued: string | undefined
  readonly unknownFields: readonly UnknownField[]
  /** Why a value cannot be converted to its column: the first such fault, with the pointer to the value. */
  readonly fault: string | undefined
}

/** Describes how messages are coerced. */
interface CoercionRules {
  /**
   * True when values without a fitting column are removed and returned in `rescued`; otherwise they stay for the
   * builders to refuse.
   */
  readonly rescues: boolean
  /** String columns that accept other values as JSON text: none, those whose values no contract types, or all. */
  readonly jsonTextColumns: 'none' | 'untyped' | 'all'
  /** Converts values for columns of primitive types before they are checked; by default values stay unchanged. */
  readonly coerceValue?: CoerceValue | undefined
  /** False when keys keep their spelling, as a contract sees them; true by default. */
  readonly renames?: boolean
}

/**
 * Coerces a message to the types of its columns. A key that matches a column only in another case fills that column,
 * unless the message also has a key with the exact name.
 * @throws RangeError when the message is nested too deeply for the stack
 */
export function coerceMessage(row: object, schema: StructType, rules: CoercionRules): CoercedMessage {
  const coercion = new MessageCoercion(rules)
  const { value, rescued } = coercion.struct(schema, row, '', rules.jsonTextColumns === 'all')
  return {
    row: value as object,
    rescued: rescued === NO_VALUE ? undefined : toJsonText(rescued),
    unknownFields: coercion.unknownFields,
    fault: coercion.fault,
  }
}

/** Returns the message without the values that are rescued, with its keys as they are spelled. */
export function withoutRescued(
  message: object,
  schema: StructType,
  jsonTextColumns: CoercionRules['jsonTextColumns'] = 'none',
): object {
  return coerceMessage(message, schema, { rescues: true, jsonTextColumns, renames: false }).row
}

/** Differs from every JSON value. */
const NO_VALUE = Symbol('nothing')

interface CoercedValue {
  /** Value for the column; `NO_VALUE` when it does not fit at all. */
  readonly value: unknown
  /** Rescued part of the value, in the same nesting. */
  readonly rescued: unknown
}

class MessageCoercion {
  readonly unknownFields: UnknownField[] = []
  readonly #rescues: boolean
  readonly #untypedAsText: boolean
  readonly #coerceValue: CoerceValue | undefined
  readonly #renames: boolean
  fault: string | undefined

  constructor({ rescues, jsonTextColumns, coerceValue, renames = true }: CoercionRules) {
    this.#rescues = rescues
    this.#renames = renames
    this.#untypedAsText = jsonTextColumns === 'untyped'
    this.#coerceValue = coerceValue
  }

  struct(type: StructType, value: object, path: string, asJsonText: boolean): CoercedValue {
    const { byName, byLowerCaseName } = fieldNamesOf(type)
    const row = new CopyOnWrite(value as Row)
    const rescued: [string, unknown][] = []
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
      let field = byName.get(key)
      if (field === undefined) {
        const similar = byLowerCaseName.get(key.toLowerCase())
        if (similar !== undefined && !Object.hasOwn(row.current, similar.name)) {
          field = similar
          if (this.#renames) row.put(field.name, inner)
        }
      }
      if (field === undefined) {
        this.unknownFields.push({ path: path + key, value: inner })
        if (inner !== null) rescued.push([key, inner])
        continue
      }
      if (inner === null) continue
      const part = this.#value(
        field.type,
        inner,
        path + key,
        asJsonText || (this.#untypedAsText && isUntyped(field)),
      )
      const name = this.#renames ? field.name : key
      if (part.value === NO_VALUE) row.drop(name)
      else if (part.value !== inner) row.put(name, part.value)
      if (part.rescued !== NO_VALUE) rescued.push([key, part.rescued])
    }
    return {
      value: row.current,
      rescued: this.#rescues && rescued.length > 0 ? Object.fromEntries(rescued) : NO_VALUE,
    }
  }

  #value(type: DataType, value: unknown, path: string, asJsonText: boolean): CoercedValue {
    if (typeof type === 'string') {
      if (type === 'string' && asJsonText && typeof value !== 'string')
        return { value: toJsonText(value), rescued: NO_VALUE }
      if (this.#coerceValue !== undefined) {
        const coerced = this.#coerceValue(type, value)
        if (coerced instanceof CoercionFault) return this.#uncoercible(value, path, coerced)
        value = coerced
      }
      return !this.#rescues || fits(type, value) ? { value, rescued: NO_VALUE } : this.#refuse(value)
    }
    switch (type.type) {
      case 'struct':
        if (!isMessageObject(value)) return this.#refuse(value)
        return this.struct(type, value, `${path}.`, asJsonText)
      case 'array':
        if (!Array.isArray(value)) return this.#refuse(value)
        return this.#list(value, (inner) =>
          this.#value(type.elementType, inner, `${path}.element`, asJsonText),
        )
      case 'map':
        if (!isMessageObject(value)) return this.#refuse(value)
        return this.#map(value, (inner) => this.#value(type.valueType, inner, `${path}.value`, asJsonText))
    }
  }

  /**
   * An array with an element that does not fit is rescued as a whole, so that the other elements keep their indexes.
   */
  #list(values: readonly unknown[], partOf: (value: unknown) => CoercedValue): CoercedValue {
    const parts = values.map((value) => (value === null ? NULL_VALUE : partOf(value)))
    if (parts.some(({ value }) => value === NO_VALUE)) return this.#refuse(values)
    const same = parts.every((part, at) => part.value === values[at])
    return {
      value: same ? values : parts.map((part) => part.value),
      rescued: parts.some(({ rescued }) => rescued !== NO_VALUE)
        ? parts.map(({ rescued }) => (rescued === NO_VALUE ? null : rescued))
        : NO_VALUE,
    }
  }

  #map(value: object, partOf: (value: unknown) => CoercedValue): CoercedValue {
    const entries = Object.entries(value) as [string, unknown][]
    const parts = entries.map(([, inner]) => (inner === null ? NULL_VALUE : partOf(inner)))
    if (parts.some((part) => part.value === NO_VALUE)) return this.#refuse(value)
    const same = parts.every((part, at) => part.value === entries[at]?.[1])
    const rescued = entries.flatMap(([key], at): [string, unknown][] => {
      const part = parts[at]
      return part === undefined || part.rescued === NO_VALUE ? [] : [[key, part.rescued]]
    })
    return {
      value: same ? value : Object.fromEntries(entries.map(([key], at) => [key, parts[at]?.value])),
      rescued: rescued.length > 0 ? Object.fromEntries(rescued) : NO_VALUE,
    }
  }

  #uncoercible(value: unknown, path: string, { expected }: CoercionFault): CoercedValue {
    if (!this.#rescues)
      this.fault ??= `/${path.replaceAll('.', '/')} expected ${expected}, got ${describeValue(value)}`
    return this.#refuse(value)
  }

  #refuse(value: unknown): CoercedValue {
    if (!this.#rescues) return { value, rescued: NO_VALUE }
    return { value: NO_VALUE, rescued: value }
  }
}

/** Returns true when neither a contract nor a writer's schema gives the values of a column a type. */
export function isUntyped(field: StructField): boolean {
  const origin = columnOriginOf(field)
  return (origin !== undefined && origin !== 'schema') || acceptsAnyJson(field)
}

const NULL_VALUE: CoercedValue = { value: null, rescued: NO_VALUE }

type Row = Record<string, unknown>

/** Copies an object before its first change. */
class CopyOnWrite {
  current: Row
  readonly #original: Row

  constructor(original: Row) {
    this.#original = original
    this.current = original
  }

  put(name: string, value: unknown): void {
    // A key such as `__proto__` must become an own property.
    Object.defineProperty(this.#own(), name, { value, writable: true, enumerable: true, configurable: true })
  }

  drop(name: string): void {
    Reflect.deleteProperty(this.#own(), name)
  }

  #own(): Row {
    if (this.current === this.#original) this.current = { ...this.#original }
    return this.current
  }
}

interface FieldNames {
  readonly byName: ReadonlyMap<string, StructField>
  readonly byLowerCaseName: ReadonlyMap<string, StructField>
}

const FIELD_NAMES = new WeakMap<StructType, FieldNames>()

/** Returns the fields of a struct by name and by lower-case name. */
export function fieldNamesOf(type: StructType): FieldNames {
  let names = FIELD_NAMES.get(type)
  if (names === undefined) {
    names = {
      byName: new Map(type.fields.map((field) => [field.name, field])),
      byLowerCaseName: new Map(type.fields.map((field) => [field.name.toLowerCase(), field])),
    }
    FIELD_NAMES.set(type, names)
  }
  return names
}

/** One builder per primitive type, to test whether a value fits. */
const TEST_BUILDERS = new Map<DataType, AnyBuilder>()

function fits(type: DataType, value: unknown): boolean {
  const builder = TEST_BUILDERS.get(type) ?? builderOf(type)
  TEST_BUILDERS.set(type, builder)
  const fault = builder.append(value)
  builder.truncate(0)
  return fault === undefined
}
