// Tables that Spark wrote, with features that matter for rewritten files.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readParquetSchema } from '../../../src/parquet/reader.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import type { Action, Add } from '../../../src/delta/protocol/actions.ts'
import { optimizeTable } from '../../../src/delta/maintenance/optimize.ts'
import { commitKey, decodePath } from '../../../src/delta/protocol/paths.ts'
import { readFileRows, rewritePlanOf } from '../../../src/delta/rewrite/data-file.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { commitInfoOf } from '../../../src/delta/log/state.ts'
import { recordCountOf } from '../../../src/delta/statistics/stats.ts'
import { readCommitsFrom } from '../../../src/delta/commit/commit.ts'
import { verifyTable } from '../../../src/delta/maintenance/verify.ts'
import { longAt } from '../../../src/arrow/values.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { sortedRows } from '../rows-table.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures')

/** Copies a fixture table `dat/…` or `spark/…` to memory. */
async function copyOf(name: string): Promise<Store> {
  const store = new MemoryStore()
  const folder = join(FIXTURES, name, 'delta')
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    if (!path.isFile() || (path.name.startsWith('.') && path.name.endsWith('.crc'))) continue
    const file = join(path.parentPath, path.name)
    await store.put(file.slice(folder.length + 1), readFileSync(file))
  }
  return store
}

async function filesOf(store: Store): Promise<Add[]> {
  const adds: Add[] = []
  for await (const add of (await loadSnapshot(store)).files()) adds.push(add)
  return adds
}

/** Adds a copy of every file to the table, so that there is something to pack. */
async function twice(store: Store): Promise<Add[]> {
  const { version } = await loadSnapshot(store)
  const actions: Action[] = []
  let mark = 1_000n
  const copies = (await filesOf(store)).map((add): Add => {
    const { partitionValues, size, stats = '{}' } = add
    const file = { partitionValues, size, stats, modificationTime: 0, dataChange: true }
    const copy: Add = { ...file, path: `copy-${actions.length}-${add.path.replaceAll('/', '-')}` }
    if (add.baseRowId === undefined) return copy
    mark += 1_000n
    return { ...copy, baseRowId: mark, defaultRowCommitVersion: version + 1n }
  })
  for (const [at, add] of (await filesOf(store)).entries()) {
    const copy = copies[at] as Add
    await store.put(copy.path, await store.get(decodePath(add.path)))
    actions.push({ kind: 'add', add: copy })
  }
  const configuration = `{"rowIdHighWaterMark":${mark + 999n}}`
  actions.push({
    kind: 'domainMetadata',
    domainMetadata: { domain: 'delta.rowTracking', configuration, removed: false },
  })
  const inCommitTimestamp = Date.now()
  const info: Action = { kind: 'commitInfo', commitInfo: { inCommitTimestamp } }
  await store.put(commitKey(version + 1n), serialiseActions([info, ...actions]))
  return copies
}

async function problemsOf(store: Store): Promise<string[]> {
  const problems: string[] = []
  await verifyTable(store, {
    onProblem: ({ kind, detail }) => {
      problems.push(`${kind}: ${detail}`)
      return Promise.resolve()
    },
  })
  return problems
}

for (const name of [
  'spark/column_mapping_id',
  'spark/column_mapping_later',
  'spark/column_mapping_name',
  'spark/deletion_vectors',
  'spark/in_commit_timestamps',
  'spark/many_features',
  'spark/type_widening',
  'spark/v2_checkpoint_json',
  'spark/v2_checkpoint_parquet',
  'dat/column_mapping',
  'dat/deletion_vectors',
  'dat/timestamp_ntz',
]) {
  test(`${name} has the same rows after packing, and verifies before and after`, async () => {
    const store = await copyOf(name)
    await twice(store)
    const rows = await sortedRows(store)
    assert.deepEqual(await problemsOf(store), [])
    const before = await filesOf(store)
    const done = await optimizeTable(store)
    assert.deepEqual(done.givenUp, [])
    assert.deepEqual(await sortedRows(store), rows)
    assert.deepEqual(await problemsOf(store), [])
    assert.ok((await filesOf(store)).length < before.length)
    assert.equal((await optimizeTable(store)).commits, 0)
  })
}

