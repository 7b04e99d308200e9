import { WIRE_TYPE } from './cursor.ts'
import { enumSymbolOf, type ProtoNode, type ProtoScalar } from './schema.ts'

/** The wire type of each scalar. */
export const PROTO_WIRES: Readonly<Record<ProtoScalar, number>> = {
  double: WIRE_TYPE.fixed64,
  float: WIRE_TYPE.fixed32,
  int32: WIRE_TYPE.varint,
  uint32: WIRE_TYPE.varint,
  sint32: WIRE_TYPE.varint,
  fixed32: WIRE_TYPE.fixed32,
  sfixed32: WIRE_TYPE.fixed32,
  int64: WIRE_TYPE.varint,
  uint64: WIRE_TYPE.varint,
  sint64: WIRE_TYPE.varint,
  fixed64: WIRE_TYPE.fixed64,
  sfixed64: WIRE_TYPE.fixed64,
  bool: WIRE_TYPE.varint,
  string: WIRE_TYPE.bytes,
  bytes: WIRE_TYPE.bytes,
}

/** The value of each scalar that its bytes leave out. */
export const PROTO_BLANKS: Readonly<Record<ProtoScalar, unknown>> = {
  double: 0,
  float: 0,
  int32: 0,
  uint32: 0,
  sint32: 0,
  fixed32: 0,
  sfixed32: 0,
  int64: 0,
  uint64: 0,
  sint64: 0,
  fixed64: 0,
  sfixed64: 0,
  bool: false,
  string: '',
  bytes: '',
}

/** Returns the wire type of a value that is no group. */
export function protoWireOf(node: ProtoNode): number {
  if (node.kind === 'scalar') return PROTO_WIRES[node.scalar]
  return node.kind === 'enum' ? WIRE_TYPE.varint : WIRE_TYPE.bytes
}

/** Returns the value of a map entry whose bytes contain no value. */
export function blankValueOf(node: ProtoNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return PROTO_BLANKS[node.scalar]
    case 'wrapper':
      return PROTO_BLANKS[node.scalar]
    case 'enum':
      return enumSymbolOf(node.symbols, node.symbols.has(0) ? 0 : ([...node.symbols.keys()][0] ?? 0))
    case 'timestamp':
      return '1970-01-01T00:00:00.000000Z'
    case 'duration':
      return 0
    case 'json':
      return { Struct: '{}', Value: 'null', ListValue: '[]' }[node.of]
    case 'empty':
      return true
    case 'message':
      return undefined
  }
}
