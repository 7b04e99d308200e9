import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructType } from '../../../src/core/schema.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import type { Action, Add } from '../../../src/delta/protocol/actions.ts'
import { writeCheckpoint } from '../../../src/delta/commit/checkpoint-write.ts'
import { readLiveFiles } from '../../../src/delta/log/live-files.ts'
import { findLogSegment } from '../../../src/delta/log/log-segment.ts'
import {
  checkpointKey,
  commitKey,
  LAST_CHECKPOINT_KEY,
  LOG_PREFIX,
} from '../../../src/delta/protocol/paths.ts'
import { serialiseSchema } from '../../../src/delta/schema/schema-json.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { askDuckdb } from '../../support/duckdb.ts'
import { someAppend } from '../table.ts'

const NOW_MS = 1_800_000_000_000
const DAY_MS = 86_400_000
const WRITE = { nowMs: NOW_MS, copiedRowsMin: 1_000 }
/** More than enough files for a row group that the next checkpoint can copy. */
const MANY = 1_500

const SCHEMA: StructType = {
  type: 'struct',
  fields: [
    { name: 'id', type: 'long', nullable: true, metadata: {} },
    { name: 'price', type: 'decimal(20,4)', nullable: true, metadata: {} },
    { name: 'at', type: 'timestamp', nullable: true, metadata: {} },
    { name: 'flag', type: 'boolean', nullable: true, metadata: {} },
    {
      name: 'who',
      nullable: true,
      metadata: {},
      type: { type: 'struct', fields: [{ name: 'name', type: 'string', nullable: true, metadata: {} }] },
    },
    { name: 'day', type: 'date', nullable: true, metadata: {} },
  ],
}

const V2 = { 'delta.checkpointPolicy': 'v2' }
const AS_STRUCT = { 'delta.checkpoint.writeStatsAsStruct': 'true' }
const STRUCT_ALONE = { ...AS_STRUCT, 'delta.checkpoint.writeStatsAsJson': 'false' }

test('A table of 10 files and one of 20,000 cost an opening the same bytes, to within the footer', async () => {
  const opened: number[] = []
  for (const files of [10, 20_000]) {
    const store = new MemoryStore()
    await tableOf(store, files, {}, briefFileOf)
    await writeCheckpoint(store, 1n, WRITE)
    const counting = countingStore(store)
    const writer = await openTableWriter(counting)
    await writer.append(someAppend('app', undefined, 1n))
    opened.push(counting.fetched.bytes)
  }
  const [few = 0, many = 0] = opened
  // The end of a large file is read twice; a small file is read as a whole.
  assert.ok(many < few + 2 * 65_536, `${few} and ${many} bytes`)
  assert.ok(many < 200_000, `${many} bytes`)
})

for (const [name, properties] of [
  ['V1', {}],
  ['V2', V2],
  ['V1 with structs', AS_STRUCT],
  ['V1 with structs alone', STRUCT_ALONE],
  ['V2 with structs alone', { ...V2, ...STRUCT_ALONE }],
] as const) {
  test(`Consecutive checkpoints of ${name} hold exactly the files of the log`, async () => {
    const store = new MemoryStore()
    await tableOf(store, MANY, properties)
    await writeCheckpoint(store, 1n, WRITE)
    // Removes two files in the middle, replaces one and adds one.
    await commit(store, 2n, [
      { kind: 'remove', remove: { path: pathOf(7), deletionTimestamp: NOW_MS - DAY_MS, dataChange: true } },
      {
        kind: 'remove',
        remove: { path: pathOf(8), deletionTimestamp: NOW_MS - 8 * DAY_MS, dataChange: true },
      },
      add({ ...fileOf(9), size: 77 }),
      add(fileOf(MANY + 1)),
    ])
    await writeCheckpoint(store, 2n, WRITE)
    await commit(store, 3n, [add(fileOf(MANY + 2))])
    const expected = await filesOf(store, 1n, 3n)
    await writeCheckpoint(store, 3n, WRITE)
    for (const version of [0n, 1n, 2n, 3n]) await store.delete(commitKey(version))
    const found = await filesFrom(store)
    assert.equal(found.adds.size, MANY)
    assert.deepEqual(found, expected)
    // One tombstone has expired.
    assert.deepEqual(found.removes, [pathOf(7)])
    const last = JSON.parse(new TextDecoder().decode(await store.get(LAST_CHECKPOINT_KEY))) as Record<
      string,
      unknown
    >
    assert.equal(last['numOfAddFiles'], MANY)
    assert.equal(last['version'], 3)
  })
}

