import { FixedBuilder } from '../arrow/fixed-builder.ts'
import type { StructField } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'

/** The column that is true in the rows of tombstones. */
export const DELETED_FIELD: StructField = { name: '_deleted', type: 'boolean', nullable: true, metadata: {} }

/** Adds `_deleted`: true for rows made from a tombstone, false for all others. */
export function deletedColumn(): Enrichment {
  const builder = new FixedBuilder('boolean')
  return {
    fields: [DELETED_FIELD],
    columns: ({ records, deleted }) => {
      for (const record of records) builder.appendNumber(deleted?.has(record) === true ? 1 : 0)
      return [builder.finish()]
    },
  }
}
