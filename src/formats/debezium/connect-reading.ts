import type { Column, Columns, FixedColumn, BytesColumn } from '../../arrow/column.ts'
import { isNull } from '../../arrow/column.ts'
import type { PlainContract, PlainField } from '../../contract/columns/plain.ts'
import { decimalOf, type DataType, type StructField, type StructType } from '../../core/schema.ts'
import { CONVERTED_TYPES, fieldSchemaOf, toConnectSchema, type ConnectSchema } from './values.ts'

/*
 * Values of Connect's and Debezium's logical types are numbers and base64 in JSON. They are read into columns of those
 * types first, and then each column is converted as a whole.
 */

/** Says how the rows of one Connect schema are read into columns. */
export interface ConnectReading {
  /** The columns as they are read. */
  readonly schema: StructType
  readonly plain: PlainContract
  /**
   * Returns the columns after the conversion of logical types; sets `suspect[row]` to 1 for each row with a value that
   * cannot be converted.
   */
  convert(columns: Columns, suspect: Uint8Array): Columns
}

type Conversion = (column: Column, type: DataType, suspect: Uint8Array) => Column

/** Describes how one field is read: the type in JSON, the bounds of its numbers, and the conversion to its column. */
interface FieldReading {
  readonly type: DataType
  readonly json: 'integer' | 'string'
  readonly minimum?: number
  readonly maximum?: number
  readonly convert: Conversion
}

/**
 * Returns how rows with the columns `schema` and the Connect schema `connect` are read, or the name of the first column
 * whose values have to be converted one by one.
 */
export function connectReadingOf(
  connect: ConnectSchema,
  schema: StructType,
  plain: PlainContract,
): ConnectReading | { readonly unreadable: string } {
  const readings: (FieldReading | undefined)[] = []
  const fields: StructField[] = []
  const plainFields: PlainField[] = []
  for (const field of schema.fields) {
    const own = plain.fields.find(({ name }) => name === field.name)
    const reading = readingOf(fieldSchemaOf(connect, field.name), field.type, own)
    if (own === undefined || reading === 'none') return { unreadable: field.name }
    readings.push(reading)
    fields.push(reading === undefined ? field : { ...field, type: reading.type })
    plainFields.push(reading === undefined ? own : plainOf(own, reading))
  }
  return {
    schema: { type: 'struct', fields },
    plain: { ...plain, fields: plainFields },
    convert: ({ columns, length }, suspect) => ({
      schema,
      length,
      columns: columns.map(
        (column, index) =>
          readings[index]?.convert(column, (schema.fields[index] as StructField).type, suspect) ?? column,
      ),
    }),
  }
}

function plainOf(
  { name, required, nullable }: PlainField,
  { type, json, minimum, maximum }: FieldReading,
): PlainField {
  return {
    name,
    required,
    nullable,
    type,
    json,
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  }
}

/** Returns how a field is read; undefined when its values are those of the column, `none` when no column can be converted. */
function readingOf(
  schema: ConnectSchema | undefined,
  column: DataType,
  plain: PlainField | undefined,
): FieldReading | undefined | 'none' {
  if (schema === undefined) return undefined
  const { name } = schema
  const logical = typeof name === 'string' && CONVERTED_TYPES.has(name) ? name : undefined
  if (logical === undefined) return convertsInside(schema) ? 'none' : undefined
  // An instant or a date stays a number where the column holds numbers.
  if (isUnchanged(logical, column)) return undefined
  const reading = logical === DECIMAL ? decimalReading(schema, column) : timeReading(logical, column)
  if (reading === undefined || plain === undefined || !isTypeOnly(plain)) return 'none'
  const json = logical === DECIMAL ? 'number' : 'string'
  return plain.json === undefined || plain.json === json ? reading : 'none'
}

/** Rules of a contract apply to the converted value. */
function isTypeOnly(plain: PlainField): boolean {
  const types = new Set(['name', 'required', 'type', 'json', 'nullable', 'format'])
  return Object.keys(plain).every((key) => types.has(key))
}

function convertsInside(schema: ConnectSchema): boolean {
  const listed: readonly unknown[] = Array.isArray(schema.fields) ? (schema.fields as unknown[]) : []
  return [...listed, schema.items, schema.values].some((inner) => {
    const of = toConnectSchema(inner)
    if (of === undefined) return false
    return (typeof of.name === 'string' && CONVERTED_TYPES.has(of.name)) || convertsInside(of)
  })
}

const DECIMAL = 'org.apache.kafka.connect.data.Decimal'
const NUMBERS = new Set<DataType>(['long', 'integer', 'double'])

function isUnchanged(logical: string, column: DataType): boolean {
  if (TIMES_OF_DAY.has(logical)) return column !== 'string'
  return logical !== DECIMAL && !logical.endsWith('VariableScaleDecimal') && NUMBERS.has(column)
}

