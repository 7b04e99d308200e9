import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrich } from '../../operators/enrich.ts'
import { rowAt } from '../../src/arrow/values.ts'
import { derivedColumn } from '../../src/enrichments/derived-column.ts'
import type { Enrichment } from '../../src/enrichments/enrichment.ts'
import { fieldOf, provenanceOf, rowsOf, structOf } from '../support/batches.ts'
import { errorOf, operatorContract, outputsOf } from '../support/operator-contract.ts'

const schema = structOf({ at: 'timestamp' })
const batch = { provenance: provenanceOf(), payload: rowsOf(schema, [{ at: '2024-05-06T07:08:09Z' }, {}]) }
operatorContract('enrich', () => enrich([derivedColumn('day', 'date(at)', schema)]))

test('Columns are added in the order of the enrichments, each of which sees those before it', () => {
  const day = derivedColumn('day', 'date(at)', schema)
  const year = derivedColumn('year', 'year(day)', structOf({ at: 'timestamp', day: 'date' }))
  const [out] = outputsOf(enrich([day, year]), [batch])
  assert.ok(out !== undefined)
  const { columns } = out.payload
  assert.deepEqual(
    [rowAt(columns, 0), rowAt(columns, 1)],
    [
      { at: '2024-05-06T07:08:09.000000Z', day: '2024-05-06', year: 2024 },
      { at: null, day: null, year: null },
    ],
  )
  assert.equal(out.provenance, batch.provenance)
  assert.equal(out.payload.records, batch.payload.records)
})

test('Without enrichments, and without rows, nothing changes', () => {
  const [same, none] = outputsOf(enrich([]), [batch, { ...batch, payload: rowsOf(schema, []) }])
  assert.deepEqual([same?.payload.columns.schema.fields.length, none?.payload.columns.length], [1, 0])
})

test('An enrichment that throws stops the stream', () => {
  const broken: Enrichment = {
    fields: [fieldOf('x', 'long')],
    columns: () => {
      throw new Error('a bug')
    },
  }
  assert.match(String(errorOf(enrich([broken]), batch)), /a bug/)
})
