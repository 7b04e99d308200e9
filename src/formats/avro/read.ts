import type { WriterSchema } from '../format.ts'
import { isEmptyRecord, nonNullBranches, unionMemberName } from './columns.ts'
import type { AvroCursor } from './cursor.ts'
import type { AvroNode, AvroRecord } from './schema.ts'
import { bytesConverter, intConverter, longConverter } from './values.ts'

/**
 * Reads one value as JSON represents it: longs beyond a double as bigint, decimals as exact numbers, times as ISO
 * 8601 text, bytes as base64.
 */
export type AvroReader = (cursor: AvroCursor) => unknown

/** Reads the records that were written with one schema. */
export interface RecordReader {
  readonly read: AvroReader
  /** The columns of the records; absent when the schema must not define any. */
  readonly writer?: WriterSchema
  /** The schemas, for readers of columns; absent when records can only be read as objects. */
  readonly schemas?: ReaderSchemas
}

/** Names the schemas with which the records of a reader were written and are read. */
export interface ReaderSchemas {
  readonly writer: AvroNode
  /** Is `writer` itself when records are read as they were written. */
  readonly reader: AvroNode
  /** True when values become those of kafka-delta-ingest. */
  readonly isIngest: boolean
}

/** Returns a reader for the rows of a record schema, or for values of any other schema. */
export function avroReader(node: AvroNode): AvroReader {
  const readers = new AvroReaders()
  return node.kind === 'record' ? readers.rowsOf(node) : readers.of(node, 0)
}

/**
 * Makes readers for values within a row. One record type has one reader, which may call itself. Readers that skip values
 * accept numbers that are not finite.
 */
export class AvroReaders {
  readonly #primitives: typeof PRIMITIVES
  readonly #made = new Map<AvroNode, AvroReader>()
  /** The record types whose readers are being made, and their depth. */
  readonly #open = new Map<AvroNode, number>()

  constructor(isSkipping = false) {
    this.#primitives = isSkipping ? { ...PRIMITIVES, ...SKIPPED } : PRIMITIVES
  }

  rowsOf(node: AvroRecord): AvroReader {
    return this.#recordOf(node, 0)
  }

