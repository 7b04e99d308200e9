import { ExactNumber, narrowInteger } from '../../core/exact.ts'
import { decimalOf, type ArrayType, type DataType, type MapType, type StructType } from '../../core/schema.ts'
import { StructBuilder } from '../builder.ts'
import { decimalText, unscaledOf } from '../decimal.ts'
import type { Row } from '../rows.ts'
import { parseDateTime, splitInstant } from '../time.ts'
import { objectConverterOf } from './object-code.ts'
import { formatDayMicros, isFormattedDate, isFormattedDateTime } from './time-text.ts'
import { rowAt } from '../values.ts'

/** Stands for a value whose outcome only the builder of the column knows. */
const UNKNOWN = Symbol('unknown')

/** Returns a value, neither null nor absent, as it is read from its column, or `UNKNOWN`. */
type Conversion = (value: unknown) => unknown

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

/**
 * Converts objects to the rows that are read back after they were appended to the columns of a schema, without building
 * the columns. Frequent forms of values are converted directly; for all others the row is built and read, so that the
 * outcome, and the message for a value that does not fit, are always those of the columns.
 */
export class RowNormaliser {
  readonly schema: StructType
  readonly #convert: Conversion
  /** Builds single rows. */
  #builder: StructBuilder | undefined
  #columns: StructBuilder | undefined

  constructor(schema: StructType) {
    this.schema = schema
    this.#convert = structConversion(schema)
  }

  /** Returns the row that the columns hold for `value`, as a new object, or the fault if it does not fit. */
  normalise(value: unknown): Row | string {
    const absence = absenceOf(value)
    if (absence !== undefined) return absence
    const row = this.#convert(value)
    return row === UNKNOWN ? this.#built(value) : (row as Row)
  }

  /** Returns a copy of a row that `normalise` returned, which shares no object that can be changed. */
  copy(row: Row): Row {
    const copied = this.#convert(row)
    return copied === UNKNOWN ? (copyOf(row) as Row) : (copied as Row)
  }

  /** Returns an empty builder of the columns; the next call returns the same one, so that its buffers are allocated once. */
  columnBuilder(): StructBuilder {
    this.#columns ??= new StructBuilder(this.schema)
    this.#columns.truncate(0)
    return this.#columns
  }

  #built(value: unknown): Row | string {
    const builder = (this.#builder ??= new StructBuilder(this.schema))
    builder.truncate(0)
    return builder.append(value) ?? rowAt(builder.finishColumns(), 0)
  }
}

/** Returns the fault of null and undefined, which a builder would make a row of nulls: returned by a callback they are mistakes. */
export function absenceOf(value: unknown): string | undefined {
  return value === null || value === undefined ? `expected an object, got ${String(value)}` : undefined
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  if (Array.isArray(value)) return value.map(copyOf)
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [key, copyOf(inner)]))
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copyOf(inner)]))
}

function conversionOf(type: DataType): Conversion {
  if (typeof type !== 'string') {
    switch (type.type) {
      case 'struct':
        return structConversion(type)
      case 'array':
        return listConversion(type)
      case 'map':
        return mapConversion(type)
    }
  }
  const decimal = decimalOf(type)
  if (decimal !== undefined) return decimalConversion(decimal.precision, decimal.scale)
  return CONVERSIONS[type] ?? (() => UNKNOWN)
}

/** Converts objects without a class: only own properties of others count. */
function structConversion({ fields }: StructType): Conversion {
  const names = fields.map((field) => field.name)
  // Objects inherit these.
  if (names.some((name) => name in Object.prototype)) return () => UNKNOWN
  const conversions = fields.map((field) => conversionOf(field.type))
  const absent = fields.map((field) => (field.nullable ? null : UNKNOWN))
  const convert = objectConverterOf({ names, conversions, absent, unknown: UNKNOWN })
  return (value) => (isPlainObject(value) ? convert(value) : UNKNOWN)
}

function listConversion({ elementType, containsNull }: ArrayType): Conversion {
  const convert = conversionOf(elementType)
  return (value) => {
    if (!Array.isArray(value)) return UNKNOWN
    const list: unknown[] = []
    for (let i = 0; i < value.length; i++) {
      const inner: unknown = value[i]
      const isAbsent = inner === null || inner === undefined
      if (isAbsent && !containsNull) return UNKNOWN
      const converted = isAbsent ? null : convert(inner)
      if (converted === UNKNOWN) return UNKNOWN
      list.push(converted)
    }
    return list
  }
}

/** Converts maps whose keys are strings and which are given as objects. */
function mapConversion({ keyType, valueType, valueContainsNull }: MapType): Conversion {
  if (keyType !== 'string') return () => UNKNOWN
  const convert = conversionOf(valueType)
  return (value) => {
    if (!isPlainObject(value)) return UNKNOWN
    const map: Row = {}
    for (const name of Object.keys(value)) {
      const inner = value[name]
      const isAbsent = inner === null || inner === undefined
      if ((isAbsent && !valueContainsNull) || name === '__proto__' || !name.isWellFormed()) return UNKNOWN
      const converted = isAbsent ? null : convert(inner)
      if (converted === UNKNOWN) return UNKNOWN
      map[name] = converted
    }
    return map
  }
}

function decimalConversion(precision: number, scale: number): Conversion {
  return (value) => {
    if (!(value instanceof ExactNumber) && typeof value !== 'number') return UNKNOWN
    const unscaled = unscaledOf(value instanceof ExactNumber ? value.text : value, precision, scale)
    if (unscaled === undefined) return UNKNOWN
    const text = decimalText(unscaled, scale)
    // Numbers are never changed, so that they can be shared; subclasses are not what columns return.
    if (value instanceof ExactNumber && value.text === text && value.constructor === ExactNumber) return value
    return new ExactNumber(text)
  }
}

function isPlainObject(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Columns of integers have no negative zero. */
function integerConversion(min: number, max: number): Conversion {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value + 0 : UNKNOWN
}

function dateTimeConversion(zoned: boolean): Conversion {
  return (value) => {
    if (typeof value !== 'string') {
      const instant = value instanceof Date ? splitInstant(value) : undefined
      return instant === undefined ? UNKNOWN : formatDayMicros(instant.days, instant.micros, zoned)
    }
    if (isFormattedDateTime(value, zoned)) return value
    const parsed = parseDateTime(value, zoned)
    return parsed === undefined ? UNKNOWN : formatDayMicros(parsed.days, parsed.micros, zoned)
  }
}

const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  string: (value) => (typeof value === 'string' && value.isWellFormed() ? value : UNKNOWN),
  boolean: (value) => (typeof value === 'boolean' ? value : UNKNOWN),
  byte: integerConversion(-128, 127),
  short: integerConversion(-32_768, 32_767),
  integer: integerConversion(-2_147_483_648, 2_147_483_647),
  long(value) {
    if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : UNKNOWN
    if (typeof value !== 'bigint' || value < LONG_MIN || value > LONG_MAX) return UNKNOWN
    return narrowInteger(value)
  },
  double: (value) => (typeof value === 'number' && Number.isFinite(value) ? value : UNKNOWN),
  float(value) {
    const single = typeof value === 'number' ? Math.fround(value) : NaN
    return Number.isFinite(single) ? single : UNKNOWN
  },
  date: (value) =>
    typeof value === 'string' && value.length === 10 && isFormattedDate(value) ? value : UNKNOWN,
  timestamp: dateTimeConversion(true),
  timestamp_ntz: dateTimeConversion(false),
  binary: (value) =>
    typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value ? value : UNKNOWN,
}
