import { type Data, type Decimal, type Field, TimeUnit, type Timestamp, Type } from 'apache-arrow'
import { PipelineError } from '../core/errors.ts'
import { decimalOf, type DataType, type StructField, type StructType } from '../core/schema.ts'
import { fixedLayout, nullColumn, type Column, type FixedArray } from './column.ts'
import { gather } from './gather.ts'

const DAY_MS = 86_400_000n
const DAY_MICROS = 86_400_000_000n

/** Where among the fields of a struct of a file a field of the schema is; -1 where the file lacks it. */
export type FindField = (fields: readonly Field[], field: StructField) => number

const byName: FindField = (fields, { name }) => fields.findIndex((field) => field.name === name)

/**
 * A column of Arrow data, as a Parquet reader gives it, under a Delta type: the values are the same, narrower types (those
 * of type widening) and other units of time are widened, a column or field that is absent is null. Fields of structs are
 * found by `find`, by their names where it is absent. Buffers are shared where the layout allows.
 * Throws `KD_PARQUET_FAILED` for data that the type cannot hold exactly.
 */
export function columnFrom(
  data: Data | undefined,
  type: DataType,
  length: number,
  find: FindField = byName,
): Column {
  return columnUnder(data, type, length, { above: undefined, find })
}

/** What a column needs to know of those above it. */
interface Above {
  /** The validity of the struct that the column is a field of: where that is null, so is the field. */
  readonly above: Uint8Array | undefined
  readonly find: FindField
}

function columnUnder(data: Data | undefined, type: DataType, length: number, { above, find }: Above): Column {
  if (data === undefined || data.typeId === Type.Null) return nullColumn(type, length)
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
        expect(data, Type.List, type)
        const [child] = data.children
        const element = columnFrom(child, type.elementType, child?.length ?? 0, find)
        return { kind: 'list', type, length, valid, offsets: fromZero(data, type), child: element }
      }
      case 'map': {
        expect(data, Type.Map, type)
        const [keys, values] = data.children[0]?.children ?? []
        const entries = data.children[0]?.length ?? 0
        return {
          kind: 'map',
          type,
          length,
          valid,
          offsets: fromZero(data, type),
          keys: columnFrom(keys, type.keyType, entries, find),
          values: columnFrom(values, type.valueType, entries, find),
        }
      }
    }
  }
  const layout = fixedLayout(type)
  if (layout === undefined) return fromBytes(data, type, valid)
  const values = fixedValues(data, type, layout, valid)
  return { kind: 'fixed', type, length, valid, words: layout.words, values }
}

function childrenOf(data: Data, type: StructType, above: Above): readonly Column[] {
  expect(data, Type.Struct, type)
  const { children } = data.type as { children: Field[] }
  return type.fields.map((field) =>
    columnUnder(data.children[above.find(children, field)], field.type, data.length, above),
  )
}

/** One byte a value; `undefined` when nothing is null. */
function validity(data: Data, above: Uint8Array | undefined): Uint8Array | undefined {
  if (data.nullCount === 0) return above
  const valid = new Uint8Array(data.length)
  for (let row = 0; row < data.length; row++) valid[row] = data.getValid(row) ? (above?.[row] ?? 1) : 0
  return valid
}

function fixedValues(
  data: Data,
  type: DataType,
  layout: NonNullable<ReturnType<typeof fixedLayout>>,
  valid: Uint8Array | undefined,
): FixedArray {
  const { length } = data
  const values = data.values as FixedArray | BigInt64Array | Uint32Array
  if (decimalOf(type) !== undefined) return decimalValues(data, type, valid)
  switch (type) {
    case 'boolean': {
      expect(data, Type.Bool, type)
      const bits = values as Uint8Array
      return Uint8Array.from({ length }, (_, row) => {
        const bit = row + data.offset
        return ((bits[bit >> 3] as number) >> (bit & 7)) & 1
      })
    }
    case 'timestamp':
    case 'timestamp_ntz':
      if (type === 'timestamp_ntz' && data.typeId === Type.Date) return words(midnights(values, length))
      expect(data, Type.Timestamp, type)
      return words(microsOf(values as BigInt64Array, (data.type as Timestamp).unit, length))
    case 'date': {
      expect(data, Type.Date, type)
      if (values instanceof Int32Array) return values.subarray(0, length)
      return Int32Array.from({ length }, (_, row) =>
        Number(((values as BigInt64Array)[row] as bigint) / DAY_MS),
      )
    }
    case 'long':
      expect(data, Type.Int, type)
      if (values instanceof BigInt64Array) return words(values.subarray(0, length))
      return words(BigInt64Array.from({ length }, (_, row) => BigInt((values as FixedArray)[row] as number)))
    case 'float':
    case 'double':
      // Integers that a double holds exactly.
      if (type !== 'double' || values instanceof BigInt64Array || data.typeId !== Type.Int)
        expect(data, Type.Float, type)
      break
    default:
      expect(data, Type.Int, type)
  }
  if (values instanceof BigInt64Array) throw unfit(data, type)
  const made = layout.make(length)
  if (values.constructor === made.constructor) return (values as FixedArray).subarray(0, length)
  for (let row = 0; row < length; row++) {
    const value = values[row] as number
    made[row] = value
    const isSame = made[row] === value || Number.isNaN(value)
    if (!isSame && valid?.[row] !== 0) throw unfit(data, type)
  }
  return made
}

