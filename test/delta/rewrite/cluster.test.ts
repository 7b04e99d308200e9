import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { StructType } from '../../../src/core/schema.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import type { Action, Add } from '../../../src/delta/protocol/actions.ts'
import { packingCandidateOf } from '../../../src/delta/rewrite/bin-packing.ts'
import { clusterRows, findCurveColumns } from '../../../src/delta/rewrite/cluster.ts'
import { readCommitsFrom } from '../../../src/delta/commit/commit.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { optimizeTable } from '../../../src/delta/maintenance/optimize.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { rewritePlanOf } from '../../../src/delta/rewrite/data-file.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { commitInfoOf } from '../../../src/delta/log/state.ts'
import { valueAt } from '../../../src/arrow/values.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { structOf } from '../../support/flow/batches.ts'
import { dataFile, sortedRows } from '../rows-table.ts'

const schema: StructType = structOf({
  id: 'long',
  x: 'integer',
  name: 'string',
  price: 'decimal(20,3)',
  at: 'timestamp',
  inner: structOf({ y: 'double' }),
  'dotted.x': 'integer',
})

/** Returns a row whose x and y are independent of its id. */
function row(id: number): Record<string, unknown> {
  const x = (id * 7919) % 100
  const y = (id * 104_729) % 1009
  return {
    id,
    x: id % 97 === 0 ? null : x,
    name: `name ${String(y).padStart(4, '0')}`,
    price: `${x}.${String(y % 1000).padStart(3, '0')}`,
    at: `2026-03-01T${String(x % 24).padStart(2, '0')}:00:00Z`,
    inner: id % 89 === 0 ? null : { y: y / 7 },
    'dotted.x': x,
  }
}

async function commit(store: Store, actions: readonly Action[]): Promise<void> {
  const { version } = await loadSnapshot(store)
  await store.put(commitKey(version + 1n), serialiseActions(actions))
}

async function append(store: Store, firstFile: number, files: number, rows: number): Promise<void> {
  const adds: Add[] = []
  for (let file = firstFile; file < firstFile + files; file++)
    adds.push(
      await dataFile(
        store,
        schema,
        Array.from({ length: rows }, (_, at) => row(file * rows + at)),
      ),
    )
  await commit(
    store,
    adds.map((add) => ({ kind: 'add', add })),
  )
}

async function table(files = 8, rows = 500): Promise<Store> {
  const store = new MemoryStore()
  await createTable(store, { schema, partitionColumns: [] })
  await append(store, 0, files, rows)
  return store
}

async function filesOf(store: Store): Promise<Add[]> {
  const adds: Add[] = []
  for await (const add of (await loadSnapshot(store)).files()) adds.push(add)
  return adds
}

interface Bounds {
  readonly minValues: { readonly x: number; readonly inner: { readonly y: number } }
  readonly maxValues: { readonly x: number; readonly inner: { readonly y: number } }
}

/** Returns the average number of files that a reader must read for one x, or for one y. */
async function readsFor(
  store: Store,
  of: (values: Bounds['minValues']) => number,
  values: readonly number[],
): Promise<number> {
  const bounds = (await filesOf(store)).map(({ stats }) => JSON.parse(stats ?? '{}') as Bounds)
  const reads = values.map(
    (value) =>
      bounds.filter(({ minValues, maxValues }) => of(minValues) <= value && value <= of(maxValues)).length,
  )
  return reads.reduce((sum, count) => sum + count, 0) / reads.length
}

/** Returns a target size that makes about `files` files. */
async function targetFor(store: Store, files: number): Promise<number> {
  return Math.ceil((await filesOf(store)).reduce((bytes, { size }) => bytes + size, 0) / files)
}

test('Files along the Z-order curve of two columns let readers of either skip most files; rows stay', async () => {
  const store = await table(16, 500)
  const rows = await sortedRows(store)
  const xs = Array.from({ length: 100 }, (_, x) => x)
  const ys = xs.map((x) => x * 1.44)
  assert.equal(await readsFor(store, ({ x }) => x, xs), 16)
  const done = await optimizeTable(store, {
    zorder: ['x', 'inner.y'],
    targetBytes: await targetFor(store, 16),
  })
  assert.deepEqual(await sortedRows(store), rows)
  const { length } = await filesOf(store)
  assert.ok(length >= 12 && length <= 20, String(length))
  assert.equal(done.numAddedFiles, length)
  // Two cubes of eight files: in each, x is cut into about four and y into about two ranges.
  assert.ok((await readsFor(store, ({ x }) => x, xs)) < 9, 'x')
  assert.ok((await readsFor(store, ({ inner }) => inner.y, ys)) < 12, 'y')
  const [last] = await readCommitsFrom(store, done.version ?? 0n)
  const parameters = commitInfoOf(last ?? { version: 0n, actions: [] })?.['operationParameters']
  assert.deepEqual(parameters, {
    predicate: '[]',
    zOrderBy: '["x","inner.y"]',
    clusterBy: '[]',
    auto: 'false',
  })
})

