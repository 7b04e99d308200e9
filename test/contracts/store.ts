import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { compareKeys } from '../../src/storage/keys.ts'
import type { Store, StoredObject } from '../../src/storage/store.ts'
import { nameForTests } from '../support/servers/servers.ts'

/** How the suite gets at one kind of store. */
export interface StoreUnderTest {
  readonly name: string
  /** Opens the store at a root of this name; two with one name see the same objects. */
  readonly open: (root: string) => Promise<Store>
  /** Size of an object that this store uploads in parts, in bytes; absent where it has no parts. */
  readonly multipartBytes?: number
  /** Whether keys can have a backslash; they can unless told otherwise. */
  readonly hasBackslash?: boolean
}

const WRITERS = 50
const CONTESTED_KEYS = 20
const MANY_KEYS = 1100
const UNAVOIDABLE_NAMES = [
  'with space',
  'per%cent',
  'per%20cent',
  'col=value',
  'plus+plus',
  'hash#hash',
  'question?mark',
  'amp&semicolon;comma,colon:at@dollar$',
  "quote'(bracket)[square]{curly}~tilde!star*",
  'ümlaut-日本語-é',
  'emoji-🙂',
  'back\\slash"double<less>',
  '.hidden',
  'trailing.',
]

/** What every store must do; run it from the store's own test file. */
export function storeContract(subject: StoreUnderTest): void {
  describe(`${subject.name} keeps the contract of a store`, () => {
    const root = nameForTests('contract')
    let store: Store
    let other: Store
    before(async () => {
      store = await subject.open(root)
      other = await subject.open(root)
    })
    after(async () => {
      await store.close()
      await other.close()
    })
    objects(() => store)
    listings(() => store)
    names(() => store, subject.hasBackslash ?? true)
    conditionalPuts(
      () => store,
      () => other,
    )
    bodies(() => store, subject.multipartBytes)
  })
}

function objects(store: () => Store): void {
  test('An object that was put is read back byte for byte, through any range', async () => {
    const body = randomBytes(1000)
    assert.deepEqual(await store().put('objects/a', body), { bytes: 1000 })
    assert.deepEqual(bytesOf(await store().get('objects/a')), body)
    assert.deepEqual(bytesOf(await store().get('objects/a', { start: 10, end: 20 })), body.subarray(10, 20))
    assert.deepEqual(bytesOf(await store().get('objects/a', { start: 990 })), body.subarray(990))
    assert.deepEqual(bytesOf(await store().get('objects/a', { start: 990, end: 2000 })), body.subarray(990))
    assert.equal((await store().get('objects/a', { start: 1000 })).length, 0)
    assert.equal((await store().get('objects/a', { start: 5, end: 5 })).length, 0)
    assert.equal(await store().size('objects/a'), 1000)
  })

  test('A view into a larger buffer is stored without what is around it', async () => {
    const around = randomBytes(100)
    await store().put('objects/view', new Uint8Array(around.buffer, around.byteOffset + 10, 20))
    assert.deepEqual(bytesOf(await store().get('objects/view')), around.subarray(10, 30))
  })

  test('A body that changes after it was stored does not change the object', async () => {
    const body = Buffer.from('before')
    await store().put('objects/fixed', body)
    body.write('AFTER!')
    assert.equal(textOf(await store().get('objects/fixed')), 'before')
  })

  test('An empty object is an object', async () => {
    await store().put('objects/empty', new Uint8Array(0))
    assert.equal(await store().size('objects/empty'), 0)
    assert.equal((await store().get('objects/empty')).length, 0)
  })

  test('A put replaces the object that was there', async () => {
    await store().put('objects/replaced', Buffer.from('the longer first one'))
    await store().put('objects/replaced', Buffer.from('second'))
    assert.equal(textOf(await store().get('objects/replaced')), 'second')
  })

  test('A reader during puts sees one whole object or another', async () => {
    const size = 200_000
    await store().put('objects/atomic', Buffer.alloc(size, 'a'))
    const writing = (async () => {
      for (const letter of 'bcdefgh') await store().put('objects/atomic', Buffer.alloc(size, letter))
    })()
    for (let read = 0; read < 10; read++) {
      const bytes = await store().get('objects/atomic')
      assert.equal(bytes.length, size)
      assert.ok(bytes.every((byte) => byte === bytes[0]))
    }
    await writing
  })

  test('An object that is not there is KD_STORE_NOT_FOUND to get and undefined to size', async () => {
    await assert.rejects(store().get('objects/absent'), { code: 'KD_STORE_NOT_FOUND' })
    await assert.rejects(store().get('objects/absent', { start: 0, end: 4 }), { code: 'KD_STORE_NOT_FOUND' })
    await assert.rejects(store().get('objects/absent', { start: 4, end: 4 }), { code: 'KD_STORE_NOT_FOUND' })
    assert.equal(await store().size('objects/absent'), undefined)
    assert.equal(await store().size('objects'), undefined)
  })

  test('A deleted object is gone, and deleting it again is no error', async () => {
    await store().put('objects/deleted', Buffer.from('x'))
    await store().delete('objects/deleted')
    assert.equal(await store().size('objects/deleted'), undefined)
    await store().delete('objects/deleted')
    await store().delete('no-such-folder/deleted')
  })

  for (const key of ['', '/absolute', '../outside', 'a/../../outside', 'a//b', 'a/', './a', 'zero\0byte']) {
    test(`The key ${JSON.stringify(key)} is refused by every method`, async () => {
      const refused = { code: 'KD_STORE_FAILED' }
      await assert.rejects(async () => store().get(key), refused)
      await assert.rejects(async () => store().size(key), refused)
      await assert.rejects(async () => store().put(key, Buffer.from('x')), refused)
      await assert.rejects(async () => store().putIfAbsent(key, Buffer.from('x')), refused)
      await assert.rejects(async () => store().delete(key), refused)
    })
  }
}

