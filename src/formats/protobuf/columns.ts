import type { Contract } from '../../contract/contract.ts'
import { contractOfTable } from '../../contract/table-contract.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { ColumnFault, WriterSchema } from '../format.ts'
import { lazyWriterSchema, type SchemaColumns } from '../writer-schema.ts'
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
 * @throws KD_CONTRACT_INVALID for types that no column can hold, and for more than 10,000 columns
 */
export function protoContract(message: ProtoMessage, source: string): Contract {
  const { columns, columnFaults } = protoColumns(message)
  const [fault] = columnFaults
  if (fault !== undefined)
    throw protoSchemaError(source, [message.name, ...fault.path].join('.'), fault.message)
  if (columns.fields.length === 0)
    throw protoSchemaError(source, message.name, 'has no field that can be a column')
  return contractOfTable(columns, source)
}

/** Returns the columns of a Protobuf message type, for values that name it. */
export function protoWriterSchema(message: ProtoMessage): WriterSchema {
  return lazyWriterSchema(() => protoColumns(message))
}

function protoColumns(message: ProtoMessage): SchemaColumns {
  const derivation = new ColumnDerivation()
  const columns = derivation.structOf(message, []) ?? { type: 'struct', fields: [] }
  return { columns, columnFaults: derivation.faults }
}

type Path = readonly string[]

/** Derives column types and collects the fields that can have none. */
class ColumnDerivation {
  readonly faults: ColumnFault[] = []
  /** The messages around the present field: one that occurs within itself is recursive. */
  readonly #open = new Set<ProtoMessage>()
  #columns = 0

  /** Returns the struct of a message with fields, or `undefined` when none of them can be a column. */
  structOf(message: ProtoMessage, path: Path): StructType | undefined {
    if (this.#open.has(message))
      return this.#fault(path, `${message.name} is recursive, and a table column cannot be`)
    this.#open.add(message)
    const columns: StructField[] = []
    const names = new Set<string>()
    for (const field of message.fields) {
      const at = [...path, field.name]
      if (++this.#columns > COLUMNS_MAX) {
        // One fault is enough, and further ones would be as many as the columns.
        if (this.#columns === COLUMNS_MAX + 1) this.#fault(at, `is one of more than ${COLUMNS_MAX} columns`)
        break
      }
      const folded = field.name.toLowerCase()
      if (names.has(folded)) {
        this.#fault(at, 'cannot be a column: its name is used twice')
        continue
      }
      names.add(folded)
      const type = this.#fieldType(field, at)
      if (type !== undefined) columns.push({ name: field.name, type, nullable: true, metadata: {} })
    }
    this.#open.delete(message)
    return columns.length === 0 ? undefined : { type: 'struct', fields: columns }
  }

  /** Notes that a field can have no column, and returns its missing type. */
  #fault(path: Path, message: string): StructType | undefined {
    this.faults.push({ path, message })
    return undefined
  }

  #fieldType({ label, node }: ProtoField, path: Path): DataType | undefined {
    const type = this.#typeOf(node, path)
    if (type === undefined) return undefined
    if (label === 'many') return { type: 'array', elementType: type, containsNull: true }
    if (label === 'map') return { type: 'map', keyType: 'string', valueType: type, valueContainsNull: true }
    return type
  }

  #typeOf(node: ProtoNode, path: Path): DataType | undefined {
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
        return this.structOf(node, path)
    }
  }
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
