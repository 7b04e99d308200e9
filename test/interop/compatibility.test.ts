// Goal: other engines read the tables of docs/compatibility.md with the values that the page states.
// Method: each table is made as in test/compatibility, then delta-rs and DuckDB read it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ROWS } from '../compatibility/producers.ts'
import { carryRow } from '../compatibility/support/carry.ts'
import { READERS, readersForTests } from './support/readers.ts'
import { assertSameRows } from './support/same-rows.ts'

describe('Tables of docs/compatibility.md', () => {
  for (const row of ROWS.filter(({ expected }) => expected.columns !== undefined))
    test(row.id, async () => {
      const readers = await readersForTests()
      await carryRow(row, async (uri) => {
        for (const reader of readers === undefined ? [] : READERS) {
          const read = async (): Promise<void> =>
            assertSameRows((await readers?.rows(reader, uri)) ?? [], row.expected.rows ?? [], reader)
          const refusal = row.notRead?.[reader]
          if (refusal === undefined) await read()
          else await assert.rejects(read, refusal)
        }
      })
    })
})
