import type { Row } from '../arrow/rows.ts'
import type { Contract } from '../contract/contract.ts'
import type { PlainContract, PlainValue } from '../contract/columns/plain.ts'
import type { DataType, StructType } from '../core/schema.ts'
import type { RowSchema } from './row-types.ts'

/** Describes a contract that knows the type of its rows. */
export interface ContractOf<Out extends object = Row, In extends object = Out> extends Contract {
  readonly schema: RowSchema<Out, In>
}

/** Names what the contract of a topic can be made of. */
export type SchemaSource = StructType | Contract

/** Returns the contract of a schema as code; a contract is returned itself. */
export function contractOf(schema: SchemaSource): Contract {
  return 'check' in schema ? schema : contractOfColumns(schema)
}

/**
 * Returns the contract of messages that fill the columns of a schema: the values of columns that are not nullable are
 * required and not null. Types are checked when the columns are built. Properties without a column are allowed.
 */
export function contractOfColumns<Out extends object, In extends object>(
  schema: RowSchema<Out, In>,
): ContractOf<Out, In> {
  return {
    source: 'columns()',
    schema,
    check: (row) => structFault(schema, row, ''),
    plain: plainOf(schema),
  }
}

function plainOf({ fields }: StructType): PlainContract {
  return {
    fields: fields.map(({ name, type, nullable }) => ({
      name,
      required: !nullable,
      ...plainValueOf(type, nullable),
    })),
    additionalProperties: true,
  }
}

function plainValueOf(type: DataType, nullable: boolean): PlainValue {
  if (typeof type === 'string') return { type, nullable }
  switch (type.type) {
    case 'struct':
      return { type, nullable, object: plainOf(type) }
    case 'array':
      return { type, nullable, items: plainValueOf(type.elementType, type.containsNull) }
    case 'map':
      return { type, nullable, entries: plainValueOf(type.valueType, type.valueContainsNull) }
  }
}

/** Returns the pointer and the fault of the first null or absent value where the column is not nullable. */
function structFault({ fields }: StructType, value: unknown, at: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const { name, type, nullable } of fields) {
    const inner = Object.hasOwn(value, name) ? (value as Row)[name] : undefined
    const fault = valueFault(type, nullable, inner, `${at}/${name}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function valueFault(type: DataType, nullable: boolean, value: unknown, at: string): string | undefined {
  if (value === null || value === undefined)
    return nullable ? undefined : `${at} expected a value, got ${value === null ? 'null' : 'none'}`
  if (typeof type === 'string') return undefined
  if (type.type === 'struct') return structFault(type, value, at)
  if (type.type === 'array')
    return Array.isArray(value)
      ? firstFault(value.entries(), type.elementType, type.containsNull, at)
      : undefined
  return typeof value === 'object'
    ? firstFault(Object.entries(value), type.valueType, type.valueContainsNull, at)
    : undefined
}

function firstFault(
  entries: Iterable<readonly [string | number, unknown]>,
  type: DataType,
  nullable: boolean,
  at: string,
): string | undefined {
  for (const [key, value] of entries) {
    const fault = valueFault(type, nullable, value, `${at}/${key}`)
    if (fault !== undefined) return fault
  }
  return undefined
}