test('Complete cubes stay; newer files are clustered together with small cubes', async () => {
  const store = await table(16, 100)
  const targetBytes = await targetFor(store, 10)
  await optimizeTable(store, { zorder: ['x'], targetBytes })
  assert.equal((await optimizeTable(store, { zorder: ['x'], targetBytes })).commits, 0)
  const before = new Set((await filesOf(store)).map(({ path }) => path))
  await append(store, 100, 3, 100)
  const done = await optimizeTable(store, { zorder: ['x'], targetBytes })
  assert.equal(done.commits, 1)
  const kept = (await filesOf(store)).filter(({ path }) => before.has(path))
  // A cube of at least four files of the target size is not rewritten.
  assert.ok(kept.length >= 4, String(kept.length))
  // Another curve rewrites all files.
  const { length } = await filesOf(store)
  assert.equal((await optimizeTable(store, { zorder: ['name'], targetBytes })).numRemovedFiles, length)
})

for (const names of [['name'], ['price'], ['at'], ['x', 'name', 'price', 'at', 'inner.y', 'id']]) {
  test(`Rows stay the same when clustered by ${names.join(', ')}`, async () => {
    const store = await table(4, 300)
    const rows = await sortedRows(store)
    await optimizeTable(store, { zorder: names, targetBytes: await targetFor(store, 3) })
    assert.deepEqual(await sortedRows(store), rows)
  })
}

test('A clustered table is clustered by its own columns along the Hilbert curve, and its files are tagged', async () => {
  const store = await table(8, 300)
  const protocol = {
    minReaderVersion: 1,
    minWriterVersion: 7,
    writerFeatures: ['clustering', 'domainMetadata'],
  }
  const configuration = '{"clusteringColumns":[["x"],["inner","y"]]}'
  await commit(store, [
    { kind: 'protocol', protocol },
    { kind: 'domainMetadata', domainMetadata: { domain: 'delta.clustering', configuration, removed: false } },
  ])
  const rows = await sortedRows(store)
  await assert.rejects(optimizeTable(store, { zorder: ['x'] }), { code: 'KD_COMMAND_INVALID' })
  const done = await optimizeTable(store, { targetBytes: await targetFor(store, 8) })
  assert.deepEqual(await sortedRows(store), rows)
  const files = await filesOf(store)
  assert.ok(files.length > 4)
  assert.equal(new Set(files.map(({ tags }) => tags?.['ZCUBE_ID'])).size, 1)
  for (const { tags, clusteringProvider } of files) {
    assert.equal(clusteringProvider, 'liquid')
    assert.equal(tags?.['ZCUBE_ZORDER_BY'], '["x","inner.y"]')
  }
  const [last] = await readCommitsFrom(store, done.version ?? 0n)
  const parameters = commitInfoOf(last ?? { version: 0n, actions: [] })?.['operationParameters']
  assert.deepEqual(parameters, {
    predicate: '[]',
    zOrderBy: '[]',
    clusterBy: '["x","inner.y"]',
    auto: 'false',
    isFull: 'false',
  })
  // Files of another implementation are not touched.
  const [first] = files
  assert.ok(first)
  const theirs = { ...first, path: 'theirs.parquet', clusteringProvider: 'theirs', dataChange: true }
  await commit(store, [{ kind: 'add', add: theirs }])
  assert.equal((await optimizeTable(store)).commits, 0)
})

test('A column with dots in its own name can be clustered by', async () => {
  const store = await table(4, 100)
  const done = await optimizeTable(store, { zorder: ['dotted.x'], targetBytes: await targetFor(store, 2) })
  assert.equal(done.numRemovedFiles, 4)
  assert.equal((await filesOf(store))[0]?.tags?.['ZCUBE_ZORDER_BY'], '["dotted.x"]')
})

for (const [names, fault] of [
  [['nothing'], /no column nothing/],
  [['inner'], /values of the column inner have no order/],
  [['x', 'x'], /x is named twice/],
  [Array.from({ length: 9 }, () => 'x'), /8 columns at most/],
] as const) {
  test(`Invalid clustering columns are refused: ${names.join(', ')}`, async () => {
    await assert.rejects(optimizeTable(await table(2, 1), { zorder: names }), fault)
  })
}

test('Rows beyond the memory limit are spilled to disk in the right order, and no file is left there', async () => {
  const store = await table(6, 2_000)
  const { protocol, metadata } = await loadSnapshot(store)
  const rewrite = rewritePlanOf({ protocol, metadata })
  const columns = findCurveColumns(schema, [['x']])
  const files = (await filesOf(store)).map(packingCandidateOf)
  const run = async (memoryBytes: number | undefined): Promise<unknown[]> => {
    const seen: unknown[] = []
    const options = { clustering: { curve: 'zorder', columns }, outputs: 4, memoryBytes } as const
    for await (const part of clusterRows(store, rewrite, files, options))
      for await (const { columns: held, length } of part)
        for (let at = 0; at < length; at++)
          seen.push([1, 0, 2, 3, 5].map((index) => valueAt(held[index] as (typeof held)[number], at)))
    return seen
  }
  const inMemory = await run(undefined)
  assert.equal(inMemory.length, 12_000)
  // A separate directory, because other processes use the shared one.
  const own = mkdtempSync(join(tmpdir(), 'kafka-delta-cluster-'))
  const shared = process.env['TMPDIR']
  process.env['TMPDIR'] = own
  try {
    assert.deepEqual(await run(50_000), inMemory)
    assert.deepEqual(readdirSync(own), [])
  } finally {
    if (shared === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = shared
    rmSync(own, { recursive: true })
  }
  const xs = inMemory.map((values) => (values as readonly (number | null)[])[0] ?? -1)
  assert.deepEqual(
    xs,
    xs.toSorted((a, b) => a - b),
  )
})