function listings(store: () => Store): void {
  test('A listing is in byte order of keys, folders and files mixed', async () => {
    const keys = [
      'a',
      'a-b',
      'a.b',
      'a/b',
      'a/b/c',
      'a0',
      'A',
      'b/\u{1f642}',
      'b/\uffee',
      'b/é',
      'b/z',
    ].filter(
      // A folder and a file cannot share a name on a disk.
      (key) => key !== 'a' && key !== 'a/b',
    )
    for (const key of keys) await store().put(`order/${key}`, Buffer.from(key))
    const expected = keys
      .map((key) => Buffer.from(`order/${key}`))
      .sort((x, y) => Buffer.compare(x, y))
      .map(String)
    const listed = await collect(store().list('order/'))
    assert.deepEqual(
      listed.map(({ key }) => key),
      expected,
    )
    assert.deepEqual(
      listed.map(({ bytes }) => bytes),
      expected.map((key) => Buffer.byteLength(key) - 6),
    )
    for (const { modifiedMs } of listed) assert.ok(Math.abs(modifiedMs - Date.now()) < 600_000)
  })

  test('A prefix may end within a name, at a folder, or nowhere', async () => {
    for (const key of ['p/log/1.json', 'p/log/2.json', 'p/log2/1.json', 'p/other'])
      await store().put(key, Buffer.from('x'))
    assert.deepEqual(await keysOf(store().list('p/lo')), ['p/log/1.json', 'p/log/2.json', 'p/log2/1.json'])
    assert.deepEqual(await keysOf(store().list('p/log/')), ['p/log/1.json', 'p/log/2.json'])
    assert.deepEqual(await keysOf(store().list('p/log/1.json')), ['p/log/1.json'])
    assert.deepEqual(await keysOf(store().list('p/none')), [])
    assert.deepEqual(await keysOf(store().list('no-such-folder/')), [])
    assert.ok((await keysOf(store().list(''))).includes('p/other'))
  })

  test('More objects than one page are listed in full, and from any key on', async () => {
    const keys = Array.from(
      { length: MANY_KEYS },
      (_, index) => `many/${String(index).padStart(20, '0')}.json`,
    )
    await eachOf(keys, (key) => store().put(key, Buffer.from('x')))
    assert.deepEqual(await keysOf(store().list('many/')), keys)
    for (const start of [0, 1, 999, 1000, MANY_KEYS - 2, MANY_KEYS - 1])
      assert.deepEqual(await keysOf(store().list('many/', keys[start])), keys.slice(start + 1))
    assert.deepEqual(await keysOf(store().list('many/', 'many/')), keys)
    assert.deepEqual(await keysOf(store().list('many/', 'a')), keys)
    assert.deepEqual(await keysOf(store().list('many/', 'z')), [])
    assert.deepEqual(
      await keysOf(store().list('many/0000000000000000010', `many/${'0'.repeat(17)}100.json`)),
      keys.slice(101, 110),
    )
  })

  test('A listing that is left early has given what was asked for', async () => {
    const seen: string[] = []
    for await (const { key } of store().list('many/')) {
      seen.push(key)
      if (seen.length === 3) break
    }
    assert.equal(seen.length, 3)
  })
}

