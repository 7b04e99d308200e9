import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField } from '../../core/schema.ts'
import { isWider } from '../../core/widening.ts'

/**
 * Refuses a table whose schema records a type change that the specification does not define, because its files could be
 * read wrongly. Spec: "Reader Requirements for Type Widening".
 * @throws KD_TABLE_UNSUPPORTED with the column
 * @throws KD_TABLE_CORRUPT if a recorded change is malformed
 */
export function checkTypeChanges(type: DataType, path = ''): void {
  if (typeof type === 'string') return
  switch (type.type) {
    case 'struct':
      for (const field of type.fields) {
        const column = path === '' ? field.name : `${path}.${field.name}`
        checkField(field, column)
        checkTypeChanges(field.type, column)
      }
      return
    case 'array':
      checkTypeChanges(type.elementType, `${path}.element`)
      return
    case 'map':
      checkTypeChanges(type.keyType, `${path}.key`)
      checkTypeChanges(type.valueType, `${path}.value`)
  }
}

function checkField(field: StructField, column: string): void {
  const changes = field.metadata['delta.typeChanges'] ?? []
  if (!Array.isArray(changes)) throw corrupt(column)
  for (const change of changes as readonly unknown[]) {
    if (typeof change !== 'object' || change === null) throw corrupt(column)
    const { fromType: from, toType: to } = change as { fromType?: unknown; toType?: unknown }
    if (typeof from !== 'string' || typeof to !== 'string') throw corrupt(column)
    if (isWider(from, to)) continue
    const detail = `typeWidening from ${from} to ${to} is not supported`
    throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, { column })
  }
}

function corrupt(column: string): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', 'delta.typeChanges is not a list of changes', { column })
}
