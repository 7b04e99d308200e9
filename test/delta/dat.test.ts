// The reference tables of the Delta project (Delta Acceptance Testing): the rows of every expected version equal those
// that DuckDB finds in the expected Parquet files, and tables with unsupported features are refused by the feature's
// name.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { readRowLines } from '../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { duckdbLines } from './duckdb.ts'

const FOLDER = new URL('../fixtures/dat/', import.meta.url).pathname

/** Features for which appends to readable tables are refused. */
const NOT_WRITTEN: Readonly<Record<string, string>> = {
  iceberg_compat_v1: 'icebergCompatV1',
  generated_columns: 'generatedColumns',
}

for (const name of readdirSync(FOLDER)) {
  const store = new LocalStore(`${FOLDER}${name}/delta`)
  const forbidden = NOT_WRITTEN[name]
  test(`The reference table ${name} is ${forbidden === undefined ? 'open to' : 'closed to'} appends`, async () => {
    if (forbidden === undefined) await openTableWriter(store)
    else await assert.rejects(openTableWriter(store), refusedFor(forbidden))
  })

  for (const expected of readdirSync(`${FOLDER}${name}/expected`)) {
    test(`The reference table ${name} at ${expected} has the expected rows`, async () => {
      const version = expected === 'latest' ? undefined : BigInt(expected.slice(1))
      const snapshot = await loadSnapshot(store, { version })
      const lines: string[] = []
      for await (const line of readRowLines(store, snapshot)) lines.push(line)
      const columns = snapshot.schema.fields.map((field) => field.name)
      const theirs = await duckdbLines(
        `${FOLDER}${name}/expected/${expected}/table_content/*.parquet`,
        columns,
      )
      assert.deepEqual(lines.sort(), theirs.sort())
      assert.ok(lines.length > 0)
    })
  }
}

function refusedFor(feature: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'KD_TABLE_UNSUPPORTED')
    assert.match(error.message, new RegExp(`\\b${feature}\\b`))
    return true
  }
}
