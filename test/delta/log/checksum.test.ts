// Goal: the checksum of every commit states what the table holds, at a cost that does not grow with the table, and
// never delays a commit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findChecksumFaults, readChecksum } from '../../../src/delta/log/checksum.ts'
import { writeCheckpoint } from '../../../src/delta/commit/checkpoint-write.ts'
import { readLiveFiles } from '../../../src/delta/log/live-files.ts'
import { findLogSegment } from '../../../src/delta/log/log-segment.ts'
import { checksumKey, commitKey } from '../../../src/delta/protocol/paths.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { setTableProperties } from '../../../src/delta/maintenance/set-properties.ts'
import { loadState } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { emptyTable, featuredTable, hastyClock, someAdd, someAppend } from '../table.ts'

test('Every commit has a checksum with the totals of the table', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  await writer.append(someAppend('a', undefined, 1n))
  await writer.append(someAppend('a', 1n, 2n))
  await setTableProperties(store, { note: 'set' })
  await writer.append(someAppend('b', undefined, 9_007_199_254_740_993n))
  await writer.idle()
  for (const [version, files] of [0, 1, 2, 2].entries()) {
    const sum = await readChecksum(store, BigInt(version))
    assert.deepEqual(sum?.totals, { files, bytes: files * 100 }, `version ${version}`)
    assert.equal(sum.metadata.configuration['note'], version < 3 ? undefined : 'set')
  }
  assert.equal(await readChecksum(store, 4n), undefined, 'the append ended as changed')
})

test('A checksum is one line of JSON with the fields that readers expect and exact whole numbers', async () => {
  const store = new MemoryStore()
  await featuredTable(
    store,
    ['inCommitTimestamp', 'domainMetadata'],
    { 'delta.enableInCommitTimestamps': 'true' },
    {
      inCommitTimestamp: 5,
    },
  )
  const domain = { domain: 'own', configuration: '{}', removed: false }
  const actions = [
    { kind: 'commitInfo', commitInfo: { inCommitTimestamp: 6 } },
    { kind: 'domainMetadata', domainMetadata: domain },
  ] as const
  await store.putIfAbsent(commitKey(1n), serialiseActions(actions))
  const clock = { ...hastyClock, now: () => 7 }
  const writer = await openTableWriter(store, { clock })
  await writer.append(someAppend('a', undefined, 9_007_199_254_740_993n))
  await writer.idle()
  const text = new TextDecoder().decode(await store.get(checksumKey(2n)))
  assert.equal(text.trimEnd().split('\n').length, 1)
  assert.match(text, /"version":9007199254740993/)
  const sum = JSON.parse(text) as Record<string, unknown>
  assert.deepEqual(
    [sum['numFiles'], sum['tableSizeBytes'], sum['numMetadata'], sum['numProtocol']],
    [1, 100, 1, 1],
  )
  assert.equal(sum['inCommitTimestampOpt'], 7)
  assert.deepEqual(sum['domainMetadata'], [domain])
  assert.equal((sum['setTransactions'] as unknown[]).length, 1)
  assert.equal(typeof sum['txnId'], 'string')
})

test('A writer that opened the table at a checkpoint continues from its checksum', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const first = await openTableWriter(store)
  await first.append(someAppend('a', undefined, 1n))
  await first.idle()
  await writeCheckpoint(store, 1n, { nowMs: 0 })
  const second = await openTableWriter(store)
  await second.append(someAppend('a', 1n, 2n))
  await second.idle()
  assert.deepEqual((await readChecksum(store, 2n))?.totals, { files: 2, bytes: 200 })
})

test('No checksum is written if the totals of the checkpoint are unknown', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const first = await openTableWriter(store)
  await first.append(someAppend('a', undefined, 1n))
  await first.idle()
  await writeCheckpoint(store, 1n, { nowMs: 0 })
  await store.delete(checksumKey(1n))
  const second = await openTableWriter(store)
  await second.append(someAppend('a', 1n, 2n))
  await second.idle()
  assert.equal(await store.size(checksumKey(2n)), undefined)
})

test('Commits of other writers in between are counted too', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  const add = someAdd('theirs')
  const remove = { path: 'theirs', dataChange: false, size: 100 }
  await store.putIfAbsent(commitKey(1n), serialiseActions([{ kind: 'add', add }]))
  await store.putIfAbsent(
    commitKey(2n),
    serialiseActions([
      { kind: 'remove', remove },
      { kind: 'add', add: { ...someAdd('packed'), size: 60, dataChange: false } },
    ]),
  )
  await writer.append(someAppend('a', undefined, 1n))
  await writer.idle()
  assert.deepEqual((await readChecksum(store, 3n))?.totals, { files: 2, bytes: 160 })
  let files = 0
  for await (const file of readLiveFiles(store, await findLogSegment(store))) if (file.kind === 'add') files++
  assert.equal(files, 2)
})

test('A store that refuses checksums causes one warning, and no commit fails or waits', async () => {
  const store = new MemoryStore('', {
    fault: ({ key }) => (key.endsWith('.crc') ? 'refused' : undefined),
  })
  await emptyTable(store)
  const warnings: string[] = []
  const writer = await openTableWriter(store, { onWarning: ({ code }) => warnings.push(code) })
  for (let version = 0n; version < 5n; version++) {
    const outcome = await writer.append(someAppend('a', version === 0n ? undefined : version - 1n, version))
    assert.equal(outcome.kind, 'committed')
  }
  await writer.idle()
  assert.deepEqual(warnings, ['KD_CHECKSUM_FAILED'])
})

test('An existing checksum is not overwritten', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  await store.put(checksumKey(1n), new TextEncoder().encode('theirs'))
  await writer.append(someAppend('a', undefined, 1n))
  await writer.idle()
  assert.equal(new TextDecoder().decode(await store.get(checksumKey(1n))), 'theirs')
  await assert.rejects(readChecksum(store, 1n), { code: 'KD_TABLE_CORRUPT' })
})

test('Differences between a checksum and the table are reported, and so is an unreadable checksum', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  await writer.append(someAppend('a', undefined, 1n))
  await writer.idle()
  const state = await loadState(store, await findLogSegment(store))
  const truth = { files: 1, bytes: 100 }
  assert.deepEqual(await findChecksumFaults(store, state, truth), [])
  const good = new TextDecoder().decode(await store.get(checksumKey(1n)))
  for (const [from, to, fault] of [
    ['"numFiles":1', '"numFiles":2', /numFiles is 2 in the checksum, but 1 in the table/],
    ['"tableSizeBytes":100', '"tableSizeBytes":99', /tableSizeBytes is 99/],
    ['"minWriterVersion":2', '"minWriterVersion":7', /protocol/],
    ['"configuration":{}', '"configuration":{"a":"b"}', /metadata/],
    ['"numFiles":1', '"numFiles":"x"', /cannot be read/],
  ] as const) {
    assert.ok(good.includes(from), from)
    await store.put(checksumKey(1n), new TextEncoder().encode(good.replace(from, to)))
    const faults = await findChecksumFaults(store, state, truth)
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', fault)
  }
  await store.delete(checksumKey(1n))
  assert.deepEqual(await findChecksumFaults(store, state, truth), [])
})
