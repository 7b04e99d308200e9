import type { Contract } from '../../contract/contract.ts'
import { contractOfTable } from '../../contract/table-contract.ts'
import type { DataType, StructField } from '../../core/schema.ts'
import {
  protoSchemaError,
  type ProtoField,
  type ProtoMessage,
  type ProtoNode,
  type ProtoScalar,
} from './schema.ts'

/** Limit of columns at any depth: a few lines of nested messages can add up to any number of columns. */
const COLUMNS_MAX = 10_000

/**
 * Returns the contract of a Protobuf message type: 32-bit integers → integer, unsigned → long; 64-bit integers →
 * long, unsigned → decimal(20,0); enum → string; bytes → binary; Timestamp → timestamp; Duration → decimal(21,9), in
 * seconds; wrappers → the wrapped type; Struct, Value and ListValue → string with JSON; a message without fields →
 * boolean, true when present; map keys → string.
 * @throws KD_CONTRACT_INVALID for more than 10,000 columns
 */
export function protoContract(message: ProtoMessage, source: string): Contract {
  let columns = 0
  const structOf = (of: ProtoMessage): DataType => ({
    type: 'struct',
    fields: of.fields.map((field): StructField => {
      if (++columns > COLUMNS_MAX)
        throw protoSchemaError(source, message.name, `has more than ${COLUMNS_MAX} columns`)
      return { name: field.name, type: fieldType(field), nullable: true, metadata: {} }
    }),
  })
  const fieldType = ({ label, node }: ProtoField): DataType => {
    const type = typeOf(node)
    if (label === 'many') return { type: 'array', elementType: type, containsNull: true }
    if (label === 'map') return { type: 'map', keyType: 'string', valueType: type, valueContainsNull: true }
    return type
  }
  const typeOf = (node: ProtoNode): DataType => {
    switch (node.kind) {
      case 'scalar':
      case 'wrapper':
        return SCALAR_TYPES[node.scalar]
      case 'enum':
      case 'json':
        return 'string'
      case 'timestamp':
        return 'timestamp'
      case 'duration':
        return 'decimal(21,9)'
      case 'empty':
        return 'boolean'
      case 'message':
        return structOf(node)
    }
  }
  const type = structOf(message)
  if (typeof type === 'string' || type.type !== 'struct')
    throw new Error('Broken invariant: a message is a struct')
  return contractOfTable(type, source)
}

const SCALAR_TYPES: Readonly<Record<ProtoScalar, DataType>> = {
  double: 'double',
  float: 'float',
  int32: 'integer',
  sint32: 'integer',
  sfixed32: 'integer',
  uint32: 'long',
  fixed32: 'long',
  int64: 'long',
  sint64: 'long',
  sfixed64: 'long',
  uint64: 'decimal(20,0)',
  fixed64: 'decimal(20,0)',
  bool: 'boolean',
  string: 'string',
  bytes: 'binary',
}
