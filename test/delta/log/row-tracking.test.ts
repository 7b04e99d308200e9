// Goal: no two rows of a table ever share an id, whoever else commits meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeCheckpoint } from '../../../src/delta/commit/checkpoint-write.ts'
import { commitInfoOf, type LogCommit } from '../../../src/delta/log/state.ts'
import type { Append } from '../../../src/delta/commit/table-writer.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { allCommits, featuredTable, hastyClock, someAdd, someAppend } from '../table.ts'

const FEATURES = ['rowTracking', 'domainMetadata']
const ENABLED = {
  'delta.enableRowTracking': 'true',
  'delta.rowTracking.materializedRowIdColumnName': '_row-id-col-1',
  'delta.rowTracking.materializedRowCommitVersionColumnName': '_row-commit-version-col-1',
}

test('Row ids of files are consecutive, and the high water mark is the last id', async () => {
  const store = await trackedTable()
  const writer = await openTableWriter(store)
  await writer.append(appendOf('a', undefined, 1n, [3, 2]))
  await writer.append(appendOf('a', 1n, 2n, [4]))
  assert.deepEqual((await allCommits(store)).map(idsOf), [
    [],
    [
      { from: 0n, version: 1n },
      { from: 3n, version: 1n },
    ],
    [{ from: 5n, version: 2n }],
  ])
  assert.deepEqual((await allCommits(store)).map(markOf), [undefined, 4, 8])
})

test('An append that loses to another gets ids after those of the other', async () => {
  const store = await trackedTable()
  const late = await openTableWriter(store, { clock: hastyClock })
  const winner = await openTableWriter(store)
  await winner.append(appendOf('a', undefined, 1n, [10]))
  await late.append(appendOf('b', undefined, 1n, [5]))
  const [, , commit] = await allCommits(store)
  assert.deepEqual(commit && idsOf(commit), [{ from: 10n, version: 2n }])
  assert.equal(commit && markOf(commit), 14)
})

test('Appends that share a version share one mark', async () => {
  const store = await trackedTable()
  const writer = await openTableWriter(store)
  await Promise.all([
    writer.append(appendOf('a', undefined, 1n, [1])),
    writer.append(appendOf('b', undefined, 1n, [2])),
    writer.append(appendOf('c', undefined, 1n, [3])),
  ])
  const commits = await allCommits(store)
  const ids = commits.flatMap(idsOf).map(({ from }) => from)
  assert.deepEqual(ids, [0n, 1n, 3n])
  const marks = commits.map(({ actions }) => actions.filter(({ kind }) => kind === 'domainMetadata').length)
  assert.equal(Math.max(...marks), 1)
  assert.ok(commits.length < 4, 'no two of them shared a version')
})

test('A writer that opened the table from a checkpoint continues after the high water mark', async () => {
  const store = await trackedTable()
  await (await openTableWriter(store)).append(appendOf('a', undefined, 1n, [7]))
  await writeCheckpoint(store, 1n, { nowMs: 0 })
  await (await openTableWriter(store)).append(appendOf('a', 1n, 2n, [1]))
  assert.deepEqual((await allCommits(store)).at(-1)?.actions.flatMap(idOf), [{ from: 7n, version: 2n }])
})

test('A commit states that it preserved all ids if the table has row tracking enabled', async () => {
  for (const [configuration, tags] of [
    [ENABLED, { 'delta.rowTracking.preserved': 'true' }],
    [{}, undefined],
  ] as const) {
    const store = await trackedTable(configuration)
    await (await openTableWriter(store)).append(appendOf('a', undefined, 1n, [1]))
    const commit = (await allCommits(store)).at(-1)
    assert.deepEqual(commit && commitInfoOf(commit)?.['tags'], tags)
    assert.deepEqual(commit && idsOf(commit), [{ from: 0n, version: 1n }])
  }
})

test('No ids are assigned while row tracking is suspended', async () => {
  const store = await trackedTable({ 'delta.rowTrackingSuspended': 'true' })
  await (await openTableWriter(store)).append(appendOf('a', undefined, 1n, [1]))
  const commit = (await allCommits(store)).at(-1)
  assert.deepEqual(commit && [idsOf(commit), markOf(commit)], [
    [{ from: undefined, version: undefined }],
    undefined,
  ])
})

test('A file whose statistics do not count its rows is refused', async () => {
  const writer = await openTableWriter(await trackedTable())
  await assert.rejects(writer.append(someAppend('a', undefined, 1n)), /numRecords/)
})

async function trackedTable(configuration: Record<string, string> = ENABLED): Promise<MemoryStore> {
  const store = new MemoryStore()
  await featuredTable(store, FEATURES, configuration)
  return store
}

function appendOf(
  appId: string,
  follows: bigint | undefined,
  version: bigint,
  rows: readonly number[],
): Append {
  const adds = rows.map((numRecords) => ({ ...someAdd(), stats: JSON.stringify({ numRecords }) }))
  return { ...someAppend(appId, follows, version), adds }
}

type Ids = { readonly from: bigint | undefined; readonly version: bigint | undefined }

function idsOf({ actions }: LogCommit): Ids[] {
  return actions.flatMap(idOf)
}

function idOf(action: LogCommit['actions'][number]): Ids[] {
  if (action.kind !== 'add') return []
  return [{ from: action.add.baseRowId, version: action.add.defaultRowCommitVersion }]
}

function markOf({ actions }: LogCommit): unknown {
  const mark = actions.flatMap((action) =>
    action.kind === 'domainMetadata' && action.domainMetadata.domain === 'delta.rowTracking'
      ? [action.domainMetadata.configuration]
      : [],
  )
  assert.ok(mark.length <= 1)
  return mark[0] === undefined
    ? undefined
    : (JSON.parse(mark[0]) as Record<string, unknown>)['rowIdHighWaterMark']
}
