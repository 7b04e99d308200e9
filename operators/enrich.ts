import type { OperatorFunction } from 'rxjs'
import { fieldIndexOf } from '../src/arrow/gather.ts'
import { rejectRows, type Rows } from '../src/arrow/rows.ts'
import type { Batch } from '../src/core/batch.ts'
import { currentOf, type Changing } from '../src/core/changing.ts'
import { withoutPromise } from '../src/core/stage/promise-like.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import type { Enrichment, Reject } from '../src/enrichments/enrichment.ts'

/**
 * Adds the columns of `enrichments` to every row, in order; each enrichment sees the columns of those before it. A column
 * replaces an existing column of the same name. Rows that an enrichment rejects become dead letters with its first reason.
 * An enrichment that changes is asked once per batch.
 */
export function enrich(
  enrichments: readonly (Enrichment | Changing<Enrichment>)[],
): OperatorFunction<Batch<Rows>, Batch<Rows>> {
  return batchStage('enrich', (rows) => {
    const rejected = new Map<number, string>()
    const reject: Reject = (row, message) => {
      if (!rejected.has(row)) rejected.set(row, message)
    }
    const all = enrichments.reduce(
      (before, enrichment) => withColumns(before, currentOf(enrichment), reject),
      rows,
    )
    return rejectRows(all, rejected, 'partition')
  })
}

function withColumns(rows: Rows, enrichment: Enrichment, reject: Reject): Rows {
  const { schema, columns, length } = rows.columns
  const fields = [...schema.fields]
  const all = [...columns]
  const names = enrichment.fields.map(({ name }) => name).join(', ')
  const made = withoutPromise(enrichment.columns(rows, reject), `columns of the enrichment for ${names}`)
  for (const [index, column] of made.entries()) {
    const field = enrichment.fields[index]
    if (field === undefined) throw new Error('Broken invariant: a column without a field')
    const at = fieldIndexOf(fields, field.name)
    fields[at < 0 ? fields.length : at] = { ...field, name: fields[at]?.name ?? field.name }
    all[at < 0 ? all.length : at] = column
  }
  return { ...rows, columns: { schema: { type: 'struct', fields }, columns: all, length } }
}
