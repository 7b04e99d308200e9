import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { StructType } from '../../../src/core/schema.ts'
import type { Action, Add } from '../../../src/delta/protocol/actions.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { optimizeTable } from '../../../src/delta/maintenance/optimize.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { commitInfoOf } from '../../../src/delta/log/state.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { structOf } from '../../support/flow/batches.ts'
import { dataFile, sortedRows } from '../rows-table.ts'
import { allCommits, hastyClock, operationOf } from '../table.ts'

const schema = structOf({ id: 'long', text: 'string', day: 'string' })
const stored: StructType = { type: 'struct', fields: schema.fields.slice(0, 2) }
const DAYS = ['2026-03-01', '2026-03-02', null]

/** Appends `files` files of `rows` rows each, alternating between days; offsets are committed by `app-0`. */
async function fill(store: Store, files: number, rows = 10, first = 0): Promise<Add[]> {
  const writer = await openTableWriter(store, { clock: hastyClock })
  const adds: Add[] = []
  for (let file = first; file < first + files; file++) {
    const day = DAYS[file % DAYS.length] ?? null
    const content = Array.from({ length: rows }, (_, row) => ({ id: file * rows + row, text: `t${row}` }))
    const add = await dataFile(store, stored, content, { day })
    adds.push(add)
    const outcome = await writer.append({
      adds: [add],
      txns: [{ appId: 'app-0', version: BigInt(file), follows: file === 0 ? undefined : BigInt(file - 1) }],
      operationParameters: {},
      operationMetrics: {},
    })
    assert.equal(outcome.kind, 'committed')
  }
  return adds
}

async function tableIn(store: Store, configuration: Record<string, string> = {}): Promise<Store> {
  await createTable(store, { schema, partitionColumns: ['day'], configuration })
  return store
}

async function filesByDay(store: Store): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for await (const { partitionValues } of (await loadSnapshot(store)).files()) {
    const day = String(partitionValues['day'])
    counts[day] = (counts[day] ?? 0) + 1
  }
  return counts
}

test('Small files are packed into one per table partition; rows and txns stay, and a second run changes nothing', async () => {
  const store = await tableIn(new MemoryStore())
  await fill(store, 23)
  const rows = await sortedRows(store)
  const done = await optimizeTable(store)
  assert.deepEqual(await sortedRows(store), rows)
  assert.equal(rows.length, 230)
  assert.deepEqual(await filesByDay(store), { '2026-03-01': 1, '2026-03-02': 1, null: 1 })
  const { version, numAddedFiles, numRemovedFiles, commits, givenUp } = done
  assert.deepEqual(
    { version, numAddedFiles, numRemovedFiles, commits, givenUp },
    { version: 24n, numAddedFiles: 3, numRemovedFiles: 23, commits: 1, givenUp: [] },
  )
  assert.equal((await loadSnapshot(store)).txns.get('app-0')?.version, 22n)
  const again = await optimizeTable(store)
  assert.equal(again.commits, 0)
  assert.equal((await loadSnapshot(store)).version, 24n)
})

test('The commit states OPTIMIZE, no data change, and metrics', async () => {
  const store = await tableIn(new MemoryStore())
  await fill(store, 6)
  await optimizeTable(store)
  const commit = (await allCommits(store)).at(-1)
  assert.ok(commit !== undefined)
  const info = commitInfoOf(commit)
  assert.equal(info?.['operation'], 'OPTIMIZE')
  assert.equal(info['isBlindAppend'], false)
  assert.equal(info['readVersion'], 6)
  const metrics = info['operationMetrics'] as Record<string, string>
  assert.equal(metrics['numAddedFiles'], '3')
  assert.equal(metrics['numRemovedFiles'], '6')
  const adds = commit.actions.flatMap((action) => (action.kind === 'add' ? [action.add] : []))
  const removes = commit.actions.flatMap((action) => (action.kind === 'remove' ? [action.remove] : []))
  assert.ok([...adds, ...removes].every(({ dataChange }) => !dataChange))
  assert.equal(metrics['numAddedBytes'], String(adds.reduce((bytes, { size }) => bytes + size, 0)))
  assert.equal(metrics['maxFileSize'], String(Math.max(...adds.map(({ size }) => size))))
  for (const { path, size } of adds) assert.equal(await store.size(decodeURIComponent(path)), size)
  const first = adds.find(({ partitionValues }) => partitionValues['day'] === DAYS[0])
  assert.deepEqual(JSON.parse(first?.stats ?? ''), {
    numRecords: 20,
    minValues: { id: 0, text: 't0' },
    maxValues: { id: 39, text: 't9' },
    nullCount: { id: 0, text: 0 },
  })
})

