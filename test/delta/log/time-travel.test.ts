import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import type { Action } from '../../../src/delta/protocol/actions.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { findVersionAt } from '../../../src/delta/log/time-travel.ts'
import { serialiseSchema } from '../../../src/delta/schema/schema-json.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store, StoredObject } from '../../../src/storage/store.ts'
import { ONE_LONG } from '../table.ts'

test('A time selects the newest version that existed; file times that run backwards are moved forward', async () => {
  const store = await logOf([1_000, 3_000, 2_000, 2_500, 9_000].map((fileMs) => ({ fileMs })))
  for (const [ms, version] of [
    [1_000, 0n],
    [2_999, 0n],
    [3_000, 1n],
    [3_001, 2n],
    [3_002, 3n],
    [8_999, 3n],
    [9_000, 4n],
    [1e12, 4n],
  ] as const) {
    assert.equal(await findVersionAt(store, ms), version, String(ms))
  }
  await assert.rejects(findVersionAt(store, 999), {
    code: 'KD_COMMAND_INVALID',
    message: /oldest commit .* 1970-01-01T00:00:01\.000Z/,
  })
})

test('In-commit timestamps take precedence over file times', async () => {
  const store = await logOf(
    [5_000, 6_000, 7_000].map((inCommitMs) => ({ fileMs: 90_000, inCommitMs })),
    { 'delta.enableInCommitTimestamps': 'true' },
  )
  assert.equal(await findVersionAt(store, 5_999), 0n)
  assert.equal(await findVersionAt(store, 6_000), 1n)
  assert.equal(await findVersionAt(store, 80_000), 2n)
  await assert.rejects(findVersionAt(store, 4_999), { code: 'KD_COMMAND_INVALID', message: /00:00:05/ })
})

test('File times count before in-commit timestamps were enabled, and commits after it', async () => {
  const commits = [
    { fileMs: 1_000 },
    { fileMs: 2_000 },
    { fileMs: 90_000, inCommitMs: 3_000 },
    { fileMs: 80_000, inCommitMs: 4_000 },
  ]
  const store = await logOf(commits, {
    'delta.enableInCommitTimestamps': 'true',
    'delta.inCommitTimestampEnablementVersion': '2',
    'delta.inCommitTimestampEnablementTimestamp': '3000',
  })
  for (const [ms, version] of [
    [1_500, 0n],
    [2_999, 1n],
    [3_000, 2n],
    [3_999, 2n],
    [4_000, 3n],
  ] as const) {
    assert.equal(await findVersionAt(store, ms), version, String(ms))
  }
})

test('A commit without its required timestamp is a corrupt table, named by its version', async () => {
  const store = await logOf([{ fileMs: 1, inCommitMs: 5_000 }, { fileMs: 2 }], {
    'delta.enableInCommitTimestamps': 'true',
  })
  await assert.rejects(findVersionAt(store, 6_000), { code: 'KD_TABLE_CORRUPT', message: /version 1/ })
})

test('Malformed properties for the enablement of in-commit timestamps are a corrupt table', async () => {
  const store = await logOf([{ fileMs: 1, inCommitMs: 5_000 }], {
    'delta.enableInCommitTimestamps': 'true',
    'delta.inCommitTimestampEnablementVersion': 'x',
  })
  await assert.rejects(findVersionAt(store, 6_000), { code: 'KD_TABLE_CORRUPT' })
})

interface TimedCommit {
  readonly fileMs: number
  readonly inCommitMs?: number
}

/** Creates a log whose files have the given modification times. */
async function logOf(
  commits: readonly TimedCommit[],
  configuration: Record<string, string> = {},
): Promise<Store> {
  const store = new MemoryStore()
  const times = new Map<string, number>()
  for (const [index, { fileMs, inCommitMs }] of commits.entries()) {
    const info = inCommitMs === undefined ? {} : { inCommitTimestamp: inCommitMs }
    const actions: Action[] = [{ kind: 'commitInfo', commitInfo: { timestamp: 1, ...info } }]
    if (index === 0) actions.push(...tableActions(configuration))
    const key = commitKey(BigInt(index))
    await store.putIfAbsent(key, serialiseActions(actions))
    times.set(key, fileMs)
  }
  return Object.create(store, {
    list: {
      value: async function* (prefix: string, after?: string): AsyncGenerator<StoredObject> {
        for await (const object of store.list(prefix, after)) {
          yield { ...object, modifiedMs: times.get(object.key) ?? object.modifiedMs }
        }
      },
    },
    get: { value: store.get.bind(store) },
    size: { value: store.size.bind(store) },
  }) as Store
}

function tableActions(configuration: Record<string, string>): readonly Action[] {
  return [
    {
      kind: 'protocol',
      protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['inCommitTimestamp'] },
    },
    {
      kind: 'metaData',
      metaData: {
        id: 'id',
        format: { provider: 'parquet', options: {} },
        schemaString: serialiseSchema(ONE_LONG),
        partitionColumns: [],
        configuration,
      },
    },
  ]
}
