import { decimalText } from '../../arrow/decimal.ts'
import { DAY_MICROS, formatDate, formatDateTime } from '../../arrow/time.ts'
import { ExactNumber, isMessageObject, narrowInteger } from '../../core/exact.ts'
import { findField, type DataType, type StructType } from '../../core/schema.ts'

/**
 * Describes a Kafka Connect schema as the JSON converter writes it next to the payload. It comes from a message, so
 * nothing about it can be relied on.
 */
export interface ConnectSchema {
  readonly type?: unknown
  readonly name?: unknown
  readonly field?: unknown
  readonly fields?: unknown
  readonly items?: unknown
  readonly keys?: unknown
  readonly values?: unknown
  readonly parameters?: unknown
}

/** Depth of nested values. */
const DEPTH_MAX = 50
/** Decimals of 38 digits never exceed it. */
const SCALE_MAX = 1_000
const DECIMAL_BYTES_MAX = 128
/** The years 0 to 9999, which columns can hold. */
const MICROS_MAX = 253_402_300_800_000_000n
const MICROS_MIN = -62_167_219_200_000_000n

/**
 * Converts a value of a Connect or Debezium logical type into the form that its column takes: an instant to text (a
 * number stays a number when the column is numeric), a decimal to an exact number. `column` is absent when there is
 * none yet. Throws when the value does not fit its schema.
 */
export function convertLogicalValue(
  value: unknown,
  schema: ConnectSchema | undefined,
  column: DataType | undefined,
  depth = 0,
): unknown {
  if (schema === undefined || value === null || value === undefined) return value
  if (depth > DEPTH_MAX) throw new Error(`expected at most ${DEPTH_MAX} nested values, got more`)
  const convert = typeof schema.name === 'string' ? LOGICAL.get(schema.name) : undefined
  if (convert !== undefined) return convert(value, column, schema)
  const inner = typeof column === 'object' ? column : undefined
  if (schema.type === 'struct' && isMessageObject(value))
    return structValue(value, schema, inner?.type === 'struct' ? inner : undefined, depth)
  if (schema.type === 'array' && Array.isArray(value)) {
    const element = inner?.type === 'array' ? inner.elementType : undefined
    return value.map((each) => convertLogicalValue(each, toConnectSchema(schema.items), element, depth + 1))
  }
  if (schema.type === 'map' && isMessageObject(value)) {
    const of = inner?.type === 'map' ? inner.valueType : undefined
    return mapped(value, (_, each) =>
      convertLogicalValue(each, toConnectSchema(schema.values), of, depth + 1),
    )
  }
  return value
}

/** Returns the schema of a struct field. */
export function fieldSchemaOf(schema: ConnectSchema | undefined, name: string): ConnectSchema | undefined {
  const fields: readonly unknown[] = Array.isArray(schema?.fields) ? (schema.fields as unknown[]) : []
  return fields.map(toConnectSchema).find((field) => field?.field === name)
}

/** Returns a value as a schema when it has the form of one. */
export function toConnectSchema(value: unknown): ConnectSchema | undefined {
  return isMessageObject(value) ? value : undefined
}

function structValue(
  value: object,
  schema: ConnectSchema,
  column: StructType | undefined,
  depth: number,
): object {
  const fields: readonly unknown[] = Array.isArray(schema.fields) ? (schema.fields as unknown[]) : []
  const schemas = new Map(fields.map((field) => [toConnectSchema(field)?.field, toConnectSchema(field)]))
  return mapped(value, (name, each) =>
    convertLogicalValue(each, schemas.get(name), column && findField(column, name)?.type, depth + 1),
  )
}

function mapped(value: object, map: (name: string, value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, map(name, each)]))
}

type Convert = (value: unknown, column: DataType | undefined, schema: ConnectSchema) => unknown

/** Types of columns that store an instant as its number. */
const NUMBERS = new Set<DataType | undefined>(['long', 'integer', 'double'])

const date: Convert = (value, column) =>
  NUMBERS.has(column) ? value : formatDate(wholeOf(value, -719_528, 2_932_896))

function instant(microsOf: (value: bigint) => bigint): Convert {
  return (value, column) => {
    if (NUMBERS.has(column)) return value
    const micros = microsOf(integerOf(value))
    if (micros < MICROS_MIN || micros >= MICROS_MAX)
      throw new Error(`expected an instant within the years 0 to 9999, got ${String(value)}`)
    return formatDateTime(micros, column !== 'timestamp_ntz')
  }
}

/** Delta has no type for a time of day: it becomes text when the column is text, otherwise it stays a number. */
function timeOfDay(microsOf: (value: bigint) => bigint): Convert {
  return (value, column) => {
    if (column !== 'string') return value
    const micros = microsOf(integerOf(value))
    if (micros < 0n || micros > BigInt(DAY_MICROS))
      throw new Error(`expected a time of day, got ${String(value)}`)
    return formatDateTime(micros, false).slice(11)
  }
}

const decimal: Convert = (value, column, schema) => {
  const scale = toConnectSchema(schema.parameters) as { readonly scale?: unknown } | undefined
  return decimalOf(value, Number(scale?.scale ?? 0), column)
}

const variableDecimal: Convert = (value, column) => {
  const { scale, value: bytes } = value as { readonly scale?: unknown; readonly value?: unknown }
  // Without a column it becomes text, because each value has a scale of its own.
  return decimalOf(bytes, Number(scale), column ?? 'string')
}

function decimalOf(value: unknown, scale: number, column: DataType | undefined): unknown {
  // The converter can be configured to write numbers instead.
  if (typeof value !== 'string') return value
  if (!Number.isInteger(scale) || Math.abs(scale) > SCALE_MAX)
    throw new Error(`expected the scale of a decimal, got ${scale}`)
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length === 0 || bytes.length > DECIMAL_BYTES_MAX)
    throw new Error(`expected the bytes of a decimal in base64, got ${JSON.stringify(value.slice(0, 100))}`)
  const unscaled = BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
  const text = decimalText(unscaled, scale)
  if (column === 'string') return text
  return text.includes('.') ? new ExactNumber(text) : narrowInteger(BigInt(text))
}

function integerOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  throw new Error(`expected an integer, got ${JSON.stringify(value)}`)
}

function wholeOf(value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new Error(`expected days since 1970 within the years 0 to 9999, got ${JSON.stringify(value)}`)
}

const millis = (value: bigint): bigint => value * 1_000n
const micros = (value: bigint): bigint => value
/** Rounds down. */
const nanos = (value: bigint): bigint => (value - (((value % 1_000n) + 1_000n) % 1_000n)) / 1_000n

const LOGICAL: ReadonlyMap<string, Convert> = new Map([
  ['io.debezium.time.Date', date],
  ['org.apache.kafka.connect.data.Date', date],
  ['io.debezium.time.Timestamp', instant(millis)],
  ['org.apache.kafka.connect.data.Timestamp', instant(millis)],
  ['io.debezium.time.MicroTimestamp', instant(micros)],
  ['io.debezium.time.NanoTimestamp', instant(nanos)],
  ['io.debezium.time.Time', timeOfDay(millis)],
  ['org.apache.kafka.connect.data.Time', timeOfDay(millis)],
  ['io.debezium.time.MicroTime', timeOfDay(micros)],
  ['io.debezium.time.NanoTime', timeOfDay(nanos)],
  ['org.apache.kafka.connect.data.Decimal', decimal],
  ['io.debezium.data.VariableScaleDecimal', variableDecimal],
])

/** The names of the types whose values are converted. */
export const CONVERTED_TYPES: ReadonlySet<string> = new Set(LOGICAL.keys())
