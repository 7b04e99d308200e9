import assert from 'node:assert/strict'
import fs, { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { storeContract } from '../../contracts/store.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kafka-delta-store-'))
})
after(() => rm(folder, { recursive: true, force: true }))

storeContract({
  name: 'The local store',
  open: (root) => Promise.resolve(new LocalStore(join(folder, root))),
})

async function keysOf(store: LocalStore, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix)) keys.push(key)
  return keys
}

test('An unfinished file of a dead writer is not an object', async () => {
  const root = join(folder, 'unfinished')
  await mkdir(root)
  await writeFile(join(root, '.a.json.0f8fad5b-d9cb-469f-a165-70867728950e.tmp'), 'half')
  const store = new LocalStore(root)
  await store.put('a.json', Buffer.from('{}'))
  assert.deepEqual(await keysOf(store), ['a.json'])
})

const DAY_MS = 24 * 60 * 60 * 1000

for (const [what, act] of [
  ['is written', (store: LocalStore) => store.put('a/new', Buffer.from('x'))],
  ['is committed', (store: LocalStore) => store.putIfAbsent('a/new', Buffer.from('x'))],
  ['is deleted', (store: LocalStore) => store.delete('a/none')],
] as const)
  test(`Unfinished files that have not changed for a day are removed when something ${what}`, async () => {
    const root = join(folder, `abandoned-${what}`)
    const unfinished = '.a.json.0f8fad5b-d9cb-469f-a165-70867728950e.tmp'
    const others = ['object', '.hidden.tmp', '.a.json.0f8fad5b.tmp']
    await mkdir(join(root, 'a'), { recursive: true })
    await mkdir(join(root, 'b'))
    for (const name of [unfinished, ...others]) await writeFile(join(root, 'a', name), 'half')
    await writeFile(join(root, 'b', unfinished), 'half')
    const today = new LocalStore(root, root, () => Date.now() + DAY_MS / 2)
    await act(today)
    await today.close()
    assert.ok((await readdir(join(root, 'a'))).includes(unfinished), 'its writer may be alive')
    const tomorrow = new LocalStore(root, root, () => Date.now() + DAY_MS + 60_000)
    await act(tomorrow)
    await tomorrow.close()
    const left = (await readdir(join(root, 'a'))).filter((name) => name !== 'new')
    assert.deepEqual(left.sort(), others.sort())
    assert.deepEqual(await readdir(join(root, 'b')), [unfinished], 'nobody has been there')
  })

test('A key named like an unfinished file is refused', async () => {
  const store = new LocalStore(join(folder, 'refused'))
  await assert.rejects(
    async () => store.put('x/.a.json.0f8fad5b-d9cb-469f-a165-70867728950e.tmp', Buffer.from('x')),
    { code: 'KD_STORE_FAILED' },
  )
})

test('Successful and lost puts leave only the objects in the folder', async () => {
  const root = join(folder, 'tidy')
  const store = new LocalStore(root)
  await store.put('a', Buffer.from('1'))
  await store.put('a', Buffer.from('2'))
  await store.putIfAbsent('a', Buffer.from('3'))
  await store.putIfAbsent('b', Buffer.from('4'))
  assert.deepEqual((await readdir(root)).sort(), ['a', 'b'])
})

test('A key whose name fills the file system limit of 255 bytes can be written', async () => {
  const store = new LocalStore(join(folder, 'long'))
  const key = 'k'.repeat(255)
  assert.equal(await store.putIfAbsent(key, Buffer.from('x')), 'created')
  assert.deepEqual(await keysOf(store), [key])
})

test('A path through a file is a missing object and cannot be written', async () => {
  const store = new LocalStore(join(folder, 'through'))
  await store.put('a', Buffer.from('x'))
  await assert.rejects(store.get('a/b'), { code: 'KD_STORE_NOT_FOUND' })
  assert.equal(await store.size('a/b'), undefined)
  await assert.rejects(store.put('a/b', Buffer.from('x')), { code: 'KD_STORE_FAILED' })
  await assert.rejects(store.putIfAbsent('a/b', Buffer.from('x')), { code: 'KD_STORE_FAILED' })
})

// Linux answers ENOENT for each folder that is made in /proc, other systems have no such folder.
test('Where no folder can be made writing fails at once', { timeout: 20_000 }, async () => {
  for (const root of ['/proc/x', '/proc/x/y/z', '/proc/1/fd/x', '/dev/null/x']) {
    const store = new LocalStore(root)
    await assert.rejects(store.put('_delta_log/a', Buffer.from('x')), { code: 'KD_STORE_FAILED' }, root)
    await assert.rejects(store.putIfAbsent('a', Buffer.from('x')), { code: 'KD_STORE_FAILED' }, root)
  }
})

test('Concurrent writers make the same new folders', async () => {
  const root = join(folder, 'many', 'new', 'folders')
  const keys = Array.from({ length: 8 }, (_, index) => `a/b/${index}`)
  await Promise.all(keys.map((key) => new LocalStore(root).put(key, Buffer.from('x'))))
  assert.deepEqual(await keysOf(new LocalStore(root)), keys)
})

test('A linked file is listed with its size, a linked folder is not entered', async () => {
  const root = join(folder, 'links')
  const store = new LocalStore(root)
  await store.put('real/a', Buffer.from('12345'))
  await symlink(join(root, 'real', 'a'), join(root, 'file-link'))
  await symlink(join(root, 'real'), join(root, 'folder-link'))
  const found: [string, number][] = []
  for await (const { key, bytes } of store.list('')) found.push([key, bytes])
  assert.deepEqual(found, [
    ['file-link', 5],
    ['real/a', 5],
  ])
})

test('A file system without hard links refuses conditional puts for good, and nothing is left of them', async (context) => {
  const root = join(folder, 'linkless')
  const store = new LocalStore(root)
  await store.put('a', Buffer.from('1'))
  const refused = Object.assign(new Error('EPERM: operation not permitted, link'), {
    code: 'EPERM',
    syscall: 'link',
  })
  const { link } = fs
  context.after(() => {
    Object.assign(fs, { link })
    syncBuiltinESMExports()
  })
  Object.assign(fs, { link: () => Promise.reject(refused) })
  syncBuiltinESMExports()
  await assert.rejects(store.putIfAbsent('b', Buffer.from('2')), {
    code: 'KD_STORE_FAILED',
    retryable: false,
    message: /no hard links.*EPERM/,
  })
  assert.deepEqual(await readdir(root), ['a'])
})
