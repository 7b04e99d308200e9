// Goal: at whatever step a writer dies, a commit exists completely and once, or not at all. Method: a
// real DynamoDB server and a bucket, writers that stop after each step of the protocol, and checks with a new store.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { DynamoEntries, type CommitEntries } from '../../../src/storage/dynamodb/dynamodb-entries.ts'
import { DynamoLogStore } from '../../../src/storage/dynamodb/dynamodb-log.ts'
import { MemoryStore, type MemoryFault } from '../../../src/storage/memory.ts'
import { S3Store } from '../../../src/storage/s3/s3.ts'
import type { Store } from '../../../src/storage/store.ts'
import type { S3Address } from '../../support/servers/s3.ts'
import { storeContract } from '../../contracts/store.ts'
import type { DynamoAddress } from '../../support/servers/emulators.ts'
import { dynamoForTests, nameForTests, s3ForTests } from '../../support/servers/servers.ts'

const MIB = 1024 * 1024
/** No grace time: writers that die in these tests do not come back. */
const HASTY = { graceMs: 0 }

let s3: S3Address
let dynamo: DynamoAddress
before(async () => {
  ;[s3, dynamo] = await Promise.all([s3ForTests(), dynamoForTests()])
})

function bucketOf(root: string, uri?: string): S3Store {
  const { bucket, ...options } = s3
  return new S3Store(bucket, root, { ...options, forcePathStyle: true, multipartBytesMin: 9 * MIB }, uri)
}

storeContract({
  name: 'The S3 store with DynamoDB',
  open: async (root) => {
    ;[s3, dynamo] = await Promise.all([s3ForTests(), dynamoForTests()])
    return new DynamoLogStore(bucketOf(root), new DynamoEntries(dynamo))
  },
  multipartBytes: 17 * MIB,
})

