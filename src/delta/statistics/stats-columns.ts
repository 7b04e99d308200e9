import type { StructField, StructType } from '../../core/schema.ts'
import type { IndexedColumns } from '../../parquet/statistics.ts'
import { parseJson } from '../protocol/action-json.ts'
import type { ColumnMapping } from '../schema/column-mapping.ts'
import { columnPaths, STATS_COLUMNS_PROPERTY } from '../protocol/column-paths.ts'
import { asStrings } from '../protocol/fields.ts'
import { isRecord } from './stats.ts'
import type { TableShape } from '../protocol/table-shape.ts'
import { indexedColumns } from '../protocol/table-properties.ts'

/**
 * The leaf columns of which new files of the table have statistics, by the names that files know: those that the property
 * lists, otherwise the first so and so many; and in any case those that the table is clustered by. A struct stands for all
 * of its fields; what is not in the schema is passed over.
 * Spec: "Per-file Statistics", "Writer Requirements for Clustered Table".
 */
export function statsColumnsOf(table: TableShape, mapping: ColumnMapping): IndexedColumns {
  const { configuration, schema } = table.metadata
  const clustering = clusteringPaths(table.clustering)
  const names = columnPaths(configuration[STATS_COLUMNS_PROPERTY] ?? '')
  if (names === undefined || names.length === 0) {
    return { first: indexedColumns(configuration), paths: clustering }
  }
  const listed = names.flatMap((name) => {
    const path = physicalPath(schema, name, mapping)
    return path === undefined ? [] : [path]
  })
  return { first: 0, paths: [...listed, ...clustering] }
}

/** The columns by which a table is clustered, as its domain has them: each a path of physical names, or one name. Spec: "Clustered Table". */
function clusteringPaths(configuration: string | undefined): readonly (readonly string[])[] {
  if (configuration === undefined) return []
  let parsed: unknown
  try {
    parsed = parseJson(configuration)
  } catch {
    // Statistics are optional, so nothing that cannot be read here stops an append.
    return []
  }
  const columns = isRecord(parsed) ? parsed['clusteringColumns'] : undefined
  if (!Array.isArray(columns)) return []
  return columns.flatMap((column: unknown) => {
    const path = typeof column === 'string' ? [column] : asStrings(column)
    return path === undefined ? [] : [path]
  })
}

/** Names as engines compare them: whatever their case. */
function physicalPath(
  schema: StructType,
  names: readonly string[],
  mapping: ColumnMapping,
): readonly string[] | undefined {
  const path: string[] = []
  let fields: readonly StructField[] = schema.fields
  for (const name of names) {
    const field = fields.find((one) => one.name.toLowerCase() === name.toLowerCase())
    if (field === undefined) return undefined
    path.push(mapping.physicalName(field))
    fields = typeof field.type !== 'string' && field.type.type === 'struct' ? field.type.fields : []
  }
  return path
}
