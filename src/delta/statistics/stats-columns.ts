import type { StructField, StructType } from '../../core/schema.ts'
import type { IndexedColumns } from '../../parquet/statistics.ts'
import { parseJson } from '../protocol/action-json.ts'
import type { ColumnMapping } from '../schema/column-mapping.ts'
import { parseColumnPaths, STATS_COLUMNS_PROPERTY } from '../protocol/column-paths.ts'
import { asStrings } from '../protocol/fields.ts'
import { isPlainObject } from './stats.ts'
import type { TableShape } from '../protocol/table-shape.ts'
import { numIndexedColumnsOf } from '../protocol/table-properties.ts'

/**
 * Returns the leaf columns that get statistics in new files, by physical names: those that the table property lists,
 * otherwise the first ones by count, and always the clustering columns. A struct stands for all its fields; names that
 * are not in the schema are skipped. Spec: "Per-file Statistics", "Writer Requirements for Clustered Table".
 */
export function statsColumnsOf(table: TableShape, mapping: ColumnMapping): IndexedColumns {
  const { configuration, schema } = table.metadata
  const clustering = clusteringPaths(table.clustering)
  const names = parseColumnPaths(configuration[STATS_COLUMNS_PROPERTY] ?? '')
  if (names === undefined || names.length === 0) {
    return { first: numIndexedColumnsOf(configuration), paths: clustering }
  }
  const listed = names.flatMap((name) => {
    const path = physicalPath(schema, name, mapping)
    return path === undefined ? [] : [path]
  })
  return { first: 0, paths: [...listed, ...clustering] }
}

/**
 * Parses the clustering columns of the domain: each is a path of physical names, or a single name. Spec: "Clustered
 * Table".
 */
function clusteringPaths(configuration: string | undefined): readonly (readonly string[])[] {
  if (configuration === undefined) return []
  let parsed: unknown
  try {
    parsed = parseJson(configuration)
  } catch {
    // Statistics are optional, so a malformed domain must not stop an append.
    return []
  }
  const columns = isPlainObject(parsed) ? parsed['clusteringColumns'] : undefined
  if (!Array.isArray(columns)) return []
  return columns.flatMap((column: unknown) => {
    const path = typeof column === 'string' ? [column] : asStrings(column)
    return path === undefined ? [] : [path]
  })
}

/** Finds a column by names, compared without case as other engines do. */
function physicalPath(
  schema: StructType,
  names: readonly string[],
  mapping: ColumnMapping,
): readonly string[] | undefined {
  const path: string[] = []
  let fields: readonly StructField[] = schema.fields
  for (const name of names) {
    const field = fields.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase())
    if (field === undefined) return undefined
    path.push(mapping.physicalName(field))
    fields = typeof field.type !== 'string' && field.type.type === 'struct' ? field.type.fields : []
  }
  return path
}
