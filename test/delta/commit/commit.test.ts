// Goal: exactly once, whatever other writers and the store do. Method: many writers on one store, faults injected into
// conditional puts, and the log as the judge.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { commitInfoOf } from '../../../src/delta/log/state.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { MemoryStore, type MemoryFault } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { allCommits, emptyTable, hastyClock, ONE_LONG, someAppend, txnsOf } from '../table.ts'
import { serialiseSchema } from '../../../src/delta/schema/schema-json.ts'

const WRITERS = 50

for (const kind of ['memory', 'local'] as const) {
  test(`Fifty appenders at once on a ${kind} store each land exactly once, in versions without a gap`, async () => {
    await withStore(kind, async (store) => {
      await emptyTable(store)
      const outcomes = await Promise.all(
        Array.from({ length: WRITERS }, async (_, index) => {
          const writer = await openTableWriter(store, { clock: hastyClock })
          return await writer.append(someAppend(`app-${index}`, undefined, BigInt(index)))
        }),
      )
      const versions = outcomes.map((outcome) => (outcome.kind === 'committed' ? outcome.version : -1n))
      assert.deepEqual(
        versions.sort((a, b) => Number(a - b)),
        Array.from({ length: WRITERS }, (_, index) => BigInt(index + 1)),
      )
      const commits = await allCommits(store)
      assert.equal(commits.length, WRITERS + 1)
      for (let index = 0; index < WRITERS; index++) {
        assert.deepEqual(txnsOf(commits, `app-${index}`), [BigInt(index)])
      }
    })
  })

  test(`Two appenders of one appId on a ${kind} store: one commits, the other is fenced`, async () => {
    await withStore(kind, async (store) => {
      await emptyTable(store)
      const writers = await Promise.all([openTableWriter(store), openTableWriter(store)])
      const outcomes = await Promise.all(
        writers.map((writer) => writer.append(someAppend('app-0', undefined, 7n))),
      )
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['committed', 'fenced'])
      const fenced = outcomes.find((outcome) => outcome.kind === 'fenced')
      assert.deepEqual(fenced?.appIds, ['app-0'])
      assert.deepEqual(txnsOf(await allCommits(store), 'app-0'), [7n])
    })
  })
}

for (const fault of ['lost', 'answer-lost'] as const) {
  test(`A put that is ${fault} and whose outcome is not known lands exactly once`, async () => {
    const faults: MemoryFault[] = []
    const store = faultyStore(faults)
    await emptyTable(store)
    const writer = await openTableWriter(store, { clock: hastyClock })
    faults.push(fault)
    const outcome = await writer.append(someAppend('app-0', undefined, 1n))
    const attempts = fault === 'lost' ? 2 : 1
    assert.deepEqual(outcome, { kind: 'committed', version: 1n, attempts, conflicts: 0, ambiguous: 1 })
    assert.deepEqual(txnsOf(await allCommits(store), 'app-0'), [1n])
  })
}

test('Many appenders over a store that loses puts and answers at random: never twice, never lost', async () => {
  const seed = Number(process.env['KAFKA_DELTA_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const random = randomOf(seed)
  const store = new MemoryStore('', {
    fault: async ({ operation }) => {
      if (random() < 0.5) await new Promise((resolve) => setImmediate(resolve))
      if (operation !== 'putIfAbsent') return undefined
      return random() < 0.2 ? 'lost' : random() < 0.3 ? 'answer-lost' : undefined
    },
  })
  await emptyTable(store)
  await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const writer = await openTableWriter(store, { clock: hastyClock, random, attemptsMax: 1_000 })
      for (let step = 0n; step < 10n; step++) {
        const follows = step === 0n ? undefined : step - 1n
        const outcome = await writer.append(someAppend(`app-${index}`, follows, step))
        assert.equal(outcome.kind, 'committed', `seed ${seed}`)
      }
    }),
  )
  const commits = await allCommits(store)
  assert.equal(commits.length, 81, `seed ${seed}`)
  for (let index = 0; index < 8; index++) {
    assert.deepEqual(
      txnsOf(commits, `app-${index}`),
      [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n],
      `seed ${seed}`,
    )
  }
})

test('A put that lands late, after its own retry won, changes nothing', async () => {
  const store = new LateStore()
  await emptyTable(store)
  const writer = await openTableWriter(store, { clock: hastyClock })
  store.late = 'after the next put'
  const outcome = await writer.append(someAppend('app-0', undefined, 1n))
  assert.equal(outcome.kind, 'committed')
  assert.equal(store.landed, 'exists')
  assert.deepEqual(txnsOf(await allCommits(store), 'app-0'), [1n])
})