test('Row groups that no commit touches are copied unchanged, others are merged', async () => {
  const rowsOf = async (copiedRowsMin: number): Promise<unknown[]> => {
    const store = new MemoryStore()
    await tableOf(store, MANY)
    await writeCheckpoint(store, 1n, WRITE)
    await commit(store, 2n, [add(fileOf(MANY + 1))])
    const { key } = await writeCheckpoint(store, 2n, { ...WRITE, copiedRowsMin })
    const rows = await askDuckdb(
      await store.get(key),
      'SELECT row_group_id, any_value(row_group_num_rows) FROM parquet_metadata(PATH) GROUP BY 1 ORDER BY 1',
    )
    assert.equal((await filesFrom(store)).adds.size, MANY + 1)
    return rows.map(([, count]) => count)
  }
  assert.deepEqual(await rowsOf(MANY), [2n, BigInt(MANY), 1n])
  assert.deepEqual(await rowsOf(MANY + 1), [2n, BigInt(MANY + 1)])
})

test('Sidecars that no commit touches are referenced again, others are rewritten', async () => {
  const store = new MemoryStore()
  await tableOf(store, MANY, V2)
  await writeCheckpoint(store, 1n, WRITE)
  const [first = ''] = await sidecarsOf(store)
  await commit(store, 2n, [add(fileOf(MANY + 1))])
  await writeCheckpoint(store, 2n, WRITE)
  const both = await sidecarsOf(store)
  assert.equal(both.length, 2)
  assert.ok(both.includes(first), both.join())
  assert.equal((await filesFrom(store)).adds.size, MANY + 1)
  await commit(store, 3n, [{ kind: 'remove', remove: { path: pathOf(5), dataChange: true } }])
  await writeCheckpoint(store, 3n, WRITE)
  // Only the sidecars of the newest checkpoint are needed.
  await store.delete(first)
  assert.equal((await filesFrom(store)).adds.size, MANY)
})

test('A manifest of the V2 spec has a unique name, states its version and lists its sidecars', async () => {
  const store = new MemoryStore()
  await tableOf(store, 100, V2)
  const { key } = await writeCheckpoint(store, 1n, WRITE)
  assert.match(key, /^_delta_log\/0{19}1\.checkpoint\.[0-9a-f-]{36}\.parquet$/)
  const rows = await askDuckdb(
    await store.get(key),
    'SELECT checkpointMetadata.version, sidecar.path, sidecar.sizeInBytes, protocol.minReaderVersion, add IS NOT NULL, sidecar.modificationTime FROM FILE',
  )
  const [sidecar = ''] = await sidecarsOf(store)
  assert.deepEqual(
    rows.filter(([version]) => version !== null),
    [[1n, null, null, null, false, null]],
  )
  const size = BigInt((await store.size(sidecar)) ?? 0)
  assert.deepEqual(
    rows.filter(([, path]) => path !== null),
    [[null, sidecar.slice(`${LOG_PREFIX}_sidecars/`.length), size, null, false, BigInt(NOW_MS)]],
  )
  assert.ok(
    rows.every(([, , , , isAdd]) => isAdd === false),
    'the manifest holds no file itself',
  )
  assert.deepEqual(
    await askDuckdb(await store.get(sidecar), 'SELECT count(add.path), count(remove.path) FROM FILE'),
    [[100n, 0n]],
  )
})

test('Every tenth checkpoint of the V2 spec has the classic name', async () => {
  const store = new MemoryStore()
  await tableOf(store, 3, { ...V2, 'delta.checkpointInterval': '1' })
  for (let version = 2n; version <= 10n; version++)
    await commit(store, version, [add(fileOf(Number(version)))])
  const { key } = await writeCheckpoint(store, 10n, WRITE)
  assert.equal(key, checkpointKey(10n))
  assert.equal((await filesFrom(store)).adds.size, 11)
})

