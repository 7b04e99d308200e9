import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'node:test'
import { AzureStore } from '../../../src/storage/azure/azure.ts'
import { DynamoLogStore } from '../../../src/storage/dynamodb/dynamodb-log.ts'
import { GcsStore } from '../../../src/storage/gcs/gcs.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { S3Store } from '../../../src/storage/s3/s3.ts'

for (const [uri, kind] of [
  ['s3://lake', S3Store],
  ['s3://lake/', S3Store],
  ['s3a://lake/a/b=c d/', S3Store],
  ['abfss://lake@account.dfs.core.windows.net/a/b=c d/', AzureStore],
  ['abfs://lake@account.dfs.core.windows.net', AzureStore],
  ['az://lake/a', AzureStore],
  ['azure://lake/', AzureStore],
  ['gs://lake/a/b', GcsStore],
  ['memory:', MemoryStore],
  ['memory:name', MemoryStore],
  ['file:///data/table', LocalStore],
  ['/data/table', LocalStore],
  ['data/table', LocalStore],
  ['./~/table', LocalStore],
  ['./lake:1/table', LocalStore],
] as const) {
  test(`${uri} opens a ${kind.name} that keeps the URI as it was written`, async () => {
    const azure = { accountName: 'account', accountKey: 'c2VjcmV0' }
    const store = await openStore(uri, { s3: { region: 'us-east-1' }, azure })
    assert.ok(store instanceof kind)
    assert.equal(store.uri, uri)
    await store.close()
  })
}

test('With logStore dynamodb an S3 store coordinates commits through DynamoDB', async () => {
  const store = await openStore('s3://lake/a', { s3: { region: 'us-east-1', logStore: 'dynamodb' } })
  assert.ok(store instanceof DynamoLogStore)
  assert.equal(store.uri, 's3://lake/a')
  await store.close()
})

test('A folder is the same store by path and by file URI, also with spaces and percent signs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-open-'))
  try {
    const path = join(folder, 'a table %20')
    await (await openStore(path)).put('x', Buffer.from('1'))
    assert.equal(await (await openStore(pathToFileURL(path).href)).size('x'), 1)
    assert.deepEqual(await readdir(folder), ['a table %20'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('Two memory stores with one name share their objects', async () => {
  await (await openStore('memory:shared')).put('a', Buffer.from('x'))
  assert.equal(await (await openStore('memory:shared')).size('a'), 1)
  assert.equal(await (await openStore('memory:')).size('a'), undefined)
})

for (const uri of [
  '',
  'gs://',
  'gs://key:secret@lake/a',
  'hdfs://lake/a',
  'http://host/a',
  'constructor://a',
  's3://',
  's3:///a',
  's3://key:secret@lake/a',
  'az://',
  'az:///a',
  'az://lake/a?sv=1&sig=secret',
  'file://host/a',
  'file:a',
  'dbfs:/lake/a',
  's3:/lake/a',
  '~/lake/a',
  '$HOME/lake/a',
  'C:\\lake\\a',
])
  test(`${JSON.stringify(uri)} is refused, and the error contains no secret`, async () => {
    await assert.rejects(openStore(uri), (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'KD_CONFIG_INVALID')
      assert.equal(error.message.includes('secret'), false)
      return true
    })
  })