const TIMES_OF_DAY = new Set([
  'io.debezium.time.Time',
  'org.apache.kafka.connect.data.Time',
  'io.debezium.time.MicroTime',
  'io.debezium.time.NanoTime',
])
const DATES = new Set(['io.debezium.time.Date', 'org.apache.kafka.connect.data.Date'])
/** Instants, with the bounds within which they are years 0 to 9999 and doubles hold them exactly. */
const INSTANTS: Readonly<Record<string, { minimum: number; maximum: number; toMicros: LongConversion }>> = {
  'io.debezium.time.Timestamp': millisOf(),
  'org.apache.kafka.connect.data.Timestamp': millisOf(),
  'io.debezium.time.MicroTimestamp': {
    minimum: Number.MIN_SAFE_INTEGER,
    maximum: Number.MAX_SAFE_INTEGER,
    toMicros: () => undefined,
  },
  'io.debezium.time.NanoTimestamp': {
    minimum: -(2 ** 63),
    maximum: 2 ** 63 - 1024,
    toMicros: divideByThousand,
  },
}

function timeReading(logical: string, column: DataType): FieldReading | undefined {
  if (DATES.has(logical)) {
    const convert: Conversion = (days, type) => ({ ...(days as FixedColumn), type })
    return column === 'date'
      ? { type: 'integer', json: 'integer', minimum: -719_528, maximum: 2_932_896, convert }
      : undefined
  }
  const instant = INSTANTS[logical]
  if (instant === undefined || (column !== 'timestamp' && column !== 'timestamp_ntz')) return undefined
  const { minimum, maximum, toMicros } = instant
  const convert: Conversion = (longs, type) => {
    const values = (longs as FixedColumn).values as Int32Array
    toMicros(values)
    return { ...(longs as FixedColumn), type }
  }
  return { type: 'long', json: 'integer', minimum, maximum, convert }
}

/** Changes longs, given as low and high halves, in place. */
type LongConversion = (halves: Int32Array) => void

function millisOf(): { minimum: number; maximum: number; toMicros: LongConversion } {
  return { minimum: -62_167_219_200_000, maximum: 253_402_300_799_999, toMicros: timesThousand }
}

const TWO_32 = 2 ** 32

/** The product of the low half and the carry are below 2^53, so that doubles are exact. */
function timesThousand(halves: Int32Array): void {
  for (let at = 0; at < halves.length; at += 2) {
    const low = ((halves[at] as number) >>> 0) * 1000
    const carry = Math.floor(low / TWO_32)
    halves[at] = (low - carry * TWO_32) | 0
    halves[at + 1] = ((halves[at + 1] as number) * 1000 + carry) | 0
  }
}

/** Rounds down. The remainder of the high half times 2^32 is below 2^43. */
function divideByThousand(halves: Int32Array): void {
  for (let at = 0; at < halves.length; at += 2) {
    const high = Math.floor((halves[at + 1] as number) / 1000)
    const rest = (halves[at + 1] as number) - high * 1000
    halves[at] = Math.floor((rest * TWO_32 + ((halves[at] as number) >>> 0)) / 1000) | 0
    halves[at + 1] = high
  }
}

/** Base64 of a big-endian number becomes a decimal of the same scale. */
function decimalReading(schema: ConnectSchema, column: DataType): FieldReading | undefined {
  const decimal = decimalOf(column)
  const parameters = toConnectSchema(schema.parameters) as { readonly scale?: unknown } | undefined
  if (decimal === undefined || Number(parameters?.scale ?? 0) !== decimal.scale) return undefined
  const { precision } = decimal
  const convert: Conversion = (bytes, type, suspect) =>
    unscaledColumn(bytes as BytesColumn, type, precision, suspect)
  return { type: 'binary', json: 'string', convert }
}

/** Bytes of a number that fits four words. */
const DECIMAL_BYTES_MAX = 16

function unscaledColumn(
  source: BytesColumn,
  type: DataType,
  precision: number,
  suspect: Uint8Array,
): FixedColumn {
  const { length, offsets, bytes, valid } = source
  const values = new Int32Array(4 * length)
  const octets = new Uint8Array(values.buffer)
  const largest = 10n ** BigInt(precision) - 1n
  for (let row = 0; row < length; row++) {
    if (isNull(source, row)) continue
    const start = offsets[row] as number
    const size = (offsets[row + 1] as number) - start
    if (size === 0 || size > DECIMAL_BYTES_MAX) {
      suspect[row] = 1
      continue
    }
    const sign = (bytes[start] as number) >= 0x80 ? 0xff : 0
    for (let k = 0; k < DECIMAL_BYTES_MAX; k++)
      octets[16 * row + k] = k < size ? (bytes[start + size - 1 - k] as number) : sign
    if (exceeds(values, 4 * row, size, largest)) suspect[row] = 1
  }
  return { kind: 'fixed', type, words: 4, length, values, valid }
}

/** Few numbers are so long that only a BigInt can compare them. */
function exceeds(words: Int32Array, at: number, size: number, largest: bigint): boolean {
  if (size <= 6) {
    const low = (words[at] as number) >>> 0
    const number = (words[at + 1] as number) * TWO_32 + low
    return Math.abs(number) > Number(largest)
  }
  let value = BigInt(words[at + 3] as number)
  for (let word = 2; word >= 0; word--) value = (value << 32n) | BigInt((words[at + word] as number) >>> 0)
  return value > largest || value < -largest
}

/** Returns the columns of a struct without those of these names. */
export function columnsWithout(schema: StructType, names: ReadonlySet<string>): StructType {
  return { type: 'struct', fields: schema.fields.filter(({ name }) => !names.has(name)) }
}
