import type { OperatorFunction } from 'rxjs'
import type { Rows } from '../src/arrow/rows.ts'
import type { Batch } from '../src/core/batch.ts'
import { batchStage } from '../src/core/stage.ts'
import type { Enrichment } from '../src/enrichments/enrichment.ts'

/** Adds the columns of `enrichments` to every row, in their order; each sees those before it. */
export function enrich(enrichments: readonly Enrichment[]): OperatorFunction<Batch<Rows>, Batch<Rows>> {
  return batchStage('enrich', (rows) => enrichments.reduce(withColumns, rows))
}

function withColumns(rows: Rows, enrichment: Enrichment): Rows {
  const { schema, columns, length } = rows.columns
  return {
    ...rows,
    columns: {
      schema: { type: 'struct', fields: [...schema.fields, ...enrichment.fields] },
      columns: [...columns, ...enrichment.columns(rows)],
      length,
    },
  }
}
