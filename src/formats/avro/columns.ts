import type { Contract } from '../../contract/contract.ts'
import { contractOfTable } from '../../contract/table-contract.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField } from '../../core/schema.ts'
import type { AvroLogical, AvroNode } from './schema.ts'

/**
 * Returns the contract of the records of an Avro schema: int → integer, enum and uuid → string, bytes and fixed →
 * binary, a union with null → the other branch, any other union → a struct with `member0`, `member1` and so on for
 * its branches. Times of day and timestamps in nanoseconds stay numbers. A field that is always null has no column.
 * @throws KD_CONTRACT_INVALID for types that no column can hold, with their path
 */
export function avroContract(schema: AvroNode, source: string): Contract {
  const fault = (at: string, message: string): PipelineError =>
    new PipelineError('KD_CONTRACT_INVALID', `${at === '' ? '/' : at}: ${message}`, { source })
  if (schema.kind !== 'record') throw fault('', `a row is a record, got ${schema.kind}`)
  const type = typeOf(schema, '', fault)
  if (typeof type !== 'object' || type.type !== 'struct') throw fault('', 'has no field that can be a column')
  return contractOfTable(type, source)
}

type Fault = (at: string, message: string) => PipelineError

/** Returns the column type, or `undefined` for a type that is always null. */
function typeOf(node: AvroNode, at: string, fault: Fault): DataType | undefined {
  switch (node.kind) {
    case 'null':
      return undefined
    case 'record':
      return structOf(node.fields, at, fault)
    case 'array': {
      const elementType = typeOf(node.items, `${at}/items`, fault)
      if (elementType === undefined) throw fault(at, 'an array of nulls cannot be a column')
      return { type: 'array', elementType, containsNull: true }
    }
    case 'map': {
      const valueType = typeOf(node.values, `${at}/values`, fault)
      if (valueType === undefined) throw fault(at, 'a map of nulls cannot be a column')
      return { type: 'map', keyType: 'string', valueType, valueContainsNull: true }
    }
    case 'union': {
      const branches = nonNullBranches(node.branches)
      if (branches.length === 0) return undefined
      if (branches.length === 1) return typeOf(branches[0] as AvroNode, at, fault)
      return structOf(
        branches.map((branch, i) => ({ name: unionMemberName(i), node: branch })),
        at,
        fault,
      )
    }
    case 'enum':
      return 'string'
    default:
      return logicalType(node.logical) ?? (node.kind === 'fixed' ? 'binary' : PRIMITIVE_TYPES[node.kind])
  }
}

/** Returns the branches of a union except null, in order. */
export function nonNullBranches(branches: readonly AvroNode[]): readonly AvroNode[] {
  return branches.filter((branch) => branch.kind !== 'null')
}

/** Returns the name of the struct field that holds a branch of a union with several branches. */
export function unionMemberName(index: number): string {
  return `member${index}`
}

function structOf(
  members: readonly { readonly name: string; readonly node: AvroNode }[],
  at: string,
  fault: Fault,
): DataType {
  const fields = members.flatMap(({ name, node }): StructField[] => {
    const type = typeOf(node, `${at}/${name}`, fault)
    return type === undefined ? [] : [{ name, type, nullable: true, metadata: {} }]
  })
  if (fields.length === 0) throw fault(at, 'a record without fields cannot be a column')
  return { type: 'struct', fields }
}

function logicalType(logical: AvroLogical | undefined): DataType | undefined {
  switch (logical?.name) {
    case undefined:
      return undefined
    case 'decimal':
      return `decimal(${logical.precision},${logical.scale})`
    case 'date':
      return 'date'
    case 'uuid':
      return 'string'
    case 'timestamp-millis':
    case 'timestamp-micros':
      return 'timestamp'
    case 'local-timestamp-millis':
    case 'local-timestamp-micros':
      return 'timestamp_ntz'
  }
}

const PRIMITIVE_TYPES = {
  boolean: 'boolean',
  int: 'integer',
  long: 'long',
  float: 'float',
  double: 'double',
  bytes: 'binary',
  string: 'string',
} as const
