import type { StructField, StructType } from '../../core/schema.ts'
import type { IndexedColumns } from '../../parquet/statistics.ts'
import type { ColumnMapping } from '../schema/column-mapping.ts'
import { parseClusteringPaths, parseColumnPaths, STATS_COLUMNS_PROPERTY } from '../protocol/column-paths.ts'
import type { TableShape } from '../protocol/table-shape.ts'
import { numIndexedColumnsOf } from '../protocol/table-properties.ts'

/**
 * Returns the leaf columns that get statistics in new files, by physical names: those that the table property lists,
 * otherwise the first ones by count, and always the clustering columns. A struct stands for all its fields; names that
 * are not in the schema are skipped. Spec: "Per-file Statistics", "Writer Requirements for Clustered Table".
 */
export function statsColumnsOf(table: TableShape, mapping: ColumnMapping): IndexedColumns {
  const { configuration, schema } = table.metadata
  const clustering = clusteringColumnsOf(table.clustering)
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

/** Returns the clustering columns that are well-formed: statistics are optional, so a malformed domain stops no append. */
function clusteringColumnsOf(configuration: string | undefined): readonly (readonly string[])[] {
  const paths = configuration === undefined ? undefined : parseClusteringPaths(configuration)
  return (paths ?? []).filter((path) => path !== undefined)
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
