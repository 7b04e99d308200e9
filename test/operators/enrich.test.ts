import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import { enrich } from '../../operators/enrich.ts'
import { rowAt } from '../../src/arrow/values.ts'
import { derivedColumn } from '../../src/enrichments/derived-column.ts'
import type { Enrichment } from '../../src/enrichments/enrichment.ts'
import { fieldOf, provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { errorOf, operatorContract, outputsOf } from '../support/flow/operator-contract.ts'

const schema = structOf({ at: 'timestamp' })
const batch = { provenance: provenanceOf(), payload: rowsOf(schema, [{ at: '2024-05-06T07:08:09Z' }, {}]) }
operatorContract('enrich', () => enrich([derivedColumn('day', 'date(at)', schema)]))

test('Columns are added in the order of the enrichments, and each sees the columns before it', () => {
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

test('Rows that an enrichment rejects become dead letters with the reason partition and its first message', () => {
  const rows = Array.from({ length: 4 }, (_, n) => ({ n }))
  const payload = rowsOf(structOf({ n: 'long' }), rows, { first: 10n })
  const rejecting = (name: string, rejected: readonly number[]): Enrichment => ({
    fields: [],
    columns: (_, reject) => {
      for (const row of rejected) reject(row, `${name} of row ${row}`)
      return []
    },
  })
  const chain = enrich([rejecting('first', [1]), rejecting('second', [1, 3])])
  const [out] = outputsOf(chain, [{ provenance: provenanceOf(), payload }])
  assert.ok(out !== undefined)
  const { columns, records, deadLetters } = out.payload
  assert.deepEqual([rowAt(columns, 0), rowAt(columns, 1), columns.length], [{ n: 0 }, { n: 2 }, 2])
  assert.deepEqual([...records], [0, 2])
  assert.deepEqual(
    deadLetters.map(({ reason, offset, message }) => [reason, offset, message]),
    [
      ['partition', 11n, 'first of row 1'],
      ['partition', 13n, 'second of row 3'],
    ],
  )
})

test('An enrichment that changes is asked once per batch, and counts from the next batch on', () => {
  let enrichment = derivedColumn('day', 'date(at)', schema)
  let asked = 0
  const changing = {
    current: (): Enrichment => {
      asked++
      return enrichment
    },
  }
  const source = new Subject<typeof batch>()
  const names: string[][] = []
  source
    .pipe(enrich([changing]))
    .subscribe(({ payload }) => names.push(payload.columns.schema.fields.map(({ name }) => name)))
  source.next(batch)
  enrichment = derivedColumn('year', 'year(at)', schema)
  source.next(batch)
  assert.deepEqual(names, [
    ['at', 'day'],
    ['at', 'year'],
  ])
  assert.equal(asked, 2)
})