test('Only the requested table partition is packed; a column that is not a partition column is refused', async () => {
  const store = await tableIn(new MemoryStore())
  await fill(store, 9)
  await optimizeTable(store, { where: { day: '' } })
  assert.deepEqual(await filesByDay(store), { '2026-03-01': 3, '2026-03-02': 3, null: 1 })
  await optimizeTable(store, { where: { day: '2026-03-02' } })
  assert.deepEqual(await filesByDay(store), { '2026-03-01': 3, '2026-03-02': 1, null: 1 })
  await assert.rejects(optimizeTable(store, { where: { id: '1' } }), { code: 'KD_COMMAND_INVALID' })
})

test('New files are no larger than the table property says, and files that large are left alone', async () => {
  const probe = await tableIn(new MemoryStore())
  const [{ size } = { size: 0 }] = await fill(probe, 1)
  const store = await tableIn(new MemoryStore(), { 'delta.targetFileSize': String(Math.floor(size * 2.5)) })
  await fill(store, 12)
  await optimizeTable(store)
  assert.deepEqual(await filesByDay(store), { '2026-03-01': 2, '2026-03-02': 2, null: 2 })
  await optimizeTable(store, { targetBytes: 100 })
  assert.deepEqual(await filesByDay(store), { '2026-03-01': 2, '2026-03-02': 2, null: 2 })
})

test('An append that comes first is no conflict, and its rows stay', async () => {
  const { store, done } = await againstRival((files) => [
    { kind: 'add', add: { ...(files[0] as Add), path: (files[0] as Add).path.replace('part-', 'copy-') } },
  ])
  assert.deepEqual(done.givenUp, [])
  const { version } = await loadSnapshot(store)
  assert.equal(version, 8n)
  const rows = await sortedRows(store)
  assert.equal(rows.length, 70)
})

test('A group with a file that another writer removed is given up, and packed without it in the next pass', async () => {
  const { store, done } = await againstRival((files) => [removal(files[0] as Add)])
  assert.deepEqual(done.givenUp, [])
  assert.deepEqual(await filesByDay(store), { '2026-03-01': 1, '2026-03-02': 1, null: 1 })
  assert.equal((await sortedRows(store)).length, 50)
  assert.equal(done.numRemovedFiles, 4)
  // No file is left of the group that was given up.
  const named = new Set<string>()
  for (const { actions } of await allCommits(store))
    for (const action of actions) if (action.kind === 'add') named.add(decodeURIComponent(action.add.path))
  for await (const { key } of store.list('')) assert.ok(key.startsWith('_delta_log/') || named.has(key), key)
})

test('A schema change that comes first is a conflict, and the next pass packs for the new schema', async () => {
  const { store, done } = await againstRival((_, metaData) => [
    { kind: 'metaData', metaData: { ...metaData, configuration: { changed: 'yes' } } },
  ])
  assert.deepEqual(done.givenUp, [])
  const snapshot = await loadSnapshot(store)
  assert.equal(snapshot.metadata.configuration['changed'], 'yes')
  assert.deepEqual((await allCommits(store)).map(operationOf).slice(-2), [undefined, 'OPTIMIZE'])
  assert.equal((await sortedRows(store)).length, 60)
})

test('A table in which rivals remove a file before every commit is given up after three passes and reported', async () => {
  const { done } = await againstRival((files, _, round) => [removal(files[round] as Add)], Infinity)
  assert.equal(done.commits, 0)
  assert.equal(done.givenUp.length, 1)
  assert.match(done.givenUp[0] ?? '', /^gave up a group of \d files: version 9 removed /)
})

test('A file with fewer rows than its statistics state stops the command, and nothing is replaced', async () => {
  const store = await tableIn(new MemoryStore())
  const adds = await fill(store, 3)
  const writer = await openTableWriter(store)
  const lying = {
    ...(await dataFile(store, stored, [{ id: 1 }], { day: DAYS[0] ?? null })),
    stats: '{"numRecords":2}',
  }
  await writer.append({ adds: [lying], txns: [], operationParameters: {}, operationMetrics: {} })
  await assert.rejects(optimizeTable(store), { code: 'KD_TABLE_CORRUPT' })
  assert.equal((await loadSnapshot(store)).version, 4n)
  assert.equal(adds.length, 3)
})

test('Files without rows are removed, and no file takes their place', async () => {
  const store = await tableIn(new MemoryStore())
  const writer = await openTableWriter(store)
  const adds = await Promise.all([0, 1].map(() => dataFile(store, stored, [], { day: null })))
  await writer.append({ adds, txns: [], operationParameters: {}, operationMetrics: {} })
  await optimizeTable(store)
  assert.deepEqual(await sortedRows(store), [])
  assert.deepEqual(await filesByDay(store), {})
})

test('A missing data file is reported, and nothing is replaced or left behind', async () => {
  const store = await tableIn(new MemoryStore())
  const [first] = await fill(store, 3)
  await fill(store, 3, 10, 3)
  await store.delete(decodeURIComponent(first?.path ?? ''))
  const before = await keysOf(store)
  const done = await optimizeTable(store)
  assert.equal(done.commits, 0)
  assert.match(done.givenUp[0] ?? '', /a data file is missing/)
  assert.deepEqual(await keysOf(store), before)
})

