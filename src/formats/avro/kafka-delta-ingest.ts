import type { AvroField, AvroNode, AvroRecord } from './schema.ts'
import { isEmptyRecord, unionMemberName } from './columns.ts'
import { avroReader, type RecordReader } from './read.ts'
import { resolvingReader } from './resolve.ts'

/**
 * Returns a factory for readers that give the JSON that kafka-delta-ingest produces: dates and times stay numbers,
 * and values of unions of several types are not wrapped. `reader` is the schema that records are resolved to, if it
 * differs from the writer's.
 */
export function ingestReaderFactory(reader?: AvroNode): (writer: AvroNode) => RecordReader {
  const as = reader === undefined ? undefined : withoutTimes(reader)
  return (writer) => {
    const written = withoutTimes(writer)
    const read = as === undefined ? avroReader(written) : resolvingReader(written, as)
    const unwrap = unwrapperOf(as ?? written)
    return {
      read: unwrap === undefined ? read : (cursor) => unwrap(read(cursor)),
      schemas: { writer: written, reader: as ?? written, isIngest: true },
    }
  }
}

/** Returns the schema with plain ints and longs in place of dates and times. Nodes shared in `node` stay shared. */
function withoutTimes(node: AvroNode, known = new Map<AvroNode, AvroNode>()): AvroNode {
  const made = known.get(node)
  if (made !== undefined) return made
  if (node.kind === 'record') {
    const fields: AvroField[] = []
    const plain = { ...node, fields }
    // Known before its fields, because they may refer to it.
    known.set(node, plain)
    for (const field of node.fields) fields.push({ ...field, node: withoutTimes(field.node, known) })
    return plain
  }
  const plain = strip(node, (inner) => withoutTimes(inner, known))
  known.set(node, plain)
  return plain
}

function strip(node: Exclude<AvroNode, AvroRecord>, inner: (node: AvroNode) => AvroNode): AvroNode {
  switch (node.kind) {
    case 'int':
    case 'long':
      return { kind: node.kind }
    case 'array':
      return { ...node, items: inner(node.items) }
    case 'map':
      return { ...node, values: inner(node.values) }
    case 'union':
      return { ...node, branches: node.branches.map(inner) }
    default:
      return node
  }
}

type Unwrap = (value: unknown) => unknown

/**
 * Returns a function that unwraps union values from the objects that name their member, or `undefined` when the
 * schema has none.
 */
function unwrapperOf(node: AvroNode, made = new Map<AvroNode, Unwrap | undefined>()): Unwrap | undefined {
  switch (node.kind) {
    case 'array': {
      const item = unwrapperOf(node.items, made)
      return item && ((value) => (value as unknown[]).map(item))
    }
    case 'map': {
      const entry = unwrapperOf(node.values, made)
      return entry && ((value) => eachValue(value as Fields, () => entry))
    }
    case 'record': {
      if (made.has(node)) return made.get(node)
      // A record within itself may have unions until its fields are known.
      made.set(node, (value) => made.get(node)?.(value) ?? value)
      const unwrap = recordUnwrapper(node, made)
      made.set(node, unwrap)
      return unwrap
    }
    case 'union':
      return unionUnwrapper(node.branches, made)
    default:
      return undefined
  }
}

function recordUnwrapper(node: AvroRecord, made: Map<AvroNode, Unwrap | undefined>): Unwrap | undefined {
  const fields = new Map(node.fields.map((field) => [field.name, unwrapperOf(field.node, made)]))
  // Its presence alone is kept as `true`, which is our own way.
  if (isEmptyRecord(node)) return (value) => (value === true ? {} : value)
  if ([...fields.values()].every((field) => field === undefined)) return undefined
  return (value) => eachValue(value as Fields, (name) => fields.get(name))
}

function unionUnwrapper(
  branches: readonly AvroNode[],
  made: Map<AvroNode, Unwrap | undefined>,
): Unwrap | undefined {
  const members = branches.filter(({ kind }) => kind !== 'null').map((branch) => unwrapperOf(branch, made))
  if (members.length === 1) {
    const [only] = members
    return only && ((value) => (value === null ? null : only(value)))
  }
  const byName = new Map(members.map((member, index) => [unionMemberName(index), member]))
  return (value) => {
    if (value === null) return null
    const [entry] = Object.entries(value as Fields)
    if (entry === undefined) return null
    const [name, inner] = entry
    return byName.get(name)?.(inner) ?? inner
  }
}

type Fields = Readonly<Record<string, unknown>>

function eachValue(fields: Fields, unwrapOf: (name: string) => Unwrap | undefined): Fields {
  const copy = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries(fields)) copy[name] = unwrapOf(name)?.(value) ?? value
  return copy
}
