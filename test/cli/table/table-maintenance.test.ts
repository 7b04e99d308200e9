import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { dataFile } from '../../delta/rows-table.ts'
import { emptyTable, ONE_LONG } from '../../delta/table.ts'
import { runTable } from './table-run.ts'

const CONTRACT = join(import.meta.dirname, '../../../schemas/user-events.schema.json')
let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-delta-maintenance-'))
})
after(() => {
  rmSync(folder, { recursive: true })
})

it('a table is created once from a contract, with partitions and properties, and its properties are set', async () => {
  const store = new LocalStore(join(folder, 'table'))
  const args = ['create', store.uri, '--from-contract', CONTRACT, '--kafka-columns', '--json']
  args.push(
    '--partition-columns',
    'event_type',
    '--property',
    'delta.targetFileSize=1mb',
    '--property',
    'a=b=c',
  )
  const created = await runTable(args)
  assert.equal(created.stderr, '')
  assert.equal(created.code, 0)
  const { metadata, schema, version } = await loadSnapshot(store)
  assert.equal(version, 0n)
  assert.deepEqual(metadata.configuration, { 'delta.targetFileSize': '1mb', a: 'b=c' })
  assert.deepEqual(metadata.partitionColumns, ['event_type'])
  assert.equal(schema.fields.at(-1)?.name, '_kafka_key')
  assert.deepEqual((JSON.parse(created.stdout) as { schema: unknown }).schema, schema)
  const again = await runTable(args)
  assert.equal(again.code, 2)
  assert.match(again.stderr, /KD_COMMAND_INVALID .*a table already exists there/)
  const set = await runTable(['properties', 'set', store.uri, 'a=c', 'delta.checkpointInterval=3'])
  assert.equal(set.stderr, '')
  assert.equal(set.stdout, 'version 1\n  delta.targetFileSize=1mb\n  a=c\n  delta.checkpointInterval=3\n')
})

it('properties that are not supported are refused before anything is created', async () => {
  const uri = join(folder, 'none')
  const args = ['create', uri, '--from-contract', CONTRACT, '--property', 'delta.enableIcebergCompatV2=true']
  const { code, stderr } = await runTable(args)
  assert.equal(code, 2)
  assert.match(stderr, /KD_COMMAND_INVALID .*delta\.enableIcebergCompatV2 is not supported/)
  assert.equal((await runTable(['show', uri])).code, 1)
})

it('small files are compacted, vacuum lists the replaced files, and a missing file makes verify fail', async () => {
  const store = new LocalStore(join(folder, 'packed'))
  await emptyTable(store)
  const adds = [await dataFile(store, ONE_LONG, [{ id: 1 }]), await dataFile(store, ONE_LONG, [{ id: 2 }])]
  await (
    await openTableWriter(store)
  ).append({ adds, txns: [], operationParameters: {}, operationMetrics: {} })
  const packed = await runTable(['optimize', store.uri])
  assert.equal(packed.code, 0)
  assert.match(packed.stdout, /^version 2: 2 files of [\d,]+ bytes became 1 of [\d,]+ bytes\n$/)
  assert.equal(packed.stderr, '1 of 1 groups of files\n')
  const listed = await runTable(['vacuum', store.uri, '--retention-hours', '0', '--force'])
  assert.match(
    listed.stdout,
    /\n2 files of [\d,]+ bytes would be deleted; run again with --no-dry-run to delete them\n$/,
  )
  for (const { path } of adds) assert.ok(listed.stdout.includes(path))
  const refused = await runTable(['vacuum', store.uri, '--retention-hours', '1'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /KD_COMMAND_INVALID .*--force/)
  for await (const { path } of (await loadSnapshot(store)).files()) await store.delete(path)
  const verified = await runTable(['verify', store.uri])
  assert.equal(verified.code, 1)
  assert.match(verified.stdout, /^missing file: part-\S+ no such file in the store\n/)
  assert.match(verified.stdout, /1 problems, 0 files that the table does not reference\n$/)
})
