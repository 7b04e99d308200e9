import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toRecordBatch, toArrowSchema } from '../../src/arrow/record-batch.ts'
import { loadContract } from '../../src/contract/contract.ts'
import { JSON_SCHEMA_DRAFTS } from '../../src/contract/json-schema/draft.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { encodeParquet } from '../../src/parquet/writer.ts'
import { rawOf } from '../support/flow/batches.ts'
import { askDuckdb, plain } from '../support/duckdb.ts'
import { messagesOfAnySchema } from '../support/values/json-schema-values.ts'
import { decodedRows, outcomesOfRows } from '../support/flow/outcomes.ts'

test('Generated messages of generated schemas of every draft have equal values when DuckDB reads the Parquet file', async (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}; TEST_SEED=${seed} repeats it`)
  await fc.assert(
    fc.asyncProperty(
      messagesOfAnySchema,
      fc.constantFrom(...JSON_SCHEMA_DRAFTS),
      fc.boolean(),
      async ({ schema, pairs }, draft, byBytes) => {
        const uri = draft.startsWith('draft') ? draft : `draft/${draft}`
        const contract = loadContract(
          { $schema: `http://json-schema.org/${uri}/schema#`, ...schema },
          { source: 'generated' },
        )
        const format = jsonFormat({ schema: contract.schema, plain: byBytes ? contract.plain : undefined })
        const decoded = decodedRows(format, contract, rawOf(pairs.map(([json]) => json)))
        assert.deepEqual(
          outcomesOfRows(decoded),
          pairs.map(([, row]) => ({ row })),
        )
        const { columns, length } = decoded.columns
        const batch = toRecordBatch(toArrowSchema(contract.schema), columns, length)
        const pieces: Uint8Array[] = []
        for await (const piece of encodeParquet([batch], { compression: 'zstd', rowGroupRows: 100 }))
          pieces.push(piece)
        const read = await askDuckdb(Buffer.concat(pieces), 'SELECT * FROM FILE')
        const names = contract.schema.fields.map(({ name }) => name)
        assert.deepEqual(
          read.map((row) => Object.fromEntries(names.map((name, i) => [name, plain(row[i] ?? null)]))),
          pairs.map(([, row]) => row),
        )
      },
    ),
    { numRuns: 40, seed },
  )
})