/** Of a decimal of the same or a smaller scale, or of integers. Spec: "Type Widening". */
function decimalValues(data: Data, type: DataType, valid: Uint8Array | undefined): Int32Array {
  const wanted = decimalOf(type)
  const { length } = data
  const isNull = (row: number): boolean => valid?.[row] === 0
  const values = data.values as Int8Array | Int16Array | Int32Array | Uint32Array | BigInt64Array
  if (wanted === undefined) throw unfit(data, type)
  if (data.typeId === Type.Int) {
    const factor = 10n ** BigInt(wanted.scale)
    const read = (row: number): bigint => (isNull(row) ? 0n : BigInt(values[row] as number | bigint) * factor)
    return decimalWords(length, wanted.precision, read, () => unfit(data, type))
  }
  const held = data.type as Decimal
  if (data.typeId !== Type.Decimal || held.bitWidth !== 128 || held.scale > wanted.scale)
    throw unfit(data, type)
  if (held.precision - held.scale > wanted.precision - wanted.scale) throw unfit(data, type)
  const plain = new Int32Array(values.buffer, values.byteOffset, length * 4)
  if (held.scale === wanted.scale) return plain
  const factor = 10n ** BigInt(wanted.scale - held.scale)
  const halves = new BigInt64Array(plain.buffer.slice(plain.byteOffset, plain.byteOffset + plain.byteLength))
  const read = (row: number): bigint =>
    isNull(row)
      ? 0n
      : ((halves[2 * row + 1] as bigint) * 2n ** 64n + BigInt.asUintN(64, halves[2 * row] as bigint)) * factor
  return decimalWords(length, wanted.precision, read, () => unfit(data, type))
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

/** Days as the microseconds at which they begin. */
function midnights(days: FixedArray | BigInt64Array | Uint32Array, length: number): BigInt64Array {
  return BigInt64Array.from({ length }, (_, row) => {
    const day = days[row] as number | bigint
    return typeof day === 'bigint' ? day * 1_000n : BigInt(day) * DAY_MICROS
  })
}

/** The same memory by halves: no `bigint` is made per value. */
function words(longs: BigInt64Array): Int32Array {
  return new Int32Array(longs.buffer, longs.byteOffset, longs.length * 2)
}

function microsOf(values: BigInt64Array, unit: TimeUnit, length: number): BigInt64Array {
  if (unit === TimeUnit.MICROSECOND) return values.subarray(0, length)
  if (unit === TimeUnit.NANOSECOND) {
    return BigInt64Array.from({ length }, (_, row) => {
      const nanos = values[row] as bigint
      return (nanos - (((nanos % 1_000n) + 1_000n) % 1_000n)) / 1_000n
    })
  }
  const factor = unit === TimeUnit.MILLISECOND ? 1_000n : 1_000_000n
  return BigInt64Array.from({ length }, (_, row) => (values[row] as bigint) * factor)
}

function fromBytes(data: Data, type: DataType, valid: Uint8Array | undefined): Column {
  const known: readonly Type[] = [Type.Utf8, Type.LargeUtf8, Type.Binary, Type.LargeBinary]
  if (!known.includes(data.typeId)) throw unfit(data, type)
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
  if (dictionary === undefined || dictionary.length === 0) return nullColumn(type, length)
  if (more.length > 0) throw unfit(data, type)
  const indices = data.values as FixedArray
  // What a null points at is anything.
  const rows = Int32Array.from({ length }, (_, row) => (valid?.[row] === 0 ? 0 : (indices[row] as number)))
  const column = columnFrom(dictionary, type, dictionary.length, find)
  const gathered = gather(type, [{ column, rows, start: 0, end: length }])
  if (valid === undefined) return gathered
  const both =
    gathered.valid === undefined ? valid : gathered.valid.map((bit, row) => bit & (valid[row] ?? 0))
  return { ...gathered, valid: both }
}

/** Offsets of lists and maps as they are: their elements are not moved, so the first must be the child's first. */
function fromZero(data: Data, type: DataType): Int32Array {
  const offsets = (data.valueOffsets as Int32Array).subarray(0, data.length + 1)
  if (offsets[0] !== 0) throw unfit(data, type)
  return offsets
}

function expect(data: Data, typeId: Type, type: DataType): void {
  if (data.typeId !== typeId) throw unfit(data, type)
}

function unfit(data: Data, type: DataType): PipelineError {
  const wanted = typeof type === 'string' ? type : type.type
  const detail = `the file holds Arrow type ${Type[data.typeId]}, which is not exactly the table's ${wanted}`
  return new PipelineError('KD_PARQUET_FAILED', detail)
}
