import { decimalText } from '../arrow/decimal.ts'
import { formatDate, formatDateTime } from '../arrow/time.ts'
import { Exact } from '../core/exact.ts'
import { memberName } from './avro-columns.ts'
import type { Cursor } from './avro-cursor.ts'
import type { AvroLogical, AvroNode } from './avro-schema.ts'

/** Reads one value as JSON has it: longs beyond a double as bigint, decimals exact, times as ISO 8601 text, bytes as base64. */
export type AvroReader = (cursor: Cursor) => unknown

/** Items that take no bytes, of which a few bytes could claim billions. */
const EMPTY_ITEMS_MAX = 100_000

/** A reader for values of the schema, which does not hold itself. */
export function avroReader(node: AvroNode): AvroReader {
  switch (node.kind) {
    case 'record':
      return recordReader(node.fields.map(({ name, node: field }) => [name, avroReader(field)]))
    case 'enum':
      return enumReader(node.symbols)
    case 'array':
      return arrayReader(avroReader(node.items), bytesMinOf(node.items))
    case 'map':
      return mapReader(avroReader(node.values))
    case 'union':
      return unionReader(node.branches)
    case 'fixed': {
      const read = bytesReader(node.logical)
      return (cursor) => read(cursor.take(node.size))
    }
    case 'bytes': {
      const read = bytesReader(node.logical)
      return (cursor) => read(cursor.bytes())
    }
    case 'long':
      return longReader(node.logical)
    case 'int':
      return node.logical === undefined ? (cursor) => cursor.int() : (cursor) => formatDate(cursor.int())
    default:
      return PRIMITIVES[node.kind]
  }
}

const PRIMITIVES: Readonly<Record<'null' | 'boolean' | 'float' | 'double' | 'string', AvroReader>> = {
  null: () => null,
  boolean: (cursor) => cursor.boolean(),
  float: (cursor) => cursor.float(),
  double: (cursor) => cursor.double(),
  string: (cursor) => cursor.string(),
}

function recordReader(fields: readonly (readonly [string, AvroReader])[]): AvroReader {
  return (cursor) => {
    const record: Record<string, unknown> = {}
    for (const [name, read] of fields) record[name] = read(cursor)
    return record
  }
}

function enumReader(symbols: readonly string[]): AvroReader {
  return (cursor) => {
    const index = cursor.int()
    const symbol = symbols[index]
    if (symbol === undefined)
      throw new Error(`expected one of ${symbols.length} symbols, got number ${index}`)
    return symbol
  }
}

function arrayReader(read: AvroReader, bytesMin: number): AvroReader {
  return (cursor) => {
    const items: unknown[] = []
    for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
      const fits = bytesMin === 0 ? items.length + count <= EMPTY_ITEMS_MAX : count * bytesMin <= cursor.left
      if (!fits) throw new Error(`expected an array, got one of ${count} items in ${cursor.left} bytes`)
      while (count-- > 0) items.push(read(cursor))
    }
    return items
  }
}

function mapReader(read: AvroReader): AvroReader {
  return (cursor) => {
    // Without a prototype, so that every key is an entry like any other.
    const entries = Object.create(null) as Record<string, unknown>
    for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
      // The length of its key is at least one byte of an entry.
      if (count > cursor.left)
        throw new Error(`expected a map, got one of ${count} entries in ${cursor.left} bytes`)
      while (count-- > 0) {
        const key = cursor.string()
        entries[key] = read(cursor)
      }
    }
    return entries
  }
}

function unionReader(branches: readonly AvroNode[]): AvroReader {
  const single = branches.filter(({ kind }) => kind !== 'null').length === 1
  let member = 0
  const readers = branches.map((branch): AvroReader => {
    const read = avroReader(branch)
    if (single || branch.kind === 'null') return read
    const name = memberName(member++)
    return (cursor) => ({ [name]: read(cursor) })
  })
  return (cursor) => {
    const index = cursor.int()
    const read = readers[index]
    if (read === undefined)
      throw new Error(`expected one of ${readers.length} branches of a union, got number ${index}`)
    return read(cursor)
  }
}

function bytesReader(logical: AvroLogical | undefined): (bytes: Buffer) => unknown {
  if (logical?.name === 'decimal') {
    const { scale } = logical
    return (bytes) => new Exact(decimalText(unscaledOf(bytes), scale))
  }
  if (logical?.name === 'uuid') {
    return (bytes) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
  return (bytes) => bytes.toString('base64')
}

/** Two's complement, big end first; no bytes are zero. */
function unscaledOf(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
}

function longReader(logical: AvroLogical | undefined): AvroReader {
  if (logical === undefined) return (cursor) => cursor.long()
  const zoned = !logical.name.startsWith('local-')
  const perUnit = logical.name.endsWith('millis') ? 1000n : 1n
  return (cursor) => formatDateTime(BigInt(cursor.long()) * perUnit, zoned)
}

/** Bytes that a value takes at least. */
function bytesMinOf(node: AvroNode): number {
  switch (node.kind) {
    case 'null':
      return 0
    case 'record':
      return node.fields.reduce((sum, field) => sum + bytesMinOf(field.node), 0)
    case 'fixed':
      return node.size
    case 'float':
      return 4
    case 'double':
      return 8
    default:
      return 1
  }
}
