import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toArrowSchema, toRecordBatch } from '../../src/arrow/record-batch.ts'
import { columnsWithoutDictionary } from '../../src/parquet/dictionary.ts'
import { columnsOf, structOf } from '../support/flow/batches.ts'
import { askDuckdb } from '../support/duckdb.ts'
import { fileOf } from '../support/values/parquet-file.ts'

const SCHEMA = structOf({
  id: 'long',
  kind: 'string',
  amount: 'decimal(20,2)',
  nothing: 'string',
  inner: structOf({ uuid: 'string', country: 'string' }),
  tags: { type: 'array', elementType: 'string', containsNull: true },
})
const ROWS = Array.from({ length: 5_000 }, (_, i) => ({
  id: i,
  kind: `kind ${i % 7}`,
  amount: i,
  nothing: null,
  inner: i % 3 === 0 ? null : { uuid: `uuid ${i}`, country: 'DE' },
  tags: [`tag ${i}`],
}))

test('Columns of mostly distinct values get no dictionary; columns of few values or nulls, elements and fields keep it', () => {
  const batch = toRecordBatch(toArrowSchema(SCHEMA), columnsOf(SCHEMA, ROWS).columns, ROWS.length)
  assert.deepEqual(columnsWithoutDictionary(batch), ['id', 'amount'])
})

test('The file has dictionaries for the other columns', async () => {
  const file = await fileOf(SCHEMA, [ROWS])
  const rows = await askDuckdb(
    file,
    "SELECT path_in_schema, encodings LIKE '%DICTIONARY%' FROM parquet_metadata(PATH) ORDER BY column_id",
  )
  assert.deepEqual(
    rows.filter(([, has]) => has === false).map(([path]) => path),
    ['id', 'amount'],
  )
})