const key = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`
const body = (text: string): Buffer => Buffer.from(text)

async function textOf(store: Store, at: string): Promise<string> {
  return Buffer.from(await store.get(at)).toString()
}

async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const object of store.list(prefix)) keys.push(object.key)
  return keys
}

/** Creates a table with version 0 in memory, and the entries that its writers share. */
async function tableWithOneCommit() {
  const bucket = new MemoryStore(nameForTests('table'))
  const entries = new DynamoEntries(dynamo)
  const store = new DynamoLogStore(bucket, entries, HASTY)
  assert.equal(await store.putIfAbsent(key(0), body('zero')), 'created')
  return { bucket, entries, store }
}

test('A commit leaves its object and a complete entry that expires in a day, and nothing else', async () => {
  const bucket = new MemoryStore(nameForTests('table'))
  const entries = new DynamoEntries(dynamo, () => 1_700_000_000_123)
  const store = new DynamoLogStore(bucket, entries, HASTY)
  assert.equal(await store.putIfAbsent(key(0), body('zero')), 'created')
  assert.deepEqual(await keysOf(bucket, ''), [key(0)])
  const { DynamoDBClient, GetItemCommand } = await import('@aws-sdk/client-dynamodb')
  const client = new DynamoDBClient({ ...dynamo, credentials: dynamo })
  const fileName = '00000000000000000000.json'
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: dynamo.table,
      Key: { tablePath: { S: store.uri + '/' }, fileName: { S: fileName } },
    }),
  )
  assert.equal(Item, undefined, 'the path has no slash at its end')
  const found = await client.send(
    new GetItemCommand({
      TableName: dynamo.table,
      Key: { tablePath: { S: store.uri }, fileName: { S: fileName } },
    }),
  )
  client.destroy()
  const { tempPath, ...rest } = found.Item ?? {}
  assert.match(tempPath?.S ?? '', /^\.tmp\/00000000000000000000\.json\.[0-9a-f-]{36}$/)
  assert.deepEqual(rest, {
    tablePath: { S: store.uri },
    fileName: { S: fileName },
    complete: { S: 'true' },
    expireTime: { N: String(1_700_000_000 + 86_400) },
  })
})

/** Names the request at which a writer dies: it and everything after it is lost. */
type Death = 'before its entry' | 'after its entry' | 'after its copy'

/** Creates a writer on the same bucket and entries that dies while it writes version 1. */
async function dyingWriter(bucket: MemoryStore, entries: CommitEntries, death: Death) {
  const died = new Error('the writer died')
  const dying: CommitEntries = {
    create: async (...entry) => {
      if (death === 'before its entry') throw died
      return entries.create(...entry)
    },
    get: (...entry) => entries.get(...entry),
    latest: (path) => entries.latest(path),
    complete: () => Promise.reject(died),
    close: () => Promise.resolve(),
  }
  const store: Store = {
    uri: bucket.uri,
    get: (...args) => bucket.get(...args),
    size: (...args) => bucket.size(...args),
    list: (...args) => bucket.list(...args),
    put: (...args) => bucket.put(...args),
    putIfAbsent: (...args) =>
      death === 'after its entry' ? Promise.reject(died) : bucket.putIfAbsent(...args),
    delete: () => Promise.reject(died),
    close: () => Promise.resolve(),
  }
  await new DynamoLogStore(store, dying).putIfAbsent(key(1), body('one')).catch((error: unknown) => {
    if (error !== died) throw error
  })
}

const LOOKS: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  'lists the log': (store) => keysOf(store, '_delta_log/'),
  'lists the table': (store) => keysOf(store, ''),
  'reads the commit': (store) => store.get(key(1)),
  'asks for its size': (store) => store.size(key(1)),
  'writes the same version': async (store) => {
    assert.equal(await store.putIfAbsent(key(1), body('other')), 'exists')
  },
  'writes the next version': async (store) => {
    assert.equal(await store.putIfAbsent(key(2), body('two')), 'created')
  },
}

for (const death of ['after its entry', 'after its copy'] as const) {
  for (const [what, look] of Object.entries(LOOKS)) {
    test(`A commit whose writer died ${death} is finished by a process that ${what}`, async () => {
      const { bucket, entries, store } = await tableWithOneCommit()
      await dyingWriter(bucket, entries, death)
      assert.equal((await bucket.size(key(1))) !== undefined, death === 'after its copy')
      await look(store)
      assert.equal(await textOf(bucket, key(1)), 'one')
      // A commit that is in the log needs no entry: the next listing or write marks it as complete.
      if (what.includes('lists') || what.includes('next'))
        assert.equal((await entries.get(bucket.uri, '00000000000000000001.json'))?.isComplete, true)
      assert.equal(await store.putIfAbsent(key(1), body('other')), 'exists')
      assert.equal(await store.putIfAbsent(key(2), body('two')), what.includes('next') ? 'exists' : 'created')
      assert.deepEqual(await keysOf(store, '_delta_log/0'), [key(0), key(1), key(2)])
    })
  }
}

test('A commit whose writer died before its entry does not count', async () => {
  const { bucket, entries, store } = await tableWithOneCommit()
  await dyingWriter(bucket, entries, 'before its entry')
  assert.deepEqual(await keysOf(store, '_delta_log/0'), [key(0)])
  assert.equal(await store.putIfAbsent(key(1), body('other')), 'created')
  assert.equal(await textOf(store, key(1)), 'other')
})

test('An entry of delta-rs, with its own temporary file name, is finished too', async () => {
  const { bucket, entries, store } = await tableWithOneCommit()
  await bucket.put('_delta_log/_commit_1.json.tmp', body('from rust'))
  await entries.create(bucket.uri, '00000000000000000001.json', '_commit_1.json.tmp')
  assert.deepEqual(await keysOf(store, '_delta_log/0'), [key(0), key(1)])
  assert.equal(await textOf(bucket, key(1)), 'from rust')
  assert.equal(await bucket.size('_delta_log/_commit_1.json.tmp'), undefined, 'moved, as its writer would')
})

test('A running writer is waited for, and its temporary file is not touched', async () => {
  const { bucket, entries } = await tableWithOneCommit()
  await bucket.put('_delta_log/_commit_1.json.tmp', body('from rust'))
  await entries.create(bucket.uri, '00000000000000000001.json', '_commit_1.json.tmp')
  let looks = 0
  const watched: Store = {
    ...named(bucket, bucket.uri),
    // The writer finishes between the second and the third check.
    size: async (at) => {
      if (at === key(1) && ++looks === 3) await bucket.put(key(1), body('from rust'))
      return bucket.size(at)
    },
  }
  assert.deepEqual(await keysOf(new DynamoLogStore(watched, entries), '_delta_log/0'), [key(0), key(1)])
  assert.equal(await bucket.size('_delta_log/_commit_1.json.tmp'), 9)
})

test('A commit whose file another engine moved into the log is complete', async () => {
  const { bucket, entries, store } = await tableWithOneCommit()
  await entries.create(bucket.uri, '00000000000000000001.json', '_commit_1.json.tmp')
  await bucket.put(key(1), body('moved'))
  assert.deepEqual(await keysOf(store, '_delta_log/0'), [key(0), key(1)])
  assert.equal((await entries.get(bucket.uri, '00000000000000000001.json'))?.isComplete, true)
})

test('A commit put into the bucket without DynamoDB is not overwritten, and our commit has lost', async () => {
  const { bucket, entries } = await tableWithOneCommit()
  const meddling: CommitEntries = {
    create: async (...entry) => {
      await bucket.put(key(1), body('theirs'))
      return entries.create(...entry)
    },
    get: (...entry) => entries.get(...entry),
    latest: (path) => entries.latest(path),
    complete: (...entry) => entries.complete(...entry),
    close: () => Promise.resolve(),
  }
  const store = new DynamoLogStore(bucket, meddling)
  assert.equal(await store.putIfAbsent(key(1), body('ours')), 'exists')
  assert.equal(await textOf(store, key(1)), 'theirs')
  assert.equal(await store.putIfAbsent(key(1), body('ours')), 'exists')
})

for (const fault of ['lost', 'answer-lost'] as const) {
  test(`A copy that is ${fault} is settled: the commit is ours and in the log`, async () => {
    const faults: (MemoryFault | undefined)[] = []
    const bucket = new MemoryStore('', {
      fault: ({ operation }) => (operation === 'putIfAbsent' ? faults.shift() : undefined),
    })
    const uri = nameForTests('memory:table')
    const store = new DynamoLogStore(named(bucket, uri), new DynamoEntries(dynamo), HASTY)
    assert.equal(await store.putIfAbsent(key(0), body('zero')), 'created')
    faults.push(fault)
    assert.equal(await store.putIfAbsent(key(1), body('one')), 'created')
    assert.equal(await textOf(store, key(1)), 'one')
  })
}

function named(store: MemoryStore, uri: string): Store {
  return {
    uri,
    get: (...args) => store.get(...args),
    size: (...args) => store.size(...args),
    list: (...args) => store.list(...args),
    put: (...args) => store.put(...args),
    putIfAbsent: (...args) => store.putIfAbsent(...args),
    delete: (...args) => store.delete(...args),
    close: () => Promise.resolve(),
  }
}

test('If DynamoDB does not answer, a commit is unknown, and a listing fails instead of being outdated', async () => {
  const { bucket } = await tableWithOneCommit()
  const retryPolicy = { attemptsMax: 2, minBackoffMs: 1, maxBackoffMs: 2 }
  const entries = new DynamoEntries({ ...dynamo, endpoint: 'http://127.0.0.1:9', retryPolicy })
  const store = new DynamoLogStore(bucket, entries, HASTY)
  assert.equal(await store.putIfAbsent(key(1), body('one')), 'unknown')
  await assert.rejects(keysOf(store, '_delta_log/'), { code: 'KD_STORE_UNAVAILABLE' })
  await assert.rejects(store.get(key(1)), { code: 'KD_STORE_UNAVAILABLE' })
})

test('A version without its predecessor in the log is refused', async () => {
  const { store } = await tableWithOneCommit()
  await assert.rejects(store.putIfAbsent(key(2), body('two')), {
    code: 'KD_STORE_FAILED',
    message: /the previous commit is not in the log/,
  })
})

test('Entries of a deleted table are an error that says so, not an endless search', async () => {
  const { bucket, entries, store } = await tableWithOneCommit()
  await bucket.delete(key(0))
  const deleted = { code: 'KD_STORE_FAILED', message: /delete its entries in DynamoDB too/ }
  await assert.rejects(store.putIfAbsent(key(0), body('again')), deleted)
  await entries.create(bucket.uri, '00000000000000000001.json', '.tmp/gone')
  await assert.rejects(keysOf(store, '_delta_log/'), deleted)
})

test('An entry with a path outside the log is refused', async () => {
  const { bucket, entries, store } = await tableWithOneCommit()
  await bucket.put('secret', body('secret'))
  await entries.create(bucket.uri, '00000000000000000001.json', '../secret')
  await assert.rejects(keysOf(store, '_delta_log/'), { code: 'KD_STORE_FAILED' })
  assert.equal(await bucket.size(key(1)), undefined)
})

test('A missing DynamoDB table is an error that names the required keys', async () => {
  const store = new DynamoLogStore(new MemoryStore(), new DynamoEntries({ ...dynamo, table: 'nowhere' }))
  await assert.rejects(store.putIfAbsent(key(0), body('x')), {
    code: 'KD_STORE_FAILED',
    message: /the DynamoDB table does not exist.*tablePath.*fileName.*table nowhere/,
  })
})

test('A bucket without conditional puts accepts commits too', async () => {
  const { PipelineError } = await import('../../../src/core/errors.ts')
  const bucket = new MemoryStore(nameForTests('table'))
  const without: Store = {
    ...named(bucket, bucket.uri),
    putIfAbsent: () =>
      Promise.reject(new PipelineError('KD_STORE_FAILED', 'NotImplemented', { status: 501 })),
  }
  const stores = [1, 2].map(() => new DynamoLogStore(without, new DynamoEntries(dynamo)))
  const outcomes = await Promise.all(
    stores.map((store, index) => store.putIfAbsent(key(0), body(`w${index}`))),
  )
  assert.deepEqual(outcomes.sort(), ['created', 'exists'])
})
