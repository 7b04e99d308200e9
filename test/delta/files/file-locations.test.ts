import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FileLocator } from '../../../src/delta/files/file-locations.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'

function tableAt(uri: string): Store {
  return Object.create(new MemoryStore(), { uri: { value: uri } }) as Store
}

test('A relative path is a key of the table', async () => {
  const store = tableAt('/lake/t')
  assert.deepEqual(await new FileLocator(store).locate('a%20b/c.parquet'), { store, key: 'a b/c.parquet' })
})

for (const [uri, path, key] of [
  ['/lake/t', '/lake/t/x.parquet', 'x.parquet'],
  ['/lake/t/', 'file:/lake/t/a%20b/x.parquet', 'a b/x.parquet'],
  ['file:///lake/t', 'file:///lake/t/x.parquet', 'x.parquet'],
  ['s3://bucket/t', 's3a://bucket/t/x.parquet', 'x.parquet'],
] as const) {
  test(`The absolute path ${path} lies within the table ${uri}`, async () => {
    const store = tableAt(uri)
    assert.deepEqual(await new FileLocator(store).locate(path), { store, key })
  })
}

for (const [uri, path] of [
  ['/lake/t', '/lake/t2/x.parquet'],
  ['/lake/t', '/etc/passwd'],
  ['s3://bucket/t', 's3://other/t/x.parquet'],
  ['s3://bucket/t', 'file:///etc/passwd'],
  ['memory:x', 'memory:x/y'],
] as const) {
  test(`The absolute path ${path} outside the table ${uri} is refused without a store opener`, async () => {
    await assert.rejects(new FileLocator(tableAt(uri)).locate(path), { code: 'KD_TABLE_UNSUPPORTED' })
  })
}

test('A store of another kind is never opened', async () => {
  const open = (): Promise<Store> => assert.fail('it was opened')
  for (const path of ['file:///etc/passwd', '/etc/passwd', 'http://host/x', 'memory:x']) {
    await assert.rejects(new FileLocator(tableAt('s3://bucket/t'), open).locate(path), {
      code: 'KD_TABLE_UNSUPPORTED',
    })
  }
})

test('A store outside the table is opened once, at its root, and closed', async () => {
  const opened: string[] = []
  let closed = 0
  const close = (): void => {
    closed++
  }
  const open = (uri: string): Promise<Store> => {
    opened.push(uri)
    return Promise.resolve(Object.create(new MemoryStore(), { close: { value: close } }) as Store)
  }
  const locator = new FileLocator(tableAt('s3://bucket/t'), open)
  assert.equal((await locator.locate('s3://other/a/x.parquet')).key, 'a/x.parquet')
  assert.equal((await locator.locate('s3a://other/b/y.parquet')).key, 'b/y.parquet')
  await locator.close()
  assert.deepEqual([opened, closed], [['s3://other/'], 1])
})

for (const path of [
  '../../etc/passwd',
  'a/../../b',
  '%2e%2e/x',
  '/lake/t/../../etc/passwd',
  'file:/lake/t/%2e%2e/x',
  '%zz',
  '',
]) {
  test(`The path ${JSON.stringify(path)} is a corrupt table`, async () => {
    const open = (): Promise<Store> => assert.fail('it was opened')
    await assert.rejects(new FileLocator(tableAt('/lake/t'), open).locate(path), { code: 'KD_TABLE_CORRUPT' })
  })
}

test('A file outside a local table is read by its absolute path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-'))
  try {
    await new LocalStore(folder).put('other/x', new Uint8Array([7]))
    const locator = new FileLocator(new LocalStore(join(folder, 't')), (uri) =>
      Promise.resolve(new LocalStore(uri)),
    )
    const { store, key } = await locator.locate(`file:${folder}/other/x`)
    assert.deepEqual([...(await store.get(key))], [7])
  } finally {
    await rm(folder, { recursive: true })
  }
})
