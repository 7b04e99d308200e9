import { PipelineError } from '../core/errors.ts'
import { type DataType, fieldNamed, type StructField, type StructType } from '../core/schema.ts'

/**
 * Checks what no change of the table could mend for rows of a contract with the `extraColumns` that the pipeline adds
 * (Kafka columns, derived columns): a column comes from one of both, and a column of the table that neither has is
 * nullable or has a default. Types are not compared, and nor is the nullability of columns that both have: a null in a NOT NULL column is a
 * matter of the single row.
 * @throws KD_SCHEMA_MISMATCH with every fault.
 */
export function checkCompatible(
  contractSchema: StructType,
  tableSchema: StructType,
  extraColumns: readonly StructField[] = [],
): void {
  const faults = extraColumns
    .filter(({ name }) => fieldNamed(contractSchema, name) !== undefined)
    .map(({ name }) => `column ${name} comes from the contract and from the pipeline`)
  const ours: StructType = { type: 'struct', fields: [...contractSchema.fields, ...extraColumns] }
  faults.push(...lackingFaults(ours, tableSchema, ''))
  if (faults.length > 0) throw new PipelineError('KD_SCHEMA_MISMATCH', faults.join('; '))
}

function lackingFaults(ours: DataType, table: DataType, path: string): readonly string[] {
  if (typeof ours === 'string' || typeof table === 'string') return []
  const below = path === '' ? '' : `${path}.`
  if (ours.type === 'struct' && table.type === 'struct') {
    return table.fields.flatMap(({ name, type, nullable, metadata }) => {
      const field = fieldNamed(ours, name)
      if (field !== undefined) return lackingFaults(field.type, type, below + name)
      // Spec: "Default Columns".
      const hasDefault = path === '' && Object.hasOwn(metadata, 'CURRENT_DEFAULT')
      return nullable || hasDefault
        ? []
        : [`column ${below}${name} of the table is NOT NULL, and the contract lacks it`]
    })
  }
  if (ours.type === 'array' && table.type === 'array')
    return lackingFaults(ours.elementType, table.elementType, `${below}element`)
  return ours.type === 'map' && table.type === 'map'
    ? lackingFaults(ours.valueType, table.valueType, `${below}value`)
    : []
}