function names(store: () => Store, hasBackslash: boolean): void {
  const possible = UNAVOIDABLE_NAMES.filter((name) => hasBackslash || !name.includes('\\'))
  test('Special characters in keys are plain characters', async () => {
    for (const name of possible) {
      await store().put(`names/${name}/${name}`, Buffer.from(name))
      assert.equal(textOf(await store().get(`names/${name}/${name}`)), name)
      assert.equal(await store().size(`names/${name}/${name}`), Buffer.byteLength(name))
      assert.equal(await store().putIfAbsent(`names/${name}/${name}`, Buffer.from('other')), 'exists')
    }
    const expected = possible.map((name) => `names/${name}/${name}`).sort(compareKeys)
    assert.deepEqual(await keysOf(store().list('names/')), expected)
    for (const key of expected) await store().delete(key)
    assert.deepEqual(await keysOf(store().list('names/')), [])
  })
}

function conditionalPuts(store: () => Store, other: () => Store): void {
  test('A conditional put creates once and never replaces', async () => {
    assert.equal(await store().putIfAbsent('once/a', Buffer.from('first')), 'created')
    assert.equal(await store().putIfAbsent('once/a', Buffer.from('second')), 'exists')
    assert.equal(await other().putIfAbsent('once/a', Buffer.from('third')), 'exists')
    assert.equal(textOf(await store().get('once/a')), 'first')
    await store().delete('once/a')
    assert.equal(await other().putIfAbsent('once/a', Buffer.from('again')), 'created')
    assert.equal(textOf(await store().get('once/a')), 'again')
  })

  test(`Of ${WRITERS} concurrent conditional puts on one key exactly one wins, and its body is the object`, async () => {
    for (let contest = 0; contest < CONTESTED_KEYS; contest++) {
      const key = `contest/_delta_log/${String(contest).padStart(20, '0')}.json`
      const outcomes = await Promise.all(
        Array.from({ length: WRITERS }, (_, writer) =>
          (writer % 2 === 0 ? store() : other()).putIfAbsent(
            key,
            Buffer.from(`writer ${writer}`.repeat(100)),
          ),
        ),
      )
      const winners = outcomes.flatMap((outcome, writer) => (outcome === 'created' ? [writer] : []))
      assert.equal(winners.length, 1, `${key}: ${outcomes.join(' ')}`)
      assert.equal(textOf(await store().get(key)), `writer ${String(winners[0])}`.repeat(100))
      assert.deepEqual(new Set(outcomes), new Set(['created', 'exists']))
    }
    assert.equal((await keysOf(store().list('contest/_delta_log/0'))).length, CONTESTED_KEYS)
  })
}

function bodies(store: () => Store, multipartBytes: number | undefined): void {
  test('A streamed body of unknown length is stored whole', async () => {
    const chunks = Array.from({ length: 20 }, (_, index) => randomBytes(index * 1000))
    const whole = Buffer.concat(chunks)
    assert.deepEqual(await store().put('bodies/stream', streamOf(chunks)), { bytes: whole.length })
    assert.deepEqual(bytesOf(await store().get('bodies/stream')), whole)
  })

  test('A streamed body that fails leaves no object, and its own error is thrown', async () => {
    const failing = (async function* () {
      yield Buffer.from('some bytes')
      await Promise.resolve()
      throw new Error('the producer failed')
    })()
    await assert.rejects(store().put('bodies/failed', failing), /the producer failed/)
    assert.deepEqual(await keysOf(store().list('bodies/failed')), [])
  })

  if (multipartBytes === undefined) return
  test('A large body, at once or streamed, goes up in parts and is the same object', async () => {
    const whole = randomBytes(multipartBytes)
    assert.deepEqual(await store().put('bodies/large', whole), { bytes: multipartBytes })
    assert.ok(whole.equals(await store().get('bodies/large')))
    const chunks = Array.from({ length: 100 }, (_, index) =>
      whole.subarray(
        Math.floor((index * multipartBytes) / 100),
        Math.floor(((index + 1) * multipartBytes) / 100),
      ),
    )
    assert.deepEqual(await store().put('bodies/large-stream', streamOf(chunks)), { bytes: multipartBytes })
    assert.ok(whole.equals(await store().get('bodies/large-stream')))
    assert.equal(await store().size('bodies/large-stream'), multipartBytes)
  })
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve()
    yield chunk
  }
}

async function collect(listing: AsyncIterable<StoredObject>): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const object of listing) found.push(object)
  return found
}

async function keysOf(listing: AsyncIterable<StoredObject>): Promise<string[]> {
  return (await collect(listing)).map(({ key }) => key)
}

/** At most ten at once. */
async function eachOf<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  for (let next = 0; next < items.length; next += 10) await Promise.all(items.slice(next, next + 10).map(run))
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function textOf(bytes: Uint8Array): string {
  return bytesOf(bytes).toString()
}
