import type { StructType } from '../core/schema.ts'
import type { ColumnFault, WriterSchema } from './format.ts'

/** Holds the columns that a schema describes, and the fields that are none of them. */
export interface SchemaColumns {
  readonly columns: StructType
  readonly columnFaults: readonly ColumnFault[]
}

/** Returns a writer's schema whose columns `derive` makes when they are first read. Most are never read. */
export function lazyWriterSchema(derive: () => SchemaColumns): WriterSchema {
  let derived: SchemaColumns | undefined
  const get = (): SchemaColumns => (derived ??= derive())
  return {
    get columns() {
      return get().columns
    },
    get columnFaults() {
      return get().columnFaults
    },
  }
}
