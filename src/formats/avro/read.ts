import type { WriterSchema } from '../format.ts'
import { unionMemberName } from './columns.ts'
import type { AvroCursor } from './cursor.ts'
import type { AvroNode } from './schema.ts'
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
}

/** Returns a reader for values of a schema, which must not be recursive. */
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
      return unionReader(unionMembers(node.branches, avroReader))
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

/**
 * Returns a reader for records with the fields in the order of the bytes. Fields without a name are read and
 * discarded. `absent` makes the fields that the bytes lack.
 */
export function recordReader(
  fields: readonly (readonly [string | undefined, AvroReader])[],
  absent: readonly (readonly [string, () => unknown])[] = [],
): AvroReader {
  return (cursor) => {
    const record: Record<string, unknown> = {}
    for (const [name, read] of fields) {
      const value = read(cursor)
      if (name !== undefined) record[name] = value
    }
    for (const [name, make] of absent) record[name] = make()
    return record
  }
}

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

/** Returns the smallest number of bytes that a value takes. */
export function bytesMinOf(node: AvroNode): number {
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
