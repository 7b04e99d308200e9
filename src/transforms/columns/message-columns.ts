import { findField, type DataType, type StructField, type StructType } from '../../core/schema.ts'

/**
 * Returns the columns of messages: those of the contract, with the types that rows have where a transform leaves them as
 * they are, and the further columns of rows. `before` has the columns of rows by their names in messages.
 */
export function messageColumnsOf(contract: StructType | undefined, before: StructType): StructType {
  if (contract === undefined) return before
  const fields = contract.fields.map((field): StructField => {
    const row = before.fields.find(({ name }) => name === field.name)
    return row === undefined ? field : { ...row, type: messageTypeOf(field.type, row.type) }
  })
  const further = before.fields.filter(({ name }) => findField(contract, name) === undefined)
  return { type: 'struct', fields: [...fields, ...further] }
}

function messageTypeOf(contract: DataType, row: DataType): DataType {
  if (typeof contract === 'string' || typeof row === 'string') return row
  return contract.type === 'struct' && row.type === 'struct' ? messageColumnsOf(contract, row) : row
}

/** Returns true when two types have the same fields in the same order, with nulls in the same places. */
export function isEqualType(a: DataType, b: DataType): boolean {
  if (a === b) return true
  if (typeof a === 'string' || typeof b === 'string') return false
  if (a.type === 'struct')
    return (
      b.type === 'struct' &&
      a.fields.length === b.fields.length &&
      a.fields.every((field, index) => isSameField(field, b.fields[index] as StructField))
    )
  if (a.type === 'array')
    return (
      b.type === 'array' && a.containsNull === b.containsNull && isEqualType(a.elementType, b.elementType)
    )
  return (
    b.type === 'map' &&
    a.valueContainsNull === b.valueContainsNull &&
    isEqualType(a.keyType, b.keyType) &&
    isEqualType(a.valueType, b.valueType)
  )
}

function isSameField(a: StructField, b: StructField): boolean {
  return a.name === b.name && a.nullable === b.nullable && isEqualType(a.type, b.type)
}