test('Statistics and partition values have the types of the table if it enables structs', async () => {
  const store = new MemoryStore()
  await tableOf(store, 2, AS_STRUCT)
  const { key } = await writeCheckpoint(store, 1n, WRITE)
  const rows = await askDuckdb(
    await store.get(key),
    `SELECT typeof(add.partitionValues_parsed.day), CAST(add.partitionValues_parsed.day AS VARCHAR),
      add.stats_parsed.numRecords, add.stats_parsed.minValues.id,
      typeof(add.stats_parsed.maxValues.price), CAST(add.stats_parsed.maxValues.price AS VARCHAR),
      typeof(add.stats_parsed.minValues.at), CAST(epoch_us(add.stats_parsed.minValues.at) AS VARCHAR),
      add.stats_parsed.maxValues.who.name, add.stats_parsed.nullCount.flag, add.stats_parsed.nullCount.who.name
    FROM FILE WHERE add IS NOT NULL ORDER BY 4 LIMIT 1`,
  )
  assert.deepEqual(rows, [
    [
      'DATE',
      '2026-01-01',
      9n,
      9007199254740993n,
      'DECIMAL(20,4)',
      '1234567890123456.7891',
      'TIMESTAMP WITH TIME ZONE',
      '1767225600123456',
      'Zoë',
      1n,
      2n,
    ],
  ])
})

test('Concurrent writers of one checkpoint leave a consistent table', async () => {
  for (const properties of [{}, V2]) {
    const store = new MemoryStore()
    await tableOf(store, 500, properties)
    await Promise.all(Array.from({ length: 4 }, () => writeCheckpoint(store, 1n, WRITE)))
    await store.delete(commitKey(0n))
    await store.delete(commitKey(1n))
    assert.equal((await filesFrom(store)).adds.size, 500)
    assert.equal((await loadSnapshot(store)).version, 1n)
  }
})

test('An existing checkpoint is not written again', async () => {
  const store = new MemoryStore()
  await tableOf(store, 3)
  const first = await writeCheckpoint(store, 1n, WRITE)
  const keys = await keysOf(store)
  assert.deepEqual(await writeCheckpoint(store, 1n, { ...WRITE, nowMs: NOW_MS + DAY_MS }), first)
  assert.deepEqual(await keysOf(store), keys)
})

test('A checkpoint that is replaced while it is read is an error, never a mixture', async () => {
  const store = new MemoryStore()
  await tableOf(store, MANY)
  await writeCheckpoint(store, 1n, WRITE)
  const other = new MemoryStore()
  await tableOf(other, MANY - 1)
  await writeCheckpoint(other, 1n, WRITE)
  const key = checkpointKey(1n)
  const replaced = through(store, async (name) => {
    if (name === key) await store.put(key, await other.get(key))
  })
  const segment = await findLogSegment(store)
  await assert.rejects(
    async () => {
      for await (const file of readLiveFiles(replaced, segment)) assert.ok(file.kind)
    },
    { code: 'KD_TABLE_CORRUPT', message: /version 1, checkpoint .*checkpoint\.parquet/ },
  )
})

function pathOf(index: number): string {
  return `day=2026-01-01/part-${String(index).padStart(6, '0')}.parquet`
}

function fileOf(index: number): Add {
  const id = 9007199254740993n + BigInt(index)
  const name = nameOf(index)
  const stats =
    `{"numRecords":9,"minValues":{"id":${id},"price":0.5125,"at":"2026-01-01T00:00:00.123456Z","who":{"name":"${name}"}},` +
    `"maxValues":{"id":${id},"price":1234567890123456.7891,"at":"2026-01-01T00:00:00.123457Z","who":{"name":"Zoë"}},` +
    `"nullCount":{"id":0,"price":0,"at":0,"flag":1,"who":{"name":2}}}`
  return {
    path: pathOf(index),
    partitionValues: { day: '2026-01-01' },
    size: 1_000 + index,
    modificationTime: NOW_MS,
    dataChange: true,
    stats,
  }
}