test('Rows that deletion vectors delete are dropped with the vectors, even from a file alone', async () => {
  const store = await copyOf('spark/deletion_vectors')
  const rows = await sortedRows(store)
  assert.ok((await filesOf(store)).some(({ deletionVector }) => deletionVector !== undefined))
  const done = await optimizeTable(store)
  const after = await filesOf(store)
  assert.ok(after.every(({ deletionVector }) => deletionVector === undefined))
  assert.equal(
    after.reduce((sum, { stats }) => sum + (recordCountOf(stats) ?? NaN), 0),
    rows.length,
  )
  const [commit] = await readCommitsFrom(store, done.version ?? 0n)
  assert.ok(commit)
  const metrics = commitInfoOf(commit)?.['operationMetrics'] as Record<string, string>
  const removed = commit.actions.filter(
    (action) => action.kind === 'remove' && action.remove.deletionVector !== undefined,
  )
  assert.ok(removed.length > 0)
  assert.equal(metrics['numDeletionVectorsRemoved'], String(removed.length))
})

for (const name of ['spark/column_mapping_id', 'spark/column_mapping_name']) {
  test(`New files of ${name} have physical names and field ids, in statistics as well`, async () => {
    const store = await copyOf(name)
    await twice(store)
    const done = await optimizeTable(store)
    assert.ok(done.numAddedFiles > 0)
    const { metadata } = await loadSnapshot(store)
    const [add] = await filesOf(store)
    assert.ok(add)
    const { fields } = readParquetSchema('f', await store.get(decodePath(add.path)))
    const wanted = metadata.schema.fields
      .filter((field) => !metadata.partitionColumns.includes(field.name))
      .map((field) => [
        field.metadata['delta.columnMapping.physicalName'],
        String(field.metadata['delta.columnMapping.id']),
      ])
    assert.deepEqual(
      fields.map((field) => [field.name, field.metadata.get('PARQUET:field_id')]),
      wanted,
    )
    const { nullCount } = JSON.parse(add.stats ?? '{}') as { nullCount: object }
    const names = new Set(wanted.map(([physical]) => physical))
    assert.ok(Object.keys(nullCount).length > 0 && Object.keys(nullCount).every((key) => names.has(key)))
  })
}

test('Times in commits grow, and come first', async () => {
  const store = await copyOf('spark/in_commit_timestamps')
  // The clock is behind the table.
  await optimizeTable(store, { clock: { now: () => 1_000, sleep: () => Promise.resolve() } })
  const times = (await readCommitsFrom(store, 2n)).map(
    (commit) => commitInfoOf(commit)?.['inCommitTimestamp'],
  )
  assert.ok(times.length > 2)
  for (const [at, ms] of times.entries())
    assert.ok(at === 0 || Number(ms) > Number(times[at - 1]), String(times))
  const newest = (await readCommitsFrom(store, 2n)).at(-1)
  assert.equal(newest?.actions[0]?.kind, 'commitInfo')
})

test('Rows keep their ids and commit versions, and new files get fresh ones above the mark', async () => {
  const store = await copyOf('spark/many_features')
  await twice(store)
  const before = await trackedRows(store)
  assert.ok(before.length > 1)
  const old = await filesOf(store)
  const mark = Math.max(...old.map((add) => Number(add.baseRowId) + (recordCountOf(add.stats) ?? 0) - 1))
  const done = await optimizeTable(store)
  assert.ok(done.version !== undefined)
  assert.deepEqual(await trackedRows(store), before)
  for (const add of await filesOf(store)) {
    assert.ok(Number(add.baseRowId) > mark)
    assert.equal(add.defaultRowCommitVersion, done.version)
  }
  const [commit] = await readCommitsFrom(store, done.version)
  assert.deepEqual(commitInfoOf(commit ?? { version: 0n, actions: [] })?.['tags'], {
    'delta.rowTracking.preserved': 'true',
  })
})

/** Returns `id version` of every row. */
async function trackedRows(store: Store): Promise<string[]> {
  const { protocol, metadata } = await loadSnapshot(store)
  const rewrite = rewritePlanOf({ protocol, metadata })
  const rows: string[] = []
  for (const add of await filesOf(store)) {
    for await (const { columns, length } of readFileRows(store, rewrite, add)) {
      const [ids, versions] = columns.slice(-2)
      assert.ok(ids?.kind === 'fixed' && versions?.kind === 'fixed')
      for (let row = 0; row < length; row++)
        rows.push(`${longAt(ids.values, row)} ${longAt(versions.values, row)}`)
    }
  }
  return rows.sort()
}
