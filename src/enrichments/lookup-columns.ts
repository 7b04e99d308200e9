import { StructBuilder } from '../arrow/builder.ts'
import type { Column } from '../arrow/column.ts'
import type { Row, Rows } from '../arrow/rows.ts'
import { valueAt } from '../arrow/values.ts'
import { Exact } from '../core/exact.ts'
import type { StructField } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'
import { sourceColumn } from './source-column.ts'

/** Rows of a reference table by their key as text: `42` for the number 42. */
export type Reference = ReadonlyMap<string, Row>

/** How a reference is looked up. */
export interface LookupOptions {
  /** The column whose value is the key, or a field of structs by its dotted path. */
  readonly from: string
  /** The columns that are taken from the reference, by their names there; all of them nullable. */
  readonly fields: readonly StructField[]
  /** Asked once for each batch, so that a newer reference takes the place of an older one between two batches. */
  readonly reference: () => Reference
  /** What becomes of a row whose key is not in the reference: nulls (by default), or a dead letter. */
  readonly unknown?: 'null' | 'reject'
}

/**
 * Columns from a reference table that fits into memory: each row gets what the reference holds under the row's key. A row
 * without a key gets nulls. A reference value that does not fit its field rejects the row.
 *
 * A row is what the reference says when it is read. Read again after a failure, it is what the reference says then; it is
 * there once all the same.
 */
export function lookupColumns({ from, fields, reference, unknown = 'null' }: LookupOptions): Enrichment {
  const builder = new StructBuilder({ type: 'struct', fields })
  return {
    fields,
    columns: (rows, reject) => {
      const held = reference()
      const keys = keysOf(rows, from)
      for (let row = 0; row < rows.columns.length; row++) {
        const key = keys?.(row)
        const found = key === undefined ? undefined : held.get(key)
        if (key !== undefined && found === undefined && unknown === 'reject')
          reject(row, `${from} ${key} is not in the reference`)
        const fault = builder.append(found ?? {})
        if (fault === undefined) continue
        builder.truncate(row)
        builder.appendNull()
        reject(row, `the reference does not fit: ${fault}`)
      }
      return builder.finishColumns().columns
    },
  }
}

/** The key of a row as text, JSON where it is nested; `undefined` for a row without one. */
function keysOf(rows: Rows, from: string): ((row: number) => string | undefined) | undefined {
  const column: Column | undefined = sourceColumn(rows.columns.schema, from)?.of(rows)
  if (column === undefined) return undefined
  return (row) => {
    const value = valueAt(column, row)
    return value === null ? undefined : textOf(value)
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Exact ? value.text : JSON.stringify(value)
}
