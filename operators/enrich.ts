import type { OperatorFunction } from 'rxjs'
import { indexNamed } from '../src/arrow/gather.ts'
import type { Rows } from '../src/arrow/rows.ts'
import type { Batch } from '../src/core/batch.ts'
import { batchStage } from '../src/core/stage.ts'
import type { Enrichment } from '../src/enrichments/enrichment.ts'

/**
 * Adds the columns of `enrichments` to every row, in their order; each sees those before it. A column of a name that the
 * rows have already takes the place of theirs.
 */
export function enrich(enrichments: readonly Enrichment[]): OperatorFunction<Batch<Rows>, Batch<Rows>> {
  return batchStage('enrich', (rows) => enrichments.reduce(withColumns, rows))
}

function withColumns(rows: Rows, enrichment: Enrichment): Rows {
  const { schema, columns, length } = rows.columns
  const fields = [...schema.fields]
  const all = [...columns]
  for (const [index, column] of enrichment.columns(rows).entries()) {
    const field = enrichment.fields[index]
    if (field === undefined) throw new Error('Broken invariant: a column without a field')
    const at = indexNamed(fields, field.name)
    fields[at < 0 ? fields.length : at] = { ...field, name: fields[at]?.name ?? field.name }
    all[at < 0 ? all.length : at] = column
  }
  return { ...rows, columns: { schema: { type: 'struct', fields }, columns: all, length } }
}
