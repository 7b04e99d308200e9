import { type Data, type Decimal, type Field, TimeUnit, type Timestamp, Type } from 'apache-arrow'
import { PipelineError } from '../core/errors.ts'
import { decimalOf, type DataType, type StructField, type StructType } from '../core/schema.ts'
import { fixedLayoutOf, type Column, type FixedArray } from './column.ts'
import { nullColumnOf } from './sparse/null-column.ts'
import { takeValues } from './gather.ts'
import { daysOfMs, timestampMicrosOf } from './time.ts'

const DAY_MICROS = 86_400_000_000n

/**
 * A `FindField` returns the index of a schema field among the fields of a struct of a file, or -1 if the file lacks it.
 */
export type FindField = (fields: readonly Field[], field: StructField) => number

const byName: FindField = (fields, { name }) => fields.findIndex((field) => field.name === name)

/**
 * Converts Arrow data from a Parquet reader to a column of a Delta type. Values are unchanged; narrower types (those of
 * type widening) and other time units are widened; an absent column or field is null. Fields of structs are found by
 * `find`, by default by name. Buffers are shared where the layout allows.
 * @throws KD_PARQUET_FAILED for data that the type cannot hold exactly
 */
export function columnFromArrow(
  data: Data | undefined,
  type: DataType,
  length: number,
  find: FindField = byName,
): Column {
  return convertColumn(data, type, length, { above: undefined, find })
}

/** Context from the parent columns. */
interface ParentContext {
  /** Validity of the parent struct: fields are null where it is null. */
  readonly above: Uint8Array | undefined
  readonly find: FindField
}

function convertColumn(
  data: Data | undefined,
  type: DataType,
  length: number,
  { above, find }: ParentContext,
): Column {
  if (data === undefined || data.typeId === Type.Null) return nullColumnOf(type, length)
  const valid = validity(data, above)
  if (data.typeId === Type.Dictionary) return fromDictionary(data, type, valid, find)
  if (typeof type !== 'string') {
    switch (type.type) {
      case 'struct':
        return {
          kind: 'struct',
          type,
          length,
          valid,
          children: childrenOf(data, type, { above: valid, find }),
        }
      case 'array': {
        requireType(data, Type.List, type)
        const [child] = data.children
        const element = columnFromArrow(child, type.elementType, child?.length ?? 0, find)
        return { kind: 'list', type, length, valid, offsets: fromZero(data, type), child: element }
      }
      case 'map': {
        requireType(data, Type.Map, type)
        const [keys, values] = data.children[0]?.children ?? []
        const entries = data.children[0]?.length ?? 0
        return {
          kind: 'map',
          type,
          length,
          valid,
          offsets: fromZero(data, type),
          keys: columnFromArrow(keys, type.keyType, entries, find),
          values: columnFromArrow(values, type.valueType, entries, find),
        }
      }
    }
  }
  const layout = fixedLayoutOf(type)
  if (layout === undefined) return fromBytes(data, type, valid)
  const values = fixedValues(data, type, layout, valid)
  return { kind: 'fixed', type, length, valid, words: layout.words, values }
}

function childrenOf(data: Data, type: StructType, above: ParentContext): readonly Column[] {
  requireType(data, Type.Struct, type)
  const { children } = data.type as { children: Field[] }
  return type.fields.map((field) =>
    convertColumn(data.children[above.find(children, field)], field.type, data.length, above),
  )
}

/** Returns the validity, one byte per value; `undefined` if no value is null. */
function validity(data: Data, above: Uint8Array | undefined): Uint8Array | undefined {
  if (data.nullCount === 0) return above
  const valid = new Uint8Array(data.length)
  for (let row = 0; row < data.length; row++) valid[row] = data.getValid(row) ? (above?.[row] ?? 1) : 0
  return valid
}

function fixedValues(
  data: Data,
  type: DataType,
  layout: NonNullable<ReturnType<typeof fixedLayoutOf>>,
  valid: Uint8Array | undefined,
): FixedArray {
  const { length } = data
  const values = data.values as FixedArray | BigInt64Array | Uint32Array
  if (decimalOf(type) !== undefined) return decimalValues(data, type, valid)
  switch (type) {
    case 'boolean': {
      requireType(data, Type.Bool, type)
      const bits = values as Uint8Array
      return Uint8Array.from({ length }, (_, row) => {
        const bit = row + data.offset
        return ((bits[bit >> 3] as number) >> (bit & 7)) & 1
      })
    }
    case 'timestamp':
    case 'timestamp_ntz':
      if (type === 'timestamp_ntz' && data.typeId === Type.Date) return words(midnights(values, length))
      requireType(data, Type.Timestamp, type)
      return words(microsOfAll(values as BigInt64Array, (data.type as Timestamp).unit, length))
    case 'date': {
      requireType(data, Type.Date, type)
      if (values instanceof Int32Array) return values.subarray(0, length)
      return Int32Array.from({ length }, (_, row) => daysOfMs((values as BigInt64Array)[row] as bigint))
    }
    case 'long':
      requireType(data, Type.Int, type)
      if (values instanceof BigInt64Array) return words(values.subarray(0, length))
      return words(BigInt64Array.from({ length }, (_, row) => BigInt((values as FixedArray)[row] as number)))
    case 'float':
    case 'double':
      // A double holds these integers exactly.
      if (type !== 'double' || values instanceof BigInt64Array || data.typeId !== Type.Int)
        requireType(data, Type.Float, type)
      break
    default:
      requireType(data, Type.Int, type)
  }
  if (values instanceof BigInt64Array) throw inexactTypeError(data, type)
  const made = layout.make(length)
  if (values.constructor === made.constructor) return (values as FixedArray).subarray(0, length)
  for (let row = 0; row < length; row++) {
    const value = values[row] as number
    made[row] = value
    const isSame = made[row] === value || Number.isNaN(value)
    if (!isSame && valid?.[row] !== 0) throw inexactTypeError(data, type)
  }
  return made
}

