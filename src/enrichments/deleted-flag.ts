import { FixedBuilder } from '../arrow/fixed-builder.ts'
import type { StructField } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'

/** The column that tells rows of tombstones from all others. */
export const DELETED_FIELD: StructField = { name: '_deleted', type: 'boolean', nullable: true, metadata: {} }

/** Adds `_deleted`: true for rows that were made of a tombstone, false for all others. */
export function deletedFlag(): Enrichment {
  const builder = new FixedBuilder('boolean')
  return {
    fields: [DELETED_FIELD],
    columns: ({ records, deleted }) => {
      for (const record of records) builder.appendNumber(deleted?.has(record) === true ? 1 : 0)
      return [builder.finish()]
    },
  }
}
