import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { checkpointKey, commitKey } from '../../../src/delta/protocol/paths.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { emptyTable, pathsOf, someAppend } from '../../delta/table.ts'
import { runTable } from './table-run.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-delta-checkpoint-'))
})
after(() => {
  rmSync(folder, { recursive: true })
})

it('a checkpoint of the latest version is written, and the table opens from it alone', async () => {
  const store = new LocalStore(join(folder, 'table'))
  await emptyTable(store)
  const writer = await openTableWriter(store)
  for (let i = 0n; i < 3n; i++)
    await writer.append(someAppend('app-0', i === 0n ? undefined : i - 1n, i, `${i}.parquet`))
  const { code, stdout, stderr } = await runTable(['checkpoint', store.uri, '--json'])
  assert.equal(stderr, '')
  assert.equal(code, 0)
  const bytes = await store.size(checkpointKey(3n))
  assert.deepEqual(JSON.parse(stdout), { version: 3, file: checkpointKey(3n), bytes, logFiles: 0 })
  for (let version = 0n; version <= 3n; version++) await store.delete(commitKey(version))
  const snapshot = await loadSnapshot(store)
  assert.deepEqual(await pathsOf(snapshot.files()), ['0.parquet', '1.parquet', '2.parquet'])
  assert.equal(snapshot.txns.get('app-0')?.version, 2n)
})

it('a location without a table is an error', async () => {
  const { code, stderr } = await runTable(['checkpoint', join(folder, 'none')])
  assert.equal(code, 1)
  assert.match(stderr, /KD_TABLE_MISSING/)
})
