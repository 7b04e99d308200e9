import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { optimizeTable } from '../../../src/delta/maintenance/optimize.ts'
import { commitKey, decodePath } from '../../../src/delta/protocol/paths.ts'
import { restoreTable } from '../../../src/delta/maintenance/restore.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { commitInfoOf } from '../../../src/delta/log/state.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { dataFile, sortedRows } from '../rows-table.ts'
import { allCommits, emptyTable, hastyClock, ONE_LONG } from '../table.ts'

/** Creates a table with `count` appends of one row, committed by `app-0`; returns the writer. */
async function filled(
  store: Store,
  count: number,
  configuration: Record<string, string> = {},
): Promise<Awaited<ReturnType<typeof openTableWriter>>> {
  await emptyTable(store, configuration)
  const writer = await openTableWriter(store, { clock: hastyClock })
  for (let i = 0; i < count; i++) await appendRow(store, writer, i)
  return writer
}

async function appendRow(
  store: Store,
  writer: Awaited<ReturnType<typeof openTableWriter>>,
  i: number,
): Promise<void> {
  const follows = i === 0 ? undefined : BigInt(i - 1)
  const outcome = await writer.append({
    adds: [await dataFile(store, ONE_LONG, [{ id: i }])],
    txns: [{ appId: 'app-0', version: BigInt(i), follows }],
    operationParameters: {},
    operationMetrics: {},
  })
  assert.equal(outcome.kind, 'committed')
}

test('The rows of an older version are restored, its txns are not, and an open writer continues', async () => {
  const store = new MemoryStore()
  const writer = await filled(store, 5)
  await optimizeTable(store)
  const done = await restoreTable(store, 3n)
  assert.equal(done.version, 7n)
  assert.equal(done.numRestoredFiles, 3)
  assert.equal(done.numRemovedFiles, 1)
  assert.deepEqual(await sortedRows(store), await sortedRows(store, 3n))
  assert.equal((await loadSnapshot(store)).txns.get('app-0')?.version, 4n)
  await appendRow(store, writer, 5)
  assert.deepEqual(await sortedRows(store), ['{"id":0}\n', '{"id":1}\n', '{"id":2}\n', '{"id":5}\n'])
})

test('The commit states RESTORE, the version, and metrics', async () => {
  const store = new MemoryStore()
  await filled(store, 3)
  await restoreTable(store, 1n)
  const commit = (await allCommits(store)).at(-1)
  assert.ok(commit !== undefined)
  const info = commitInfoOf(commit)
  assert.equal(info?.['operation'], 'RESTORE')
  assert.deepEqual(info['operationParameters'], { version: '1' })
  const metrics = info['operationMetrics'] as Record<string, string>
  assert.equal(metrics['numRemovedFiles'], '2')
  assert.equal(metrics['numRestoredFiles'], '0')
  assert.equal(metrics['numOfFilesAfterRestore'], '1')
  assert.deepEqual(new Set(commit.actions.map(({ kind }) => kind)), new Set(['commitInfo', 'remove']))
  for (const action of commit.actions) if (action.kind === 'remove') assert.ok(action.remove.dataChange)
})

test('A table that is already in the state of the version gets no new version', async () => {
  const store = new MemoryStore()
  await filled(store, 2)
  const done = await restoreTable(store, 2n)
  assert.equal(done.version, undefined)
  assert.equal((await loadSnapshot(store)).version, 2n)
})

test('Properties of the version are restored, and the table keeps its id', async () => {
  const store = new MemoryStore()
  await filled(store, 1)
  const { metadata } = await loadSnapshot(store)
  const { schema, ...rest } = metadata
  assert.equal(schema.fields.length, 1)
  const changed = { ...rest, schemaString: metadata.schemaString ?? '', configuration: { a: 'b' } }
  const metaData = { ...changed, format: { provider: 'parquet', options: {} } }
  await store.put(commitKey(2n), serialiseActions([{ kind: 'metaData', metaData }]))
  await restoreTable(store, 1n)
  const after = (await loadSnapshot(store)).metadata
  assert.deepEqual(after.configuration, {})
  assert.equal(after.id, metadata.id)
})

test('A table whose column has half of a surrogate pair in its name can still be read, appended to and restored', async () => {
  const store = new MemoryStore()
  const writer = await filled(store, 1)
  const { schema, ...rest } = writer.metadata
  const broken = { ...(schema.fields[0] as (typeof schema.fields)[0]), name: 'x\ud800' }
  const metaData = {
    ...rest,
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify({ type: 'struct', fields: [...schema.fields, broken] }),
  }
  await store.put(commitKey(2n), Buffer.from(JSON.stringify({ metaData })))
  await appendRow(store, await openTableWriter(store, { clock: hastyClock, random: () => 0 }), 1)
  assert.equal((await loadSnapshot(store)).metadata.schema.fields[1]?.name, 'x\ud800')
  await restoreTable(store, 1n)
  assert.deepEqual((await loadSnapshot(store)).metadata.schema, ONE_LONG)
  await assert.rejects(restoreTable(store, 3n), { code: 'KD_COMMAND_INVALID', message: /surrogate/ })
})

test('A version with missing data files is refused by their names, and nothing is written', async () => {
  const store = new MemoryStore()
  await filled(store, 3)
  await optimizeTable(store)
  for await (const { path } of (await loadSnapshot(store, { version: 1n })).files())
    await store.delete(decodePath(path))
  await assert.rejects(restoreTable(store, 2n), {
    code: 'KD_COMMAND_INVALID',
    message: /1 data files .* missing/,
  })
  assert.equal((await loadSnapshot(store)).version, 4n)
})

test('An append-only table and a version that does not exist are refused', async () => {
  const store = new MemoryStore()
  await filled(store, 2, { 'delta.appendOnly': 'TRUE' })
  await assert.rejects(restoreTable(store, 1n), { code: 'KD_COMMAND_INVALID', message: /append-only/ })
  const other = new MemoryStore()
  await filled(other, 1)
  await assert.rejects(restoreTable(other, 9n), { code: 'KD_COMMAND_INVALID' })
})

test('An append in between is removed like the others: the difference is computed again', async () => {
  const shared = `restore-${Math.random()}`
  const other = new MemoryStore(shared)
  const rival = { armed: false }
  const store = new MemoryStore(shared, {
    fault: async ({ operation }) => {
      if (operation !== 'putIfAbsent' || !rival.armed) return undefined
      rival.armed = false
      await appendRow(other, await openTableWriter(other), 2)
      return undefined
    },
  })
  await filled(other, 2)
  rival.armed = true
  const done = await restoreTable(store, 1n)
  assert.equal(done.version, 4n)
  assert.equal(done.numRemovedFiles, 2)
  assert.deepEqual(await sortedRows(store), ['{"id":0}\n'])
  assert.equal((await loadSnapshot(store)).txns.get('app-0')?.version, 2n)
})
