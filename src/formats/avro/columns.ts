import type { Contract } from '../../contract/contract.ts'
import { contractOfTable } from '../../contract/table-contract.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { ColumnFault, WriterSchema } from '../format.ts'
import { lazyWriterSchema, type SchemaColumns } from '../writer-schema.ts'
import type { AvroLogical, AvroNode, AvroRecord } from './schema.ts'

/**
 * Returns the contract of the records of an Avro schema: int → integer, enum and uuid → string, bytes and fixed →
 * binary, a union with null → the other branch, any other union → a struct with `member0`, `member1` and so on for
 * its branches. Times of day and timestamps in nanoseconds stay numbers. A record without fields → boolean, true when
 * present. A field that is always null has no column.
 * @throws KD_CONTRACT_INVALID for types that no column can hold, with their path
 */
export function avroContract(schema: AvroNode, source: string): Contract {
  const { columns, columnFaults } = avroColumns(schema)
  const [fault] = columnFaults
  if (fault !== undefined) throw faultOf(`/${fault.path.join('/')}: ${fault.message}`, source)
  if (columns.fields.length === 0) throw faultOf('/: has no field that can be a column', source)
  return contractOfTable(columns, source)
}

function faultOf(detail: string, source: string): PipelineError {
  return new PipelineError('KD_CONTRACT_INVALID', detail, { source })
}

/** Returns the columns of the records of an Avro schema, for values that name it. */
export function avroWriterSchema(schema: AvroNode): WriterSchema {
  return lazyWriterSchema(() => avroColumns(schema))
}

function avroColumns(schema: AvroNode): SchemaColumns {
  const derivation = new ColumnDerivation()
  const type = schema.kind === 'record' ? derivation.rowOf(schema) : undefined
  if (schema.kind !== 'record') derivation.fault([], `a row is a record, got ${schema.kind}`)
  const columns = typeof type === 'object' && type.type === 'struct' ? type : NO_COLUMNS
  return { columns, columnFaults: derivation.faults }
}

const NO_COLUMNS: StructType = { type: 'struct', fields: [] }
/** Limit of listed faults. */
const FAULTS_MAX = 1_000
/** Limit of nested types, each counted wherever it is used. */
const PARTS_MAX = 100_000
const DECIMAL_DIGITS_MAX = 38

type Path = readonly string[]

/** Derives column types and collects the fields that can have none. */
class ColumnDerivation {
  readonly faults: ColumnFault[] = []
  /** The records around the present type: one that occurs within itself is recursive. */
  readonly #open = new Set<AvroNode>()
  #parts = 0

  /** Notes that a field can have no column, and returns its missing type. */
  fault(path: Path, message: string): DataType | undefined {
    if (this.faults.length < FAULTS_MAX) this.faults.push({ path, message })
    return undefined
  }

  /** Returns the column type, or `undefined` for a type that is always null, or has a fault. */
  typeOf(node: AvroNode, path: Path): DataType | undefined {
    if (++this.#parts > PARTS_MAX) return this.fault(path, `is one of more than ${PARTS_MAX} nested types`)
    switch (node.kind) {
      case 'null':
        return undefined
      case 'record':
        return this.#recordOf(node, path)
      case 'array': {
        if (isAlwaysNull(node.items)) return this.fault(path, 'an array of nulls cannot be a column')
        const elementType = this.typeOf(node.items, [...path, 'items'])
        return elementType && { type: 'array', elementType, containsNull: true }
      }
      case 'map': {
        if (isAlwaysNull(node.values)) return this.fault(path, 'a map of nulls cannot be a column')
        const valueType = this.typeOf(node.values, [...path, 'values'])
        return valueType && { type: 'map', keyType: 'string', valueType, valueContainsNull: true }
      }
      case 'union': {
        const branches = nonNullBranches(node.branches)
        if (branches.length === 0) return undefined
        if (branches.length === 1) return this.typeOf(branches[0] as AvroNode, path)
        return this.#structOf(
          branches.map((branch, i) => ({ name: unionMemberName(i), node: branch })),
          path,
        )
      }
      case 'enum':
        return 'string'
      default:
        if (node.logical?.name === 'decimal' && node.logical.precision > DECIMAL_DIGITS_MAX)
          return this.fault(
            path,
            `a decimal of ${node.logical.precision} digits; columns hold ${DECIMAL_DIGITS_MAX} at most`,
          )
        return logicalType(node.logical) ?? (node.kind === 'fixed' ? 'binary' : PRIMITIVE_TYPES[node.kind])
    }
  }

  /** Returns the columns of a row, or `undefined` when there are none. */
  rowOf(node: AvroRecord): DataType | undefined {
    this.#open.add(node)
    return this.#structOf(node.fields, [])
  }

  #recordOf(node: AvroRecord, path: Path): DataType | undefined {
    if (isEmptyRecord(node)) return 'boolean'
    if (this.#open.has(node))
      return this.fault(path, `${JSON.stringify(node.name)} is recursive, and a table column cannot be`)
    this.#open.add(node)
    const type = this.#structOf(node.fields, path)
    this.#open.delete(node)
    return type
  }

  #structOf(
    members: readonly { readonly name: string; readonly node: AvroNode }[],
    path: Path,
  ): DataType | undefined {
    const names = new Set<string>()
    const fields: StructField[] = []
    for (const { name, node } of members) {
      if (this.#parts > PARTS_MAX) break
      const at = [...path, name]
      if (names.has(name.toLowerCase()) || name === '__proto__') {
        this.fault(at, 'cannot be a column: its name is used twice, or reserved')
        continue
      }
      names.add(name.toLowerCase())
      const type = this.typeOf(node, at)
      if (type !== undefined) fields.push({ name, type, nullable: true, metadata: {} })
    }
    return fields.length === 0 ? undefined : { type: 'struct', fields }
  }
}

/** Returns true for a record that holds nothing but its presence. A row holds `true` for it. */
export function isEmptyRecord({ fields }: AvroRecord): boolean {
  return fields.every(({ node }) => isAlwaysNull(node))
}

function isAlwaysNull(node: AvroNode): boolean {
  return node.kind === 'null' || (node.kind === 'union' && nonNullBranches(node.branches).length === 0)
}

/** Returns the branches of a union except null, in order. */
export function nonNullBranches(branches: readonly AvroNode[]): readonly AvroNode[] {
  return branches.filter((branch) => branch.kind !== 'null')
}

/** Returns the name of the struct field that holds a branch of a union with several branches. */
export function unionMemberName(index: number): string {
  return `member${index}`
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
