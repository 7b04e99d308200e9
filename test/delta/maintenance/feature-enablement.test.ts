// Goal: a new table has the least protocol that puts its properties in force, and the columns and properties that their
// features require.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { enableFeatures } from '../../../src/delta/maintenance/feature-enablement.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { commitInfoOf } from '../../../src/delta/log/state.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { structOf } from '../../support/flow/batches.ts'
import { allCommits, ONE_LONG, someAdd, someAppend } from '../table.ts'

const ALWAYS = ['appendOnly', 'invariants']

for (const [configuration, protocol] of [
  [{}, { minReaderVersion: 1, minWriterVersion: 2 }],
  [{ 'delta.appendOnly': 'true' }, { minReaderVersion: 1, minWriterVersion: 2 }],
  [{ 'delta.enableRowTracking': 'false' }, { minReaderVersion: 1, minWriterVersion: 2 }],
  [
    { 'delta.enableChangeDataFeed': 'true' },
    { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['changeDataFeed', ...ALWAYS] },
  ],
  [
    { 'delta.enableInCommitTimestamps': 'true' },
    { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['inCommitTimestamp', ...ALWAYS] },
  ],
  [
    { 'delta.columnMapping.mode': 'id' },
    { minReaderVersion: 2, minWriterVersion: 7, writerFeatures: ['columnMapping', ...ALWAYS] },
  ],
  [
    { 'delta.enableRowTracking': 'true' },
    {
      minReaderVersion: 1,
      minWriterVersion: 7,
      writerFeatures: ['rowTracking', 'domainMetadata', ...ALWAYS],
    },
  ],
  [
    { 'delta.enableDeletionVectors': 'true', 'delta.columnMapping.mode': 'name' },
    {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['columnMapping', 'deletionVectors'],
      writerFeatures: ['columnMapping', 'deletionVectors', ...ALWAYS],
    },
  ],
  [
    { 'delta.feature.typeWidening': 'supported' },
    {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['typeWidening'],
      writerFeatures: ['typeWidening', ...ALWAYS],
    },
  ],
] as const) {
  test(`A table with ${JSON.stringify(configuration)} gets the least protocol it needs`, () => {
    assert.deepEqual(enableFeatures(ONE_LONG, configuration).protocol, protocol)
  })
}

test('A timestamp without a time zone needs its feature, at any depth', () => {
  const schema = structOf({ s: structOf({ t: 'timestamp_ntz' }) })
  assert.deepEqual(enableFeatures(schema, {}).protocol.readerFeatures, ['timestampNtz'])
})

for (const [key, value, feature] of [
  ['delta.enableIcebergCompatV2', 'true', 'icebergCompatV2'],
  ['delta.constraints.positive', 'id > 0', 'checkConstraints'],
  ['delta.feature.somethingNew', 'supported', 'somethingNew'],
  ['delta.feature.catalogManaged', 'supported', 'catalogManaged'],
] as const) {
  test(`No table is created with ${key}`, () => {
    assert.throws(
      () => enableFeatures(ONE_LONG, { [key]: value }),
      (error) =>
        error instanceof PipelineError &&
        error.code === 'KD_TABLE_UNSUPPORTED' &&
        error.message.includes(feature),
    )
  })
}

test('Properties that name features are not stored in the table', () => {
  const { configuration } = enableFeatures(ONE_LONG, {
    'delta.feature.domainMetadata': 'supported',
    own: '1',
  })
  assert.deepEqual(configuration, { own: '1' })
})

test('Columns of a mapped table have ids and physical names of their own at every depth, and may have any name', async () => {
  const inner = structOf({ 'x y': 'long', z: 'string' })
  const schema: StructType = structOf({
    'a, (b)': 'long',
    list: { type: 'array', elementType: inner, containsNull: false },
    map: { type: 'map', keyType: 'string', valueType: inner, valueContainsNull: true },
  })
  const store = new MemoryStore()
  const configuration = { 'delta.columnMapping.mode': 'name' }
  await createTable(store, { schema, partitionColumns: [], configuration })
  const { metadata } = await loadSnapshot(store)
  assert.equal(metadata.configuration['delta.columnMapping.maxColumnId'], '7')
  const text = JSON.stringify(metadata.schema)
  const ids = [...text.matchAll(/"delta.columnMapping.id":(\d+)/g)].map(([, id]) => Number(id))
  assert.deepEqual(
    ids.sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7],
  )
  const names = [...text.matchAll(/"delta.columnMapping.physicalName":"([^"]+)"/g)].map(([, name]) => name)
  assert.equal(new Set(names).size, 7)
  // Opening the table validates it.
  await openTableWriter(store)
})

test('Without mapping such names are refused', async () => {
  const schema = structOf({ 'a, (b)': 'long' })
  await assert.rejects(createTable(new MemoryStore(), { schema, partitionColumns: [] }), {
    code: 'KD_SCHEMA_MISMATCH',
  })
})

test('A table with in-commit timestamps has one in its first commit, and the next one follows', async () => {
  const store = new MemoryStore()
  const clock = { now: () => 5_000, sleep: () => Promise.resolve() }
  const configuration = { 'delta.enableInCommitTimestamps': 'true' }
  await createTable(store, { schema: ONE_LONG, partitionColumns: [], configuration }, clock)
  await (await openTableWriter(store, { clock })).append(someAppend('a', undefined, 1n))
  const times = (await allCommits(store)).map((commit) => commitInfoOf(commit)?.['inCommitTimestamp'])
  assert.deepEqual(times, [5_000, 5_001])
})

test('A table that tracks rows names the hidden columns, and rows get ids from 0', async () => {
  const store = new MemoryStore()
  const configuration = { 'delta.enableRowTracking': 'true' }
  await createTable(store, { schema: ONE_LONG, partitionColumns: [], configuration })
  const writer = await openTableWriter(store)
  const own = writer.metadata.configuration
  assert.match(own['delta.rowTracking.materializedRowIdColumnName'] ?? '', /^_row-id-col-/)
  assert.match(
    own['delta.rowTracking.materializedRowCommitVersionColumnName'] ?? '',
    /^_row-commit-version-col-/,
  )
  const add = { ...someAdd(), stats: '{"numRecords":3}' }
  await writer.append({ ...someAppend('a', undefined, 1n), adds: [add] })
  const [, commit] = await allCommits(store)
  const added = commit?.actions.flatMap((action) => (action.kind === 'add' ? [action.add.baseRowId] : []))
  assert.deepEqual(added, [0n])
})
