import type { StructType } from '../../../src/core/schema.ts'
import { layoutOf, type Layout } from '../../../src/delta/files/layout.ts'
import type { TableShape } from '../../../src/delta/protocol/table-shape.ts'

/** The table that has nothing but these columns and properties. */
export function shapeOf(
  schema: StructType,
  partitionColumns: readonly string[] = [],
  configuration: Readonly<Record<string, string>> = {},
): TableShape {
  return {
    protocol: { minReaderVersion: 1, minWriterVersion: 2 },
    metadata: { id: 'a-table', schema, partitionColumns, configuration },
  }
}

/** What its files must be. */
export function layoutFor(
  schema: StructType,
  partitionColumns: readonly string[] = [],
  configuration: Readonly<Record<string, string>> = {},
): Layout {
  return layoutOf(shapeOf(schema, partitionColumns, configuration))
}
