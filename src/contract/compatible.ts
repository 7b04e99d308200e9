import { PipelineError } from '../core/errors.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'

/**
 * Checks that rows of a contract, with the `extraColumns` that the pipeline adds (Kafka columns, derived columns), can be
 * appended to a table as it is: every column must be in the table under exactly its name and type, and what the table has
 * beyond them must be nullable. Nullability of shared columns is not compared: a null in a NOT NULL column is a matter of
 * the single row.
 * @throws KD_SCHEMA_MISMATCH with every fault.
 */
export function checkCompatible(
  contractSchema: StructType,
  tableSchema: StructType,
  extraColumns: readonly StructField[] = [],
): void {
  const faults: string[] = []
  const taken = new Set(contractSchema.fields.map(({ name }) => name.toLowerCase()))
  for (const { name } of extraColumns) {
    if (taken.has(name.toLowerCase())) {
      faults.push(`column ${name} comes from the contract and from the pipeline`)
    }
    taken.add(name.toLowerCase())
  }
  compareFields([...contractSchema.fields, ...extraColumns], tableSchema, '', faults)
  if (faults.length > 0) throw new PipelineError('KD_SCHEMA_MISMATCH', faults.join('; '))
}

function compareFields(
  fields: readonly StructField[],
  table: StructType,
  prefix: string,
  faults: string[],
): void {
  const columns = new Map(table.fields.map((field) => [field.name, field]))
  const folded = new Map(table.fields.map((field) => [field.name.toLowerCase(), field.name]))
  for (const { name, type } of fields) {
    const column = columns.get(name)
    const similar = folded.get(name.toLowerCase())
    if (column !== undefined) compareTypes(type, column.type, prefix + name, faults)
    else if (similar !== undefined)
      faults.push(`column ${prefix}${name} is ${prefix}${similar} in the table, and names must be equal`)
    else faults.push(`column ${prefix}${name} is not in the table`)
  }
  const given = new Set(fields.map(({ name }) => name.toLowerCase()))
  for (const { name, nullable } of table.fields) {
    if (!nullable && !given.has(name.toLowerCase())) {
      faults.push(`column ${prefix}${name} of the table is NOT NULL, and the contract lacks it`)
    }
  }
}

function compareTypes(ours: DataType, theirs: DataType, name: string, faults: string[]): void {
  if (typeof ours === 'string' || typeof theirs === 'string' || ours.type !== theirs.type) {
    if (nameOf(ours) !== nameOf(theirs)) {
      faults.push(`column ${name} is ${nameOf(ours)} by the contract and ${nameOf(theirs)} in the table`)
    }
  } else if (ours.type === 'struct' && theirs.type === 'struct') {
    compareFields(ours.fields, theirs, `${name}.`, faults)
  } else if (ours.type === 'array' && theirs.type === 'array') {
    compareTypes(ours.elementType, theirs.elementType, `${name}.element`, faults)
  } else if (ours.type === 'map' && theirs.type === 'map') {
    compareTypes(ours.keyType, theirs.keyType, `${name}.key`, faults)
    compareTypes(ours.valueType, theirs.valueType, `${name}.value`, faults)
  }
}

function nameOf(type: DataType): string {
  return typeof type === 'string' ? type.replaceAll(' ', '') : type.type
}