test('A put that lands late, before its own retry, is recognised by its txnId', async () => {
  const store = new LateStore()
  await emptyTable(store)
  const writer = await openTableWriter(store, { clock: hastyClock })
  store.late = 'before the next put'
  const outcome = await writer.append(someAppend('app-0', undefined, 1n))
  assert.deepEqual(outcome, { kind: 'committed', version: 1n, attempts: 2, conflicts: 0, ambiguous: 1 })
  assert.equal(store.landed, 'created')
  assert.deepEqual(txnsOf(await allCommits(store), 'app-0'), [1n])
})

test('A writer whose offsets another carried is fenced before it puts anything', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const [ours, theirs] = [await openTableWriter(store), await openTableWriter(store)]
  await theirs.append(someAppend('app-0', undefined, 5n))
  const append = someAppend('app-0', undefined, 3n)
  assert.deepEqual(await ours.findFenced(append.txns), ['app-0'])
  assert.deepEqual(await ours.append(append), {
    kind: 'fenced',
    appIds: ['app-0'],
    attempts: 0,
    conflicts: 0,
  })
  assert.equal(await ours.txn('app-0'), 5n)
})

for (const action of ['metaData', 'protocol'] as const) {
  test(`An append whose files were made before another writer changed the ${action} writes nothing and says so`, async () => {
    const store = new MemoryStore()
    await emptyTable(store)
    const writer = await openTableWriter(store)
    await store.putIfAbsent(commitKey(1n), serialiseActions([CHANGES[action]]))
    const append = { ...someAppend('app-0', undefined, 1n), basis: writer.shape }
    assert.deepEqual(await writer.append(append), { kind: 'changed', attempts: 1, conflicts: 1 })
    assert.deepEqual(await writer.append(append), { kind: 'changed', attempts: 0, conflicts: 0 })
    assert.deepEqual(txnsOf(await allCommits(store), 'app-0'), [])
    const remade = await writer.append({ ...append, baseSnapshot: writer.shape })
    assert.equal(remade.kind, 'committed')
    assert.deepEqual(txnsOf(await allCommits(store), 'app-0'), [1n])
  })
}

test('A table to which another writer added an unsupported feature is refused by its name at the next layout', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  const append = { ...someAppend('app-0', undefined, 1n), basis: writer.shape }
  const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['someFeature'] }
  await store.putIfAbsent(commitKey(1n), serialiseActions([{ kind: 'protocol', protocol }]))
  assert.equal((await writer.append(append)).kind, 'changed')
  assert.throws(() => writer.shape, { code: 'KD_TABLE_UNSUPPORTED', message: /someFeature/ })
})

test('New metadata is committed in the version of the files that need it, and the next append builds on it', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const [writer, other] = [await openTableWriter(store), await openTableWriter(store)]
  const { metaData: metadata } = CHANGES.metaData
  const append = { ...someAppend('app-0', undefined, 1n), basis: writer.shape, change: { metadata } }
  assert.equal((await writer.append(append)).kind, 'committed')
  assert.deepEqual(
    (await allCommits(store))[1]?.actions.map(({ kind }) => kind),
    ['commitInfo', 'metaData', 'txn', 'add'],
  )
  assert.equal(writer.metadata.configuration['delta.appendOnly'], 'true')
  // The other writer made the same change and loses: its metadata is not written a second time.
  assert.equal((await other.append({ ...append, txns: [] })).kind, 'changed')
  assert.equal(
    (await other.append({ ...append, txns: [], change: {}, baseSnapshot: other.shape })).kind,
    'committed',
  )
  const changes = (await allCommits(store)).flatMap(({ actions }) =>
    actions.filter(({ kind }) => kind === 'metaData'),
  )
  assert.equal(changes.length, 2)
})

test('Appends that wait for a commit share the next version, and who lost its offsets leaves the others alone', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const [writer, other] = [await openTableWriter(store), await openTableWriter(store)]
  await other.append(someAppend('app-3', undefined, 9n))
  const outcomes = await Promise.all(
    [0, 1, 2, 3, 4].map((index) => writer.append(someAppend(`app-${index}`, undefined, 7n))),
  )
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === 'committed' ? outcome.version : outcome.kind)),
    [2n, 2n, 2n, 'fenced', 2n],
  )
  const [, , shared] = await allCommits(store)
  assert.ok(shared !== undefined)
  assert.equal(shared.actions.filter(({ kind }) => kind === 'add').length, 4)
  assert.deepEqual(commitInfoOf(shared)?.['operationMetrics'], {
    numFiles: '4',
    numOutputRows: '4',
    numOutputBytes: '400',
  })
})

test('Two appends of one appId never share a version', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  const follows = [undefined, 0n, 1n, 2n]
  const outcomes = await Promise.all(
    follows.map((before, index) => writer.append(someAppend('app-0', before, BigInt(index)))),
  )
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === 'committed' ? outcome.version : outcome.kind)),
    [1n, 2n, 3n, 4n],
  )
})