/** Converts decimals of the same or a smaller scale, or integers. Spec: "Type Widening". */
function decimalValues(data: Data, type: DataType, valid: Uint8Array | undefined): Int32Array {
  const wanted = decimalOf(type)
  const { length } = data
  const isNull = (row: number): boolean => valid?.[row] === 0
  const values = data.values as Int8Array | Int16Array | Int32Array | Uint32Array | BigInt64Array
  if (wanted === undefined) throw inexactTypeError(data, type)
  if (data.typeId === Type.Int) {
    const factor = 10n ** BigInt(wanted.scale)
    const read = (row: number): bigint => (isNull(row) ? 0n : BigInt(values[row] as number | bigint) * factor)
    return decimalWords(length, wanted.precision, read, () => inexactTypeError(data, type))
  }
  const held = data.type as Decimal
  if (data.typeId !== Type.Decimal || held.bitWidth !== 128 || held.scale > wanted.scale)
    throw inexactTypeError(data, type)
  if (held.precision - held.scale > wanted.precision - wanted.scale) throw inexactTypeError(data, type)
  const plain = new Int32Array(values.buffer, values.byteOffset, length * 4)
  if (held.scale === wanted.scale) return plain
  const factor = 10n ** BigInt(wanted.scale - held.scale)
  const halves = new BigInt64Array(plain.buffer.slice(plain.byteOffset, plain.byteOffset + plain.byteLength))
  const read = (row: number): bigint =>
    isNull(row)
      ? 0n
      : ((halves[2 * row + 1] as bigint) * 2n ** 64n + BigInt.asUintN(64, halves[2 * row] as bigint)) * factor
  return decimalWords(length, wanted.precision, read, () => inexactTypeError(data, type))
}

function decimalWords(
  length: number,
  precision: number,
  read: (row: number) => bigint,
  fault: () => PipelineError,
): Int32Array {
  const bound = 10n ** BigInt(precision)
  const halves = new BigInt64Array(length * 2)
  for (let row = 0; row < length; row++) {
    const value = read(row)
    if (value >= bound || value <= -bound) throw fault()
    halves[2 * row] = BigInt.asIntN(64, value)
    halves[2 * row + 1] = value >> 64n
  }
  return words(halves)
}

/** Converts days to the microseconds at which they begin. */
function midnights(days: FixedArray | BigInt64Array | Uint32Array, length: number): BigInt64Array {
  return BigInt64Array.from({ length }, (_, row) => {
    const day = days[row] as number | bigint
    return typeof day === 'bigint' ? day * 1_000n : BigInt(day) * DAY_MICROS
  })
}

/** Views the same memory as 32-bit halves, so that no `bigint` is created per value. */
function words(longs: BigInt64Array): Int32Array {
  return new Int32Array(longs.buffer, longs.byteOffset, longs.length * 2)
}

function microsOfAll(values: BigInt64Array, unit: TimeUnit, length: number): BigInt64Array {
  if (unit === TimeUnit.MICROSECOND) return values.subarray(0, length)
  return BigInt64Array.from({ length }, (_, row) => timestampMicrosOf(values[row] as bigint, unit))
}

function fromBytes(data: Data, type: DataType, valid: Uint8Array | undefined): Column {
  const known: readonly Type[] = [Type.Utf8, Type.LargeUtf8, Type.Binary, Type.LargeBinary]
  if (!known.includes(data.typeId)) throw inexactTypeError(data, type)
  const { length } = data
  const held = data.valueOffsets as Int32Array | BigInt64Array
  const first = Number(held[0] ?? 0)
  const offsets = Int32Array.from({ length: length + 1 }, (_, row) => Number(held[row]) - first)
  const bytes = (data.values as Uint8Array).subarray(first, first + (offsets[length] ?? 0))
  return { kind: 'bytes', type, length, valid, offsets, bytes }
}

function fromDictionary(data: Data, type: DataType, valid: Uint8Array | undefined, find: FindField): Column {
  const [dictionary, ...more] = (data.dictionary?.data ?? []) as readonly Data[]
  const { length } = data
  if (dictionary === undefined || dictionary.length === 0) return nullColumnOf(type, length)
  if (more.length > 0) throw inexactTypeError(data, type)
  const indices = data.values as FixedArray
  // The index of a null is arbitrary.
  const rows = Int32Array.from({ length }, (_, row) => (valid?.[row] === 0 ? 0 : (indices[row] as number)))
  const column = columnFromArrow(dictionary, type, dictionary.length, find)
  const gathered = takeValues(column, rows)
  if (valid === undefined) return gathered
  const both =
    gathered.valid === undefined ? valid : gathered.valid.map((bit, row) => bit & (valid[row] ?? 0))
  return { ...gathered, valid: both }
}

/** Returns the offsets of lists and maps. Their elements are not moved, so the first offset must be 0. */
function fromZero(data: Data, type: DataType): Int32Array {
  const offsets = (data.valueOffsets as Int32Array).subarray(0, data.length + 1)
  if (offsets[0] !== 0) throw inexactTypeError(data, type)
  return offsets
}

function requireType(data: Data, typeId: Type, type: DataType): void {
  if (data.typeId !== typeId) throw inexactTypeError(data, type)
}

function inexactTypeError(data: Data, type: DataType): PipelineError {
  const wanted = typeof type === 'string' ? type : type.type
  const detail = `the file holds Arrow type ${Type[data.typeId]}, which cannot be converted exactly to the table's ${wanted}`
  return new PipelineError('KD_PARQUET_FAILED', detail)
}
