import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { Table as WasmTable, writeParquet } from 'parquet-wasm'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { duckdbLines } from '../duckdb.ts'
import { emptyTable, someAppend } from '../table.ts'

test('A written table has the rows that DuckDB finds in its files; limits and columns are applied', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-'))
  try {
    const store = new LocalStore(folder)
    await emptyTable(store)
    const writer = await openTableWriter(store)
    for (let i = 0n; i < 3n; i++) {
      const rows = tableFromArrays({ id: BigInt64Array.of(2n ** 53n + 1n, i) })
      await store.put(`${i}.parquet`, writeParquet(WasmTable.fromIPCStream(tableToIPC(rows, 'stream'))))
      await writer.append(someAppend('app-0', i === 0n ? undefined : i - 1n, i, `${i}.parquet`))
    }
    const snapshot = await loadSnapshot(store)
    const linesOf = async (options: Parameters<typeof readRowLines>[2]): Promise<string[]> => {
      const lines: string[] = []
      for await (const line of readRowLines(store, snapshot, options)) lines.push(line)
      return lines
    }
    const all = await linesOf({})
    assert.deepEqual([...all].sort(), (await duckdbLines(`${folder}/*.parquet`, ['id'])).sort())
    assert.equal(all[0], '{"id":9007199254740993}\n')
    assert.deepEqual(await linesOf({ limit: 3 }), all.slice(0, 3))
    await assert.rejects(linesOf({ columns: ['none'] }), { code: 'KD_COMMAND_INVALID' })
  } finally {
    await rm(folder, { recursive: true })
  }
})