/** Returns a file without numbers beyond 2^53, which are slow to parse. */
function briefFileOf(index: number): Add {
  return { ...fileOf(index), stats: `{"numRecords":9,"maxValues":{"who":{"name":"${nameOf(index)}"}}}` }
}

/** Returns unique names, so that compression hardly shrinks them. */
function nameOf(index: number): string {
  return [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35].map((factor) => Math.imul(index + 1, factor)).join(' ')
}

function add(file: Add): Action {
  return { kind: 'add', add: file }
}

async function commit(store: Store, version: bigint, actions: readonly Action[]): Promise<void> {
  await store.putIfAbsent(commitKey(version), serialiseActions(actions))
}

/** Creates a table whose version 1 has `files` files. */
async function tableOf(
  store: Store,
  files: number,
  configuration: Record<string, string> = {},
  make: (index: number) => Add = fileOf,
): Promise<void> {
  const isV2 = configuration['delta.checkpointPolicy'] === 'v2'
  const features = { readerFeatures: ['v2Checkpoint'], writerFeatures: ['v2Checkpoint'] }
  await commit(store, 0n, [
    {
      kind: 'protocol',
      protocol: isV2
        ? { minReaderVersion: 3, minWriterVersion: 7, ...features }
        : { minReaderVersion: 1, minWriterVersion: 2 },
    },
    {
      kind: 'metaData',
      metaData: {
        id: 'a',
        format: { provider: 'parquet', options: {} },
        schemaString: serialiseSchema(SCHEMA),
        partitionColumns: ['day'],
        configuration,
      },
    },
  ])
  await commit(
    store,
    1n,
    Array.from({ length: files }, (_, index) => add(make(index))),
  )
}

interface Files {
  readonly adds: Map<string, unknown>
  readonly removes: string[]
}

/** Reads the files of the table with all fields that a checkpoint must preserve; numbers in statistics stay as text. */
async function filesFrom(store: Store): Promise<Files> {
  const files: Files = { adds: new Map(), removes: [] }
  for await (const file of readLiveFiles(store, await findLogSegment(store))) {
    if (file.kind === 'remove') files.removes.push(file.remove.path)
    else files.adds.set(file.add.path, { ...file.add, dataChange: false })
  }
  return files
}

/** Reads the files from the commits only. */
async function filesOf(store: Store, from: bigint, to: bigint): Promise<Files> {
  const files: Files = { adds: new Map(), removes: [] }
  const commits = Array.from({ length: Number(to - from) + 1 }, (_, at) => from + BigInt(at))
  for await (const file of readLiveFiles(store, { version: to, checkpoint: undefined, commits })) {
    if (file.kind === 'add') files.adds.set(file.add.path, { ...file.add, dataChange: false })
    else if ((file.remove.deletionTimestamp ?? 0) >= NOW_MS - 7 * DAY_MS) files.removes.push(file.remove.path)
  }
  return files
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}

async function sidecarsOf(store: Store): Promise<string[]> {
  return (await keysOf(store)).filter((key) => key.startsWith(`${LOG_PREFIX}_sidecars/`))
}

/** Wraps a store and counts the bytes that are read of checkpoints. */
function countingStore(store: Store): Store & { readonly fetched: { bytes: number } } {
  const fetched = { bytes: 0 }
  return {
    ...through(store, (key, got) => {
      if (key.includes('checkpoint') || key.includes('_sidecars')) fetched.bytes += got.length
      return Promise.resolve()
    }),
    fetched,
  }
}

/** Wraps a store; `after` is called after every read. */
function through(store: Store, after: (key: string, got: Uint8Array) => Promise<void>): Store {
  return {
    uri: store.uri,
    async get(key, range) {
      const got = await store.get(key, range)
      await after(key, got)
      return got
    },
    size: (key) => store.size(key),
    list: (prefix, startAfter) => store.list(prefix, startAfter),
    put: (key, body) => store.put(key, body),
    putIfAbsent: (key, body) => store.putIfAbsent(key, body),
    delete: (key) => store.delete(key),
    close: () => store.close(),
  }
}
