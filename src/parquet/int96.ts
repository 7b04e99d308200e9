import {
  type Data,
  DataType,
  Field,
  List,
  makeData,
  Map_,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  TimeUnit,
  Type,
} from 'apache-arrow'
import { PARQUET_MAGIC, TRAILER_BYTES } from './footer.ts'
import { readThrift, THRIFT, type ThriftStruct, type ThriftValue, writeThrift } from './thrift.ts'

/**
 * Holds a file whose INT96 columns are declared as bytes, with a flag for each leaf column, in schema order, that was
 * INT96.
 */
interface Int96AsBytes {
  readonly bytes: Uint8Array
  readonly leaves: readonly boolean[]
}

const FILE = { schema: 2, rowGroups: 4 }
const ELEMENT = { type: 1, length: 2, children: 5 }
const GROUP_COLUMNS = 1
const CHUNK_METADATA = 3
const COLUMN = { type: 1, statistics: 12 }
const INT96 = 3n
const FIXED_LENGTH: ThriftValue = { type: THRIFT.i32, value: 7n }
const INT96_BYTES = 12

const DAY_MICROS = 86_400_000_000n
/** Julian day of 1970-01-01. */
const EPOCH_DAY = 2_440_588n

/** Tells whether a schema reported by the decoder may contain INT96, which it reports as timestamps in nanoseconds. */
export function mayHoldInt96(schema: Schema): boolean {
  const inType = (type: DataType): boolean =>
    (DataType.isTimestamp(type) && type.unit === TimeUnit.NANOSECOND) ||
    childrenOf(type).some((field) => inType(field.type))
  return schema.fields.some((field) => inType(field.type as DataType))
}

/**
 * Declares the INT96 columns of a file as twelve bytes each, which is how both are stored, because the decoder converts
 * INT96 to nanoseconds, which overflow silently before 1677 and after 2262. Returns `undefined` if there are none, and
 * for a damaged file, which the decoder reports better.
 */
export function rewriteInt96AsBytes(bytes: Uint8Array): Int96AsBytes | undefined {
  const end = bytes.length - TRAILER_BYTES
  if (end < PARQUET_MAGIC.length) return undefined
  const footerBytes = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true)
  const start = end - footerBytes
  if (start < PARQUET_MAGIC.length) return undefined
  const footer = thriftOf(bytes.subarray(start, end))
  const elements = footer === undefined ? [] : structs(footer, FILE.schema)
  const leaves = elements
    .filter((element) => !element.has(ELEMENT.children))
    .map((element) => element.get(ELEMENT.type)?.value === INT96)
  if (footer === undefined || !leaves.includes(true)) return undefined
  const rewritten = new Map(footer)
  rewritten.set(FILE.schema, list(elements.map(asBytes)))
  rewritten.set(
    FILE.rowGroups,
    list(
      structs(footer, FILE.rowGroups).map((group) => {
        const chunks = structs(group, GROUP_COLUMNS).map((chunk, leaf) =>
          leaves[leaf] === true ? chunkAsBytes(chunk) : chunk,
        )
        return new Map(group).set(GROUP_COLUMNS, list(chunks))
      }),
    ),
  )
  const thrift = writeThrift(rewritten)
  const trailer = Buffer.alloc(TRAILER_BYTES)
  trailer.writeUInt32LE(thrift.length)
  PARQUET_MAGIC.copy(trailer, 4)
  return { bytes: Buffer.concat([bytes.subarray(0, start), thrift, trailer]), leaves }
}

function thriftOf(bytes: Uint8Array): ThriftStruct | undefined {
  try {
    return readThrift(bytes)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function asBytes(element: ThriftStruct): ThriftStruct {
  if (element.get(ELEMENT.type)?.value !== INT96) return element
  const length: ThriftValue = { type: THRIFT.i32, value: BigInt(INT96_BYTES) }
  return new Map(element).set(ELEMENT.type, FIXED_LENGTH).set(ELEMENT.length, length)
}

function chunkAsBytes(chunk: ThriftStruct): ThriftStruct {
  const column = chunk.get(CHUNK_METADATA)
  if (column?.type !== THRIFT.struct) return chunk
  const value = new Map(column.value).set(COLUMN.type, FIXED_LENGTH)
  // Statistics of INT96 have no defined order.
  value.delete(COLUMN.statistics)
  return new Map(chunk).set(CHUNK_METADATA, { type: THRIFT.struct, value })
}

function structs(struct: ThriftStruct, id: number): readonly ThriftStruct[] {
  const field = struct.get(id)
  if (field?.type !== THRIFT.list) return []
  return field.value.flatMap((item) => (item.type === THRIFT.struct ? [item.value] : []))
}

function list(items: readonly ThriftStruct[]): ThriftValue {
  return {
    type: THRIFT.list,
    element: THRIFT.struct,
    value: items.map((value) => ({ type: THRIFT.struct, value })),
  }
}

/** Converts the bytes of INT96 columns to timestamps of microseconds in UTC. */
export function restoreInt96Timestamps(table: Table, leaves: readonly boolean[]): Table {
  const batches = table.batches.map((batch) => {
    let at = 0
    const next = (): boolean => leaves[at++] ?? false
    const fields = batch.schema.fields.map((field) => fieldWith(field, next))
    const children = fields.map((field, index) => dataWith(batch.data.children[index] as Data, field.type))
    const type = new Struct(fields)
    const data = makeData({ type, length: batch.numRows, nullCount: 0, children })
    return new RecordBatch(new Schema(fields, batch.schema.metadata), data)
  })
  return new Table(batches)
}

/** `next` returns for each leaf, in schema order, whether it is INT96. */
function fieldWith(field: Field, next: () => boolean): Field<DataType> {
  return new Field(field.name, typeWith(field.type as DataType, next), field.nullable, field.metadata)
}

function typeWith(type: DataType, next: () => boolean): DataType {
  const children = childrenOf(type)
  if (children.length === 0) return next() ? new TimestampMicrosecond('UTC') : type
  const fields = children.map((field) => fieldWith(field, next))
  const [only] = fields
  if (DataType.isStruct(type)) return new Struct(fields)
  if (DataType.isList(type) && only !== undefined) return new List(only)
  if (DataType.isMap(type) && only !== undefined)
    return new Map_(only as Field<Struct<{ key: DataType; value: DataType }>>, type.keysSorted)
  throw new Error(`Broken invariant: Parquet gives no column of ${Type[type.typeId]}`)
}

function dataWith(data: Data, type: DataType): Data {
  if (DataType.isFixedSizeBinary(data.type) && DataType.isTimestamp(type)) {
    const { length, nullCount, nullBitmap } = data
    return makeData({ type, length, nullCount, nullBitmap, data: microsOf(data) })
  }
  const fields = childrenOf(type)
  const children = fields.map((field, index) => dataWith(data.children[index] as Data, field.type))
  return data.clone(type, data.offset, data.length, data.nullCount, undefined, children)
}

/** Returns the fields of a nested type; Arrow has `undefined` for other types. */
function childrenOf(type: DataType): readonly Field<DataType>[] {
  return (type.children as readonly Field<DataType>[] | undefined) ?? []
}

/** INT96 holds eight bytes of nanoseconds within a day, then four of the Julian day. Rounds down, also before 1970. */
function microsOf(data: Data): BigInt64Array {
  const bytes = data.values as Uint8Array
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return BigInt64Array.from({ length: data.length }, (_, row) => {
    const at = row * INT96_BYTES
    const days = BigInt(view.getInt32(at + 8, true)) - EPOCH_DAY
    return days * DAY_MICROS + view.getBigInt64(at, true) / 1_000n
  })
}
