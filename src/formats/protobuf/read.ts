import { WIRE_TYPE, type ProtoCursor } from './cursor.ts'
import { readDuration, readStructJson, readTimestamp } from './protobuf-well-known.ts'
import {
  enumSymbolOf,
  type ProtoField,
  type ProtoMessage,
  type ProtoNode,
  type ProtoScalar,
} from './schema.ts'
import { blankValueOf, PROTO_BLANKS, PROTO_WIRES, protoWireOf } from './wire-types.ts'

/**
 * Reads one message to the end of the cursor's current part, as JSON represents it: 64-bit integers beyond a double
 * as bigint, times as ISO 8601 text, bytes as base64. Throws when the bytes are invalid.
 */
export type ProtoReader = (cursor: ProtoCursor) => Record<string, unknown>

type Row = Record<string, unknown>
type Read = (cursor: ProtoCursor) => unknown

/** Returns a reader for messages of a type. */
export function protoReader(message: ProtoMessage): ProtoReader {
  const body = bodyOf(message, new Map())
  const lacking = reachesRequired(message) ? missingFieldFinderOf(message, new Map()) : undefined
  if (lacking === undefined) return (cursor) => body.read(cursor, body.blank(cursor))
  return (cursor) => {
    const row = body.read(cursor, body.blank(cursor))
    const name = lacking(row)
    if (name !== undefined) throw new Error(`expected the required field ${name}, got none`)
    return row
  }
}

/** Reads a message into a row that may already have fields, because parts of one message may be split. */
interface Body {
  blank(cursor: ProtoCursor): Row
  /** Reads to the end of the bytes, or to the end of the group with this tag. */
  read(cursor: ProtoCursor, row: Row, groupEnd?: number): Row
}

/** Describes how one field is read. */
interface Slot {
  readonly wire: number
  /** True when items may also follow one length, without tags. */
  readonly packable: boolean
  put(cursor: ProtoCursor, row: Row): void
  /** Reads packed items. */
  putPacked?(cursor: ProtoCursor, row: Row): void
}

function bodyOf(message: ProtoMessage, made: Map<ProtoMessage, Body>): Body {
  const known = made.get(message)
  if (known !== undefined) return known
  const { fields } = message
  const slots = new Map(fields.map((field) => [field.number, slotOf(field, message, made)]))
  const blanks = fields.map((field): readonly [string, () => unknown] => [field.name, blankOf(field)])
  const body: Body = {
    blank(cursor) {
      cursor.countValues(blanks.length)
      const row: Row = {}
      for (const [name, blank] of blanks) row[name] = blank()
      return row
    },
    read(cursor, row, groupEnd) {
      while (groupEnd !== undefined || cursor.bytesLeft > 0) {
        const tag = cursor.tag()
        if (tag === groupEnd) return row
        const slot = slots.get(tag >>> 3)
        const wire = tag & 7
        if (slot === undefined) {
          cursor.unknownFields++
          cursor.skip(tag)
        } else if (wire === slot.wire) slot.put(cursor, row)
        else if (slot.packable && wire === WIRE_TYPE.bytes) slot.putPacked?.(cursor, row)
        else
          throw new Error(
            `${message.name}: field ${tag >>> 3} has the wire type ${wire}, expected ${slot.wire}`,
          )
      }
      return row
    },
  }
  made.set(message, body)
  return body
}

/** Returns the body of a message, made when it is first read, because a message may contain itself. */
function lazyBodyOf(node: ProtoNode, made: Map<ProtoMessage, Body>): (() => Body) | undefined {
  if (node.kind !== 'message') return undefined
  let body: Body | undefined
  return () => (body ??= bodyOf(node, made))
}

function blankOf({ label, absent }: ProtoField): () => unknown {
  if (label === 'many') return () => []
  // Without a prototype, so that every key is an ordinary entry.
  if (label === 'map') return () => Object.create(null) as Row
  return () => absent
}

