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
import { MAGIC, TRAILER_BYTES } from './footer.ts'
import { readThrift, THRIFT, type ThriftStruct, type ThriftValue, writeThrift } from './thrift.ts'

/** A file whose INT96 columns are bytes instead, and which of its leaf columns those are, in the schema's order. */
export interface Reworded {
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
/** The Julian day of 1970-01-01. */
const EPOCH_DAY = 2_440_588n

/** Whether a schema as the decoder tells it may stand for INT96: they are its timestamps in nanoseconds, among others. */
export function mayHoldInt96(schema: Schema): boolean {
  const inType = (type: DataType): boolean =>
    (DataType.isTimestamp(type) && type.unit === TimeUnit.NANOSECOND) ||
    childrenOf(type).some((field) => inType(field.type))
  return schema.fields.some((field) => inType(field.type as DataType))
}

/**
 * The same file with INT96 columns declared as twelve bytes each, which is how both are stored: the decoder makes
 * nanoseconds of INT96, which wrap silently before 1677 and after 2262. `undefined` where there are none, and for a damaged
 * file, of which the decoder has more to say.
 */
export function withoutInt96(bytes: Uint8Array): Reworded | undefined {
  const end = bytes.length - TRAILER_BYTES
  if (end < MAGIC.length) return undefined
  const footerBytes = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true)
  const start = end - footerBytes
  if (start < MAGIC.length) return undefined
  const footer = thriftOf(bytes.subarray(start, end))
  const elements = footer === undefined ? [] : structs(footer, FILE.schema)
  const leaves = elements
    .filter((element) => !element.has(ELEMENT.children))
    .map((element) => element.get(ELEMENT.type)?.value === INT96)
  if (footer === undefined || !leaves.includes(true)) return undefined
  const reworded = new Map(footer)
  reworded.set(FILE.schema, list(elements.map(asBytes)))
  reworded.set(
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
  const thrift = writeThrift(reworded)
  const trailer = Buffer.alloc(TRAILER_BYTES)
  trailer.writeUInt32LE(thrift.length)
  MAGIC.copy(trailer, 4)
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
  // In an order that nobody defined for INT96.
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

/** A table of such a file with timestamps of microseconds in UTC where it has the bytes of INT96. */
export function withTimestamps(table: Table, leaves: readonly boolean[]): Table {
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

/** `next` tells of one leaf after the other, in the schema's order, whether it is INT96. */
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

/** The fields of a nested type; none of others, for which Arrow has `undefined`. */
function childrenOf(type: DataType): readonly Field<DataType>[] {
  return (type.children as readonly Field<DataType>[] | undefined) ?? []
}

/** Eight bytes of nanoseconds within a day, then four of the Julian day; before 1970 rounded down. */
function microsOf(data: Data): BigInt64Array {
  const bytes = data.values as Uint8Array
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return BigInt64Array.from({ length: data.length }, (_, row) => {
    const at = row * INT96_BYTES
    const days = BigInt(view.getInt32(at + 8, true)) - EPOCH_DAY
    return days * DAY_MICROS + view.getBigInt64(at, true) / 1_000n
  })
}