  /** Returns a reader for values that lie `depth` levels deep in the schema. */
  of(node: AvroNode, depth: number): AvroReader {
    switch (node.kind) {
      case 'record':
        return isEmptyRecord(node) ? presenceReader(this.#recordOf(node, depth)) : this.#recordOf(node, depth)
      case 'enum':
        return enumReader(node.symbols)
      case 'array':
        return arrayReader(this.of(node.items, depth + 1), bytesMinOf(node.items))
      case 'map':
        return mapReader(this.of(node.values, depth + 1))
      case 'union': {
        // Several branches make a struct, one makes none.
        const inner = nonNullBranches(node.branches).length > 1 ? depth + 1 : depth
        return unionReader(unionMembers(node.branches, (branch) => this.of(branch, inner)))
      }
      case 'fixed': {
        const { size } = node
        const valueOf = bytesConverter(node.logical)
        return (cursor) => valueOf(cursor.take(size))
      }
      case 'bytes': {
        const valueOf = bytesConverter(node.logical)
        return (cursor) => valueOf(cursor.bytes())
      }
      case 'long': {
        const valueOf = longConverter(node.logical)
        return (cursor) => valueOf(cursor.long())
      }
      case 'int': {
        const valueOf = intConverter(node.logical)
        return (cursor) => valueOf(cursor.int())
      }
      default:
        return this.#primitives[node.kind]
    }
  }

  #recordOf(node: AvroRecord, depth: number): AvroReader {
    const made = this.#made.get(node)
    if (made !== undefined) return made
    const outer = this.#open.get(node)
    if (outer !== undefined) return recursiveReader(() => this.#made.get(node), depth - outer)
    this.#open.set(node, depth)
    const reader = recordReader(node.fields.map(({ name, node: field }) => [name, this.of(field, depth + 1)]))
    this.#open.delete(node)
    this.#made.set(node, reader)
    return reader
  }
}

/** Returns a reader for records that hold nothing but their presence; a union of null alone still has bytes in them. */
export function presenceReader(read: AvroReader): AvroReader {
  return (cursor) => {
    read(cursor)
    return true
  }
}

/** Returns a reader for a type within itself, `levels` levels deep. `find` returns its reader once that is made. */
export function recursiveReader(find: () => AvroReader | undefined, levels: number): AvroReader {
  let read: AvroReader | undefined
  return (cursor) => {
    read ??= find()
    if (read === undefined) throw new Error('expected a type that can be resolved, got one that cannot')
    cursor.descend(levels)
    const value = read(cursor)
    cursor.ascend(levels)
    return value
  }
}

const PRIMITIVES: Readonly<Record<'null' | 'boolean' | 'float' | 'double' | 'string', AvroReader>> = {
  null: () => null,
  boolean: (cursor) => cursor.boolean(),
  float: (cursor) => cursor.float(),
  double: (cursor) => cursor.double(),
  string: (cursor) => cursor.string(),
}

const SKIPPED: Readonly<Record<'float' | 'double', AvroReader>> = {
  float: (cursor) => cursor.take(4),
  double: (cursor) => cursor.take(8),
}

/**
 * Returns a reader for records with the fields in the order of the bytes. Fields without a name are read and
 * discarded. `absent` makes the fields that the bytes lack.
 */
export function recordReader(
  fields: readonly (readonly [string | undefined, AvroReader])[],
  absent: readonly (readonly [string, () => unknown])[] = [],
): AvroReader {
  const hasReserved = [...fields, ...absent].some(([name]) => name === RESERVED)
  return (cursor) => {
    const record: Record<string, unknown> = {}
    // As a field of the record's own, where an assignment would change its prototype.
    if (hasReserved) Object.defineProperty(record, RESERVED, OWN_FIELD)
    for (const [name, read] of fields) {
      const value = read(cursor)
      if (name !== undefined) record[name] = value
    }
    for (const [name, make] of absent) record[name] = make()
    return record
  }
}

const RESERVED = '__proto__'
const OWN_FIELD = { value: null, writable: true, enumerable: true, configurable: true }

/** Returns a reader for enum symbols by their index. An index whose symbol is `undefined` is refused. */
export function enumReader(symbols: readonly (string | undefined)[]): AvroReader {
  return (cursor) => {
    const index = cursor.int()
    const symbol = symbols[index]
    if (symbol === undefined)
      throw new Error(`expected one of ${symbols.length} symbols, got number ${index}`)
    return symbol
  }
}

/** Returns a reader for arrays whose items have at least `bytesMin` bytes each. */
export function arrayReader(read: AvroReader, bytesMin: number): AvroReader {
  return (cursor) => {
    const items: unknown[] = []
    for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
      cursor.checkItemCount(count, bytesMin, 'an array')
      while (count-- > 0) items.push(read(cursor))
    }
    return items
  }
}

/** Returns a reader for maps with text keys and values that `read` reads. */
export function mapReader(read: AvroReader): AvroReader {
  return (cursor) => {
    // Without a prototype, so that every key is an ordinary entry.
    const entries = Object.create(null) as Record<string, unknown>
    for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
      // The length of the key takes at least one byte per entry.
      cursor.checkItemCount(count, 1, 'a map')
      while (count-- > 0) {
        const key = cursor.string()
        entries[key] = read(cursor)
      }
    }
    return entries
  }
}

/**
 * Returns a reader for each branch of a union: the value itself, or a struct when there are several branches besides
 * null.
 */
function unionMembers(
  branches: readonly AvroNode[],
  readerOf: (branch: AvroNode) => AvroReader,
): readonly AvroReader[] {
  const single = branches.filter(({ kind }) => kind !== 'null').length === 1
  let member = 0
  return branches.map((branch) => {
    const read = readerOf(branch)
    return single || branch.kind === 'null' ? read : unionMemberReader(unionMemberName(member++), read)
  })
}

/** Returns a reader that wraps what `read` reads in a struct with one field. */
export function unionMemberReader(name: string, read: AvroReader): AvroReader {
  return (cursor) => ({ [name]: read(cursor) })
}

/** Returns a reader for unions, whose values are preceded by the index of their branch. */
export function unionReader(readers: readonly AvroReader[]): AvroReader {
  return (cursor) => {
    const index = cursor.int()
    const read = readers[index]
    if (read === undefined)
      throw new Error(`expected one of ${readers.length} branches of a union, got number ${index}`)
    return read(cursor)
  }
}

/** Returns the smallest number of bytes that a value takes, or less for a type that directly contains itself. */
export function bytesMinOf(node: AvroNode, known = new Map<AvroNode, number>()): number {
  switch (node.kind) {
    case 'null':
      return 0
    case 'record': {
      const before = known.get(node)
      if (before !== undefined) return before
      known.set(node, 0)
      const bytes = node.fields.reduce((sum, field) => sum + bytesMinOf(field.node, known), 0)
      known.set(node, bytes)
      return bytes
    }
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
