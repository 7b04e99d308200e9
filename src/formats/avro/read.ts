import { memberName } from './columns.ts'
import type { Cursor } from './cursor.ts'
import type { AvroNode } from './schema.ts'
import { bytesValue, intValue, longValue } from './values.ts'

/** Reads one value as JSON has it: longs beyond a double as bigint, decimals exact, times as ISO 8601 text, bytes as base64. */
export type AvroReader = (cursor: Cursor) => unknown

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
      return unionReader(unionMembers(node.branches, avroReader))
    case 'fixed': {
      const { size } = node
      const valueOf = bytesValue(node.logical)
      return (cursor) => valueOf(cursor.take(size))
    }
    case 'bytes': {
      const valueOf = bytesValue(node.logical)
      return (cursor) => valueOf(cursor.bytes())
    }
    case 'long': {
      const valueOf = longValue(node.logical)
      return (cursor) => valueOf(cursor.long())
    }
    case 'int': {
      const valueOf = intValue(node.logical)
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

/** Fields in the order of the bytes; those without a name are read and let go. `absent` makes fields that the bytes lack. */
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

/** The words by their numbers; a number whose word is `undefined` is one that nobody expects. */
export function enumReader(symbols: readonly (string | undefined)[]): AvroReader {
  return (cursor) => {
    const index = cursor.int()
    const symbol = symbols[index]
    if (symbol === undefined)
      throw new Error(`expected one of ${symbols.length} symbols, got number ${index}`)
    return symbol
  }
}

/** Items of at least `bytesMin` bytes each. */
export function arrayReader(read: AvroReader, bytesMin: number): AvroReader {
  return (cursor) => {
    const items: unknown[] = []
    for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
      cursor.claim(count, bytesMin, 'an array')
      while (count-- > 0) items.push(read(cursor))
    }
    return items
  }
}

/** Entries of text to whatever `read` reads. */
export function mapReader(read: AvroReader): AvroReader {
  return (cursor) => {
    // Without a prototype, so that every key is an entry like any other.
    const entries = Object.create(null) as Record<string, unknown>
    for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
      // The length of its key is at least one byte of an entry.
      cursor.claim(count, 1, 'a map')
      while (count-- > 0) {
        const key = cursor.string()
        entries[key] = read(cursor)
      }
    }
    return entries
  }
}

/** A reader for each branch of a union, as what its column holds: the value, or a struct where there are several. */
export function unionMembers(
  branches: readonly AvroNode[],
  readerOf: (branch: AvroNode) => AvroReader,
): readonly AvroReader[] {
  const single = branches.filter(({ kind }) => kind !== 'null').length === 1
  let member = 0
  return branches.map((branch) => {
    const read = readerOf(branch)
    return single || branch.kind === 'null' ? read : memberReader(memberName(member++), read)
  })
}

/** What `read` reads, as the field of a struct. */
export function memberReader(name: string, read: AvroReader): AvroReader {
  return (cursor) => ({ [name]: read(cursor) })
}

/** The value of a branch, whose number stands before it. */
export function unionReader(readers: readonly AvroReader[]): AvroReader {
  return (cursor) => {
    const index = cursor.int()
    const read = readers[index]
    if (read === undefined)
      throw new Error(`expected one of ${readers.length} branches of a union, got number ${index}`)
    return read(cursor)
  }
}

/** Bytes that a value takes at least. */
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