test('An append without files commits its txns alone', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  const outcome = await writer.append({ ...someAppend('app-0', undefined, 4n), adds: [] })
  assert.equal(outcome.kind, 'committed')
  assert.deepEqual(
    (await allCommits(store))[1]?.actions.map(({ kind }) => kind),
    ['commitInfo', 'txn'],
  )
})

test('Two txns of one appId in one append are a bug, not a commit', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  const append = someAppend('app-0', undefined, 4n)
  assert.throws(
    () => writer.append({ ...append, txns: [...append.txns, ...append.txns] }),
    /two txns of one appId/,
  )
})

test('An append that loses every attempt gives up with KD_COMMIT_CONTENDED', async () => {
  const store = new MemoryStore('', {
    fault: ({ operation, key }) =>
      operation === 'putIfAbsent' && key !== commitKey(0n) ? 'lost' : undefined,
  })
  await emptyTable(store)
  const writer = await openTableWriter(store, { clock: hastyClock, attemptsMax: 5 })
  await assert.rejects(writer.append(someAppend('app-0', undefined, 1n)), (error) => {
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'KD_COMMIT_CONTENDED')
    assert.equal(error.retryable, true)
    return true
  })
})

test('A writer that waits before another attempt first reads the commits that arrived meanwhile', async () => {
  const faults: MemoryFault[] = []
  const store = faultyStore(faults)
  await emptyTable(store)
  let waits = 0
  const clock = {
    ...hastyClock,
    sleep: async () => {
      waits++
      const other = await openTableWriter(store, { clock: hastyClock })
      await other.append(someAppend(`other-${waits}`, undefined, 1n))
    },
  }
  const writer = await openTableWriter(store, { clock })
  faults.push('lost', 'lost', 'lost')
  const outcome = await writer.append(someAppend('app-0', undefined, 1n))
  assert.deepEqual(outcome, { kind: 'committed', version: 2n, attempts: 4, conflicts: 1, ambiguous: 3 })
  assert.equal(waits, 1)
})

test('A writer that was idle during a log cleanup appends after the newest version, not into the gap', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  let now = Date.now()
  const sleeper = await openTableWriter(store, { clock: { ...hastyClock, now: () => now } })
  const other = await openTableWriter(store)
  for (let version = 0n; version < 12n; version++) {
    await other.append(someAppend('other', version === 0n ? undefined : version - 1n, version))
  }
  await other.idle()
  for (let version = 0n; version < 10n; version++) await store.delete(commitKey(version))
  now += 86_400_000
  const outcome = await sleeper.append(someAppend('sleeper', undefined, 1n))
  assert.equal(outcome.kind, 'committed')
  assert.equal(sleeper.version, 13n)
})

const CHANGES = {
  metaData: {
    kind: 'metaData',
    metaData: {
      id: '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
      format: { provider: 'parquet', options: {} },
      schemaString: serialiseSchema(ONE_LONG),
      partitionColumns: [],
      configuration: { 'delta.appendOnly': 'true' },
    },
  },
  protocol: { kind: 'protocol', protocol: { minReaderVersion: 1, minWriterVersion: 4 } },
} as const

/** Creates a store that injects the next fault of the queue at each conditional put of a version after 0. */
function faultyStore(faults: MemoryFault[]): Store {
  return new MemoryStore('', {
    fault: ({ operation, key }) =>
      operation === 'putIfAbsent' && key !== commitKey(0n) ? faults.pop() : undefined,
  })
}

/** A store whose next put gets no answer and arrives around the put after it. */
class LateStore extends MemoryStore {
  late: 'before the next put' | 'after the next put' | undefined
  landed: string | undefined
  #held: { key: string; body: Uint8Array; when: 'before the next put' | 'after the next put' } | undefined

  override async putIfAbsent(key: string, body: Uint8Array): ReturnType<MemoryStore['putIfAbsent']> {
    if (this.late !== undefined) {
      this.#held = { key, body, when: this.late }
      this.late = undefined
      return 'unknown'
    }
    const held = this.#held
    this.#held = undefined
    if (held?.when === 'before the next put') this.landed = await super.putIfAbsent(held.key, held.body)
    const outcome = await super.putIfAbsent(key, body)
    if (held?.when === 'after the next put') this.landed = await super.putIfAbsent(held.key, held.body)
    return outcome
  }
}

async function withStore(kind: 'memory' | 'local', use: (store: Store) => Promise<void>): Promise<void> {
  if (kind === 'memory') {
    await use(new MemoryStore())
    return
  }
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-'))
  try {
    await use(new LocalStore(folder))
  } finally {
    // A checkpoint may still be written beside the last commit.
    await rm(folder, { recursive: true, maxRetries: 5 })
  }
}

/** Returns a generator of numbers in [0, 1) that is reproducible by its seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