function slotOf(field: ProtoField, message: ProtoMessage, made: Map<ProtoMessage, Body>): Slot {
  const { name, node, label } = field
  if (label === 'map') return { wire: WIRE_TYPE.bytes, packable: false, put: putEntry(field, made) }
  const wire = field.group ? WIRE_TYPE.groupStart : protoWireOf(node)
  const bodyNow = lazyBodyOf(node, made) as () => Body
  const read = node.kind === 'message' ? undefined : readerOf(node, field)
  const into = (cursor: ProtoCursor, row: Row): Row => readBody(bodyNow(), field, cursor, row)
  if (label === 'many') {
    const put = (cursor: ProtoCursor, row: Row): void => {
      cursor.countValues(1)
      const item = read?.(cursor) ?? into(cursor, bodyNow().blank(cursor))
      ;(row[name] as unknown[]).push(item)
    }
    const packable = wire !== WIRE_TYPE.bytes && wire !== WIRE_TYPE.groupStart
    return { wire, packable, put, putPacked: packed(put) }
  }
  const { oneof } = field
  const others = message.fields.filter(
    (other) => oneof !== undefined && other.oneof === oneof && other !== field,
  )
  const put = (cursor: ProtoCursor, row: Row): void => {
    for (const other of others) row[other.name] = null
    if (read !== undefined) row[name] = read(cursor)
    else row[name] = into(cursor, (row[name] as Row | null) ?? bodyNow().blank(cursor))
  }
  return { wire, packable: false, put }
}

function packed(put: Slot['put']): Slot['put'] {
  return (cursor, row) => {
    const outer = cursor.enter()
    while (cursor.bytesLeft > 0) put(cursor, row)
    cursor.leave(outer)
  }
}

function readBody(body: Body, { group, number }: ProtoField, cursor: ProtoCursor, row: Row): Row {
  cursor.descend()
  if (group) body.read(cursor, row, ((number << 3) | WIRE_TYPE.groupEnd) >>> 0)
  else {
    const outer = cursor.enter()
    body.read(cursor, row)
    cursor.leave(outer)
  }
  cursor.ascend()
  return row
}

function readEntry(bodyNow: () => Body, field: ProtoField, cursor: ProtoCursor, value: Row | undefined): Row {
  const body = bodyNow()
  return readBody(body, field, cursor, value ?? body.blank(cursor))
}

function putEntry(field: ProtoField, made: Map<ProtoMessage, Body>): Slot['put'] {
  const { name, node, key = 'string' } = field
  const keyTag = (1 << 3) | PROTO_WIRES[key]
  const valueTag = (2 << 3) | protoWireOf(node)
  const bodyNow = lazyBodyOf(node, made)
  const read = node.kind === 'message' ? undefined : readerOf(node, field)
  const blank = blankValueOf(node)
  return (cursor, row) => {
    cursor.countValues(1)
    const outer = cursor.enter()
    let entryKey: unknown = PROTO_BLANKS[key]
    let value: unknown
    while (cursor.bytesLeft > 0) {
      const tag = cursor.tag()
      if (tag === keyTag) entryKey = SCALARS[key](cursor)
      else if (tag === valueTag)
        value = read?.(cursor) ?? readEntry(bodyNow as () => Body, field, cursor, value as Row | undefined)
      else {
        if (tag >>> 3 <= 2)
          throw new Error(`an entry of ${name} has the wire type ${tag & 7}, expected another`)
        cursor.unknownFields++
        cursor.skip(tag)
      }
    }
    cursor.leave(outer)
    ;(row[name] as Row)[String(entryKey)] = value ?? bodyNow?.().blank(cursor) ?? blank
  }
}

/** Returns a reader for a value that is not a message with declared fields. */
function readerOf(node: Exclude<ProtoNode, ProtoMessage>, { group, number }: ProtoField): Read {
  switch (node.kind) {
    case 'scalar':
      return SCALARS[node.scalar]
    case 'enum':
      return (cursor) => enumSymbolOf(node.symbols, cursor.int32())
    case 'timestamp':
      return inside(readTimestamp)
    case 'duration':
      return inside(readDuration)
    case 'json':
      return inside((cursor) => readStructJson(cursor, node.of))
    case 'wrapper':
      return inside(wrapped(node.scalar))
    case 'empty':
      return (cursor) => {
        const tag = ((number << 3) | (group ? WIRE_TYPE.groupStart : WIRE_TYPE.bytes)) >>> 0
        cursor.skip(tag)
        return true
      }
  }
}

