import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrich } from '../../operators/enrich.ts'
import { rowAt } from '../../src/arrow/values.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { generatedColumn } from '../../src/enrichments/generated-columns.ts'
import { fieldOf, provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { outputsOf } from '../support/flow/operator-contract.ts'

const table = structOf({ at: 'timestamp', day: 'date', n: 'integer', twice: 'integer' })
const day = generatedColumn(fieldOf('day', 'date'), 'CAST(at AS DATE)', table)
const twice = generatedColumn(fieldOf('twice', 'integer'), 'n * 2', table)

function enriched(schema: ReturnType<typeof structOf>, rows: readonly Record<string, unknown>[]): unknown[] {
  const batch = { provenance: provenanceOf(), payload: rowsOf(schema, rows) }
  const [out] = outputsOf(enrich([day, twice]), [batch])
  assert.ok(out !== undefined)
  return rows.map((_, row) => rowAt(out.payload.columns, row))
}

test('Columns that rows lack are computed; a row without a source value has null', () => {
  assert.deepEqual(
    enriched(structOf({ at: 'timestamp', n: 'integer' }), [
      { at: '1969-12-31T23:59:59Z', n: 1 },
      { n: 2_000_000_000 },
    ]),
    [
      { at: '1969-12-31T23:59:59.000000Z', n: 1, day: '1969-12-31', twice: 2 },
      { at: null, n: 2_000_000_000, day: null, twice: null },
    ],
  )
})

test('Columns that rows have are filled where they are null, in place; other values stay', () => {
  assert.deepEqual(
    enriched(structOf({ Day: 'date', at: 'timestamp', n: 'integer' }), [
      { at: '2026-01-02T03:00:00Z' },
      { at: '2026-01-02T03:00:00Z', Day: '2000-01-01' },
    ]),
    [
      { Day: '2026-01-02', at: '2026-01-02T03:00:00.000000Z', n: null, twice: null },
      { Day: '2000-01-01', at: '2026-01-02T03:00:00.000000Z', n: null, twice: null },
    ],
  )
})

test('An expression that cannot be evaluated is refused with the column', () => {
  assert.throws(
    () => generatedColumn(fieldOf('h', 'long'), 'xxhash64(n)', table),
    (error) =>
      error instanceof PipelineError &&
      error.code === 'KD_TABLE_UNSUPPORTED' &&
      error.message.includes('generated column h (xxhash64(n): the function XXHASH64 is not supported)'),
  )
})
