import type { Contract } from '../../contract/contract.ts'
import { contractOfTable } from '../../contract/existing.ts'
import type { DataType, StructField } from '../../core/schema.ts'
import { faultOf, type ProtoField, type ProtoMessage, type ProtoNode, type ProtoScalar } from './schema.ts'

/** Columns at any depth: messages that each hold several others come to any number within a few lines. */
const COLUMNS_MAX = 10_000

/**
 * What the messages of a type become: 32-bit integers → integer, without a sign → long; 64 bits → long, without a sign
 * → decimal(20,0); enum → string; bytes → binary; Timestamp → timestamp; Duration → decimal(21,9), in seconds; wrappers
 * → what they wrap; Struct, Value and ListValue → string with JSON; a message without fields → boolean, true where it is
 * there; the keys of maps → string.
 * @throws KD_CONTRACT_INVALID for more columns than anybody reads
 */
export function protoContract(message: ProtoMessage, source: string): Contract {
  let columns = 0
  const structOf = (of: ProtoMessage): DataType => ({
    type: 'struct',
    fields: of.fields.map((field): StructField => {
      if (++columns > COLUMNS_MAX)
        throw faultOf(source, message.name, `comes to more than ${COLUMNS_MAX} columns`)
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