for (const feature of ['icebergCompatV2', 'catalogManaged', 'somethingNew']) {
  test(`A table with ${feature} is refused by that name`, async () => {
    const store = await tableIn(new MemoryStore())
    const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: [feature] }
    await store.put(commitKey(1n), serialiseActions([{ kind: 'protocol', protocol }]))
    await assert.rejects(optimizeTable(store), (error: Error) => error.message.includes(feature))
  })
}

for (const [what, open] of [
  ['memory', (): Store => new MemoryStore()],
  ['a local disk', (): Store => new LocalStore(mkdtempSync(join(tmpdir(), 'kafka-delta-optimize-')))],
] as const) {
  test(`Beside a writer that appends all the time, on ${what}, no append fails and every row stays once`, async () => {
    const store = await tableIn(open(), { 'delta.checkpointInterval': '7' })
    const writer = { appending: true }
    const files = 40
    const appends = fill(store, files, 5).finally(() => {
      writer.appending = false
    })
    let packed = 0
    while (writer.appending) packed += (await optimizeTable(store, { clock: hastyClock })).numRemovedFiles
    await appends
    await optimizeTable(store)
    const rows = await sortedRows(store)
    assert.equal(new Set(rows).size, rows.length)
    assert.equal(rows.length, files * 5)
    assert.ok(packed > 0)
    assert.equal((await loadSnapshot(store)).txns.get('app-0')?.version, BigInt(files - 1))
    assert.deepEqual(await filesByDay(store), { '2026-03-01': 1, '2026-03-02': 1, null: 1 })
    if (store instanceof LocalStore) rmSync(store.uri, { recursive: true })
  })
}

for (const name of [
  'all_primitive_types',
  'basic_append',
  'basic_partitioned',
  'nested_types',
  'with_schema_change',
]) {
  test(`Rows of Spark are the same after packing: ${name}`, async () => {
    const store = new MemoryStore()
    const folder = join(import.meta.dirname, '../../fixtures/dat', name, 'delta')
    for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
      if (!path.isFile() || path.name.startsWith('.')) continue
      const file = join(path.parentPath, path.name)
      await store.put(file.slice(folder.length + 1), readFileSync(file))
    }
    // Every file twice, so that there is something to pack.
    const snapshot = await loadSnapshot(store)
    const copies: Action[] = []
    for await (const add of snapshot.files()) {
      const copy = { ...add, path: add.path.replace('part-', 'copy-') }
      await store.put(decodeURIComponent(copy.path), await store.get(decodeURIComponent(add.path)))
      copies.push({ kind: 'add', add: copy })
    }
    await store.put(commitKey(snapshot.version + 1n), serialiseActions(copies))
    const rows = await sortedRows(store)
    assert.ok(rows.length > 0)
    assert.ok((await optimizeTable(store)).numRemovedFiles >= copies.length * 2)
    assert.deepEqual(await sortedRows(store), rows)
  })
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}

function removal({ path }: Add): Action {
  return { kind: 'remove', remove: { path, deletionTimestamp: Date.now(), dataChange: true } }
}

/**
 * Creates six files in three table partitions, and a rival that takes the version just before the first `times` commits
 * of `optimizeTable`.
 */
async function againstRival(
  actions: (
    files: readonly Add[],
    metaData: Extract<Action, { kind: 'metaData' }>['metaData'],
    round: number,
  ) => readonly Action[],
  times = 1,
): Promise<{ store: Store; done: Awaited<ReturnType<typeof optimizeTable>> }> {
  const rival = { files: [] as readonly Add[], rounds: 0, armed: false }
  const shared = `rival-${Math.random()}`
  const other = new MemoryStore(shared)
  const store = new MemoryStore(shared, {
    fault: async ({ operation, key }) => {
      if (operation !== 'putIfAbsent' || !rival.armed || rival.rounds >= times) return undefined
      const [first] = await allCommits(other)
      const metaData = first?.actions.find((action) => action.kind === 'metaData')?.metaData
      assert.ok(metaData !== undefined)
      await other.put(key, serialiseActions(actions(rival.files, metaData, rival.rounds++)))
      return undefined
    },
  })
  await tableIn(store)
  rival.files = await fill(store, 6)
  // Copies that the append references.
  for (const { path } of rival.files) {
    const key = decodeURIComponent(path)
    await other.put(key.replace('part-', 'copy-'), await other.get(key))
  }
  const copies = new Set<string>()
  for await (const { key } of other.list('')) if (key.includes('copy-')) copies.add(key)
  rival.armed = true
  const done = await optimizeTable(store, { clock: hastyClock })
  rival.armed = false
  const named = await loadSnapshot(other)
  for await (const { path } of named.files()) copies.delete(decodeURIComponent(path))
  for (const key of copies) await other.delete(key)
  return { store: other, done }
}
