import { StructBuilder } from '../arrow/builder.ts'
import type { Column } from '../arrow/column.ts'
import type { Row, Rows } from '../arrow/rows.ts'
import { valueAt } from '../arrow/values.ts'
import { ExactNumber } from '../core/exact.ts'
import type { StructField } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'
import { findSourceColumn } from './source-column.ts'

/** Maps the key as text, such as `42` for the number 42, to a row of a reference table. */
export type ReferenceTable = ReadonlyMap<string, Row>

/** Describes how a reference table is looked up. */
export interface LookupOptions {
  /** The column that holds the key, or a struct field by its path, such as `customer.id` or `"customer.id"`. */
  readonly from: string
  /** The columns taken from the reference table, by their names there; all of them are nullable. */
  readonly fields: readonly StructField[]
  /**
   * Returns the reference table. Called once per batch, so that a newer table replaces an older one between two
   * batches.
   */
  readonly reference: () => ReferenceTable
  /** Handling of a row whose key is not in the reference table: nulls (default), or a dead letter. */
  readonly unknown?: 'null' | 'reject'
}

/**
 * Returns an enrichment that adds columns from a reference table in memory: each row gets the columns stored under
 * its key. A row without a key gets nulls. A reference value that does not fit its field rejects the row.
 *
 * A row contains the state of the reference table at the time it is read. A record that is read again after a failure
 * uses the state at that later time, and is still written exactly once.
 */
export function lookupColumns({ from, fields, reference, unknown = 'null' }: LookupOptions): Enrichment {
  const type = { type: 'struct', fields } as const
  return {
    fields,
    columns: (rows, reject) => {
      const builder = new StructBuilder(type)
      const held = reference()
      const keys = keysOf(rows, from)
      for (let row = 0; row < rows.columns.length; row++) {
        const key = keys?.(row)
        const found = key === undefined ? undefined : held.get(key)
        if (key !== undefined && found === undefined && unknown === 'reject')
          reject(row, `${from} ${key} is not in the reference table`)
        const fault = builder.append(found ?? {})
        if (fault === undefined) continue
        builder.truncate(row)
        builder.appendNull()
        reject(row, `the reference value does not fit: ${fault}`)
      }
      return builder.finishColumns().columns
    },
  }
}

/** Returns the key of a row as text (JSON when it is nested), or `undefined` for a row without a key. */
function keysOf(rows: Rows, from: string): ((row: number) => string | undefined) | undefined {
  const column: Column | undefined = findSourceColumn(rows.columns.schema, from)?.columnOf(rows)
  if (column === undefined) return undefined
  return (row) => {
    const value = valueAt(column, row)
    return value === null ? undefined : textOf(value)
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value.toString()
  return value instanceof ExactNumber ? value.text : JSON.stringify(value)
}
