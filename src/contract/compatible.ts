import { PipelineError } from '../core/errors.ts'
import { type DataType, findField, type StructField, type StructType } from '../core/schema.ts'

/**
 * Checks that rows of a contract, with the `extraColumns` that the pipeline adds (Kafka columns, derived columns),
 * can be written to a table at all: no column comes from both, and a table column that neither provides is nullable
 * or has a default. Types are not compared. Neither is the nullability of columns that both have, because a null in a
 * NOT NULL column concerns only its own row.
 * @throws KD_SCHEMA_MISMATCH with every fault
 */
export function checkCompatible(
  contractSchema: StructType,
  tableSchema: StructType,
  extraColumns: readonly StructField[] = [],
): void {
  const faults = extraColumns
    .filter(({ name }) => findField(contractSchema, name) !== undefined)
    .map(({ name }) => `column ${name} is defined by both the contract and the pipeline`)
  const rows: StructType = { type: 'struct', fields: [...contractSchema.fields, ...extraColumns] }
  faults.push(...missingColumnFaults(rows, tableSchema, ''))
  if (faults.length > 0) throw new PipelineError('KD_SCHEMA_MISMATCH', faults.join('; '))
}

function missingColumnFaults(rows: DataType, table: DataType, path: string): readonly string[] {
  if (typeof rows === 'string' || typeof table === 'string') return []
  const below = path === '' ? '' : `${path}.`
  if (rows.type === 'struct' && table.type === 'struct') {
    return table.fields.flatMap(({ name, type, nullable, metadata }) => {
      const field = findField(rows, name)
      if (field !== undefined) return missingColumnFaults(field.type, type, below + name)
      // Spec: "Default Columns".
      const hasDefault = path === '' && Object.hasOwn(metadata, 'CURRENT_DEFAULT')
      return nullable || hasDefault
        ? []
        : [`table column ${below}${name} is NOT NULL, but the contract does not have it`]
    })
  }
  if (rows.type === 'array' && table.type === 'array')
    return missingColumnFaults(rows.elementType, table.elementType, `${below}element`)
  return rows.type === 'map' && table.type === 'map'
    ? missingColumnFaults(rows.valueType, table.valueType, `${below}value`)
    : []
}