/** Returns a reader for a length-prefixed message. */
function inside(read: Read): Read {
  return (cursor) => {
    const outer = cursor.enter()
    const value = read(cursor)
    cursor.leave(outer)
    return value
  }
}

function wrapped(scalar: ProtoScalar): Read {
  const expected = 8 | PROTO_WIRES[scalar]
  const read = SCALARS[scalar]
  return (cursor) => {
    let value: unknown = PROTO_BLANKS[scalar]
    while (cursor.bytesLeft > 0) {
      const tag = cursor.tag()
      if (tag === expected) value = read(cursor)
      else if (tag >>> 3 === 1)
        throw new Error(`a value of ${scalar} has the wire type ${tag & 7}, expected another`)
      else {
        cursor.unknownFields++
        cursor.skip(tag)
      }
    }
    return value
  }
}

const SCALARS: Readonly<Record<ProtoScalar, Read>> = {
  double: (cursor) => cursor.double(),
  float: (cursor) => cursor.float(),
  int32: (cursor) => cursor.int32(),
  uint32: (cursor) => cursor.uint32(),
  sint32: (cursor) => cursor.sint32(),
  fixed32: (cursor) => cursor.fixed32(),
  sfixed32: (cursor) => cursor.sfixed32(),
  int64: (cursor) => cursor.int64(),
  uint64: (cursor) => cursor.uint64(),
  sint64: (cursor) => cursor.sint64(),
  fixed64: (cursor) => cursor.fixed64(),
  sfixed64: (cursor) => cursor.sfixed64(),
  bool: (cursor) => cursor.bool(),
  string: (cursor) => cursor.string(),
  bytes: (cursor) => cursor.bytes().toString('base64'),
}

/** Returns the full name of a required field that a row lacks, or `undefined` when none is missing. */
type MissingFieldFinder = (row: Row) => string | undefined

/** Returns true when a message, or one that it contains at any depth, has a required field. */
function reachesRequired(message: ProtoMessage): boolean {
  const seen = new Set([message])
  for (const { fields } of seen)
    for (const { required, node } of fields) {
      if (required) return true
      if (node.kind === 'message') seen.add(node)
    }
  return false
}

function missingFieldFinderOf(
  message: ProtoMessage,
  made: Map<ProtoMessage, MissingFieldFinder>,
): MissingFieldFinder {
  const known = made.get(message)
  if (known !== undefined) return known
  // A message within itself is checked by the function that is being made.
  let checks: readonly MissingFieldFinder[] = []
  const check: MissingFieldFinder = (row) => {
    for (const each of checks) {
      const name = each(row)
      if (name !== undefined) return name
    }
    return undefined
  }
  made.set(message, check)
  checks = message.fields.flatMap((field): MissingFieldFinder[] => {
    const { name, node, label } = field
    const own: MissingFieldFinder[] = field.required
      ? [(row) => (row[name] === null ? `${message.name}.${name}` : undefined)]
      : []
    if (node.kind !== 'message' || !reachesRequired(node)) return own
    const inner = missingFieldFinderOf(node, made)
    return [...own, (row) => missingFieldIn(row[name] as Row | readonly Row[] | null, label, inner)]
  })
  return check
}

function missingFieldIn(
  value: Row | readonly Row[] | null,
  label: ProtoField['label'],
  inner: MissingFieldFinder,
): string | undefined {
  if (value === null) return undefined
  const rows = label === 'one' ? [value as Row] : (Object.values(value) as Row[])
  for (const row of rows) {
    const name = inner(row)
    if (name !== undefined) return name
  }
  return undefined
}
