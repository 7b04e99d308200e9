import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { loadSnapshot } from '../../src/delta/snapshot.ts'
import { LocalStore } from '../../src/storage/local.ts'
import { runTable } from './table-run.ts'

const CONTRACT = join(import.meta.dirname, '../../schemas/user-events.schema.json')
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
  assert.match(again.stderr, /KD_COMMAND_INVALID .*there is a table already/)
  const set = await runTable(['properties', 'set', store.uri, 'a=c', 'delta.checkpointInterval=3'])
  assert.equal(set.stderr, '')
  assert.equal(set.stdout, 'version 1\n  delta.targetFileSize=1mb\n  a=c\n  delta.checkpointInterval=3\n')
})

it('properties that are not supported are refused before anything is created', async () => {
  const uri = join(folder, 'none')
  const args = ['create', uri, '--from-contract', CONTRACT, '--property', 'delta.enableChangeDataFeed=true']
  const { code, stderr } = await runTable(args)
  assert.equal(code, 2)
  assert.match(stderr, /KD_COMMAND_INVALID .*delta\.enableChangeDataFeed is not supported/)
  assert.equal((await runTable(['show', uri])).code, 1)
})
