// Goal: offsets that the table holds are used only for the topic that they were read from.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { lookUpResumeOffsets } from '../../../src/kafka/source/offset-lookup.ts'
import type { SourceEvent, StoredTopicId } from '../../../src/kafka/source/source-options.ts'
import { TopicIdentity, textOfTopicIdNumber, topicIdNumberOf } from '../../../src/kafka/source/topic-id.ts'
import type { Watermark } from '../../../src/kafka/source/watermarks.ts'
import { NO_UUID } from '../../../src/kafka/wire/schema.ts'
import { hastyClock } from '../../delta/table.ts'

const OLD = 'fedcba9876543210fedcba9876543210'
const NEW = '0123456789abcdef0123456789abcdef'

/** The id in a table in memory. */
class FakeStored implements StoredTopicId {
  id: bigint | undefined
  /** What another writer writes before the next `write`. */
  winner: bigint | undefined
  writes = 0

  constructor(id: string | undefined) {
    this.id = id === undefined ? undefined : topicIdNumberOf(id)
  }

  read(): Promise<bigint | undefined> {
    return Promise.resolve(this.id)
  }

  write(topicId: bigint, follows: bigint | undefined): Promise<bigint | undefined> {
    this.writes++
    this.id = this.winner ?? this.id
    if (this.id === follows) this.id = topicId
    return Promise.resolve(this.id)
  }
}

interface Start {
  readonly identity: TopicIdentity
  readonly stored: FakeStored
  readonly events: SourceEvent[]
  readonly warnings: string[]
  /** Looks up one partition, at brokers that report these ids one after the other, and the last one from then on. */
  readonly locate: (ids: readonly string[], txn?: bigint, mark?: Watermark) => Promise<unknown>
}

function start(storedId: string | undefined, acceptTopicId?: boolean): Start {
  const stored = new FakeStored(storedId)
  const events: SourceEvent[] = []
  const warnings: string[] = []
  const none = (): void => undefined
  const identity = new TopicIdentity({
    topic: 'orders',
    storedTopicId: stored,
    ...(acceptTopicId === undefined ? {} : { acceptTopicId }),
    onEvent: (event) => events.push(event),
    log: { debug: none, info: none, error: none, warn: (_, message) => warnings.push(message) },
  })
  const locate: Start['locate'] = (ids, txn, mark = { low: 0n, high: 100n }) => {
    const left = [...ids]
    return lookUpResumeOffsets([{ partition: 0 }], {
      resume: () => Promise.resolve(txn),
      identity,
      watermarks: () => {
        const topicId = (left.length > 1 ? left.shift() : left[0]) ?? NO_UUID
        identity.check(topicId)
        return Promise.resolve({ topicId, marks: new Map([[0, mark]]) })
      },
      clock: hastyClock,
    })
  }
  return { identity, stored, events, warnings, locate }
}

function vanished(...words: readonly RegExp[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PipelineError)
    assert.deepEqual([error.code, error.retryable], ['KD_OFFSETS_VANISHED', false])
    for (const word of words) assert.match(error.message, word)
    return true
  }
}

test('The number of a topic id keeps its first 63 bits, and shows as the beginning of the id', () => {
  for (const id of [OLD, NEW, 'f'.repeat(32), `${'0'.repeat(15)}2${'0'.repeat(16)}`]) {
    const number = topicIdNumberOf(id)
    assert.ok(number >= 0n && number < 1n << 63n)
    assert.equal(textOfTopicIdNumber(number), Buffer.from(id, 'hex').toString('base64url').slice(0, 10))
  }
  assert.notEqual(topicIdNumberOf(OLD), topicIdNumberOf(NEW))
})

for (const [length, high] of [
  ['longer than before', 100n],
  ['as long as before', 42n],
  ['shorter than before', 7n],
  ['empty', 0n],
] as const) {
  test(`A topic that was created again and is ${length} is refused, and the error says how to go on`, async () => {
    const { locate, stored, identity } = start(OLD)
    await assert.rejects(
      locate([NEW], 41n, { low: 0n, high }),
      vanished(
        /created again/,
        /_ty6mHZUMh… \(in the table\)/,
        /ASNFZ4mrze8BI0VniavN7w/,
        /appId/,
        /acceptTopicId/,
      ),
    )
    assert.deepEqual([stored.writes, identity.id, identity.numberToStore], [0, undefined, undefined])
  })
}

test('A partition without an offset is refused too: others of the topic have one', async () => {
  await assert.rejects(start(OLD).locate([NEW]), vanished())
})

test('The topic of the table is read on, without a commit', async () => {
  const { locate, stored, identity, events } = start(OLD)
  await locate([OLD], 41n)
  assert.deepEqual([stored.writes, identity.id, identity.numberToStore], [0, OLD, topicIdNumberOf(OLD)])
  await locate([OLD], 50n)
  assert.deepEqual(events, [
    { kind: 'topic-identified', topicId: Buffer.from(OLD, 'hex').toString('base64url') },
  ])
})

test('A table with offsets and no id takes the id at once, a table without offsets with its first commit', async () => {
  const [old, fresh] = [start(undefined), start(undefined)]
  await old.locate([NEW], 41n)
  assert.deepEqual([old.stored.writes, old.stored.id], [1, topicIdNumberOf(NEW)])
  await fresh.locate([NEW])
  assert.deepEqual([fresh.stored.writes, fresh.identity.numberToStore], [0, topicIdNumberOf(NEW)])
})

test('A table whose offsets are past the end of the log does not take the id: they are of another topic', async () => {
  const [old, accepting] = [start(undefined), start(OLD, true)]
  for (const { locate } of [old, accepting]) await locate([NEW], 41n, { low: 0n, high: 7n })
  assert.deepEqual([old.stored.writes, accepting.stored.writes], [0, 0])
})

test('Of two workers that see a table without an id, the second takes the id of the first, and refuses another', async () => {
  const same = start(undefined)
  same.stored.winner = topicIdNumberOf(NEW)
  await same.locate([NEW], 41n)
  assert.equal(same.identity.id, NEW)
  const another = start(undefined)
  another.stored.winner = topicIdNumberOf(OLD)
  await assert.rejects(another.locate([NEW], 41n), vanished())
  assert.equal(another.stored.id, topicIdNumberOf(OLD))
})

test('With acceptTopicId another id replaces that of the table, with a warning, and only at the start', async () => {
  const { locate, stored, warnings } = start(OLD, true)
  await locate([NEW], 41n)
  assert.deepEqual([stored.id, warnings.length], [topicIdNumberOf(NEW), 1])
  assert.match(warnings[0] ?? '', /Remove acceptTopicId/)
  stored.id = topicIdNumberOf(OLD)
  await assert.rejects(locate([NEW], 50n), vanished())
})

test('A topic that is created again while it is read is refused, whatever the table says and accepts', async () => {
  for (const accepts of [false, true]) {
    const { locate, stored, identity } = start(OLD, accepts)
    await locate([OLD], 41n)
    stored.id = topicIdNumberOf(NEW)
    await assert.rejects(locate([NEW], 50n), vanished())
    assert.throws(
      () => {
        identity.check(NEW)
      },
      vanished(/created again/),
    )
    identity.check(OLD)
    identity.check(NO_UUID)
  }
})

test('A broker that still reports the former topic is asked again', async () => {
  const { locate, identity } = start(NEW)
  await locate([OLD, OLD, NEW], 41n)
  assert.equal(identity.id, NEW)
})

test('Brokers that report no ids are read as before', async () => {
  const { locate, stored, identity, events } = start(OLD)
  await locate([NO_UUID], 41n)
  assert.deepEqual([stored.writes, identity.id, identity.numberToStore], [0, undefined, undefined])
  assert.deepEqual(events, [{ kind: 'topic-identified', topicId: undefined }])
})

test('A source whose table keeps no ids compares them only while it runs, and commits none', async () => {
  const identity = new TopicIdentity({ topic: 'orders' })
  const table = { stored: await identity.read(), hasOffsets: true, isBeyond: false }
  await identity.confirm(OLD, table)
  assert.equal(identity.numberToStore, undefined)
  await assert.rejects(identity.confirm(NEW, table), vanished())
})

test('The table is asked for all partitions at once, before the brokers', async () => {
  const steps: string[] = []
  const partitions = Array.from({ length: 1_000 }, (_, partition) => ({ partition }))
  let pending = 0
  const { txns } = await lookUpResumeOffsets(partitions, {
    resume: async (partition) => {
      pending++
      await new Promise((resolve) => setImmediate(resolve))
      if (partition === 0) steps.push(`${pending} at once`)
      return BigInt(partition)
    },
    identity: new TopicIdentity({ topic: 'orders' }),
    watermarks: () => {
      steps.push('brokers')
      const marks = new Map(partitions.map(({ partition }) => [partition, { low: 0n, high: 5_000n }]))
      return Promise.resolve({ topicId: OLD, marks })
    },
    clock: hastyClock,
  })
  assert.deepEqual([txns.length, txns[999], steps], [1_000, 999n, ['1000 at once', 'brokers']])
})

test('The confirmation is awaited once, also by lookups at the same time, and its error ends them', async () => {
  const seen: unknown[] = []
  let confirm: (error?: Error) => void = () => undefined
  const identity = new TopicIdentity({
    topic: 'orders',
    onTopicConfirmed: (topicId) => {
      seen.push(topicId)
      return new Promise((resolve, reject) => {
        confirm = (error) => (error === undefined ? resolve() : reject(error))
      })
    },
  })
  const table = { stored: undefined, hasOffsets: false, isBeyond: false }
  const ends: string[] = []
  const lookups = [1, 2].map(() =>
    identity.confirm(OLD, table).then(
      () => ends.push('read'),
      (error: unknown) => ends.push(String(error)),
    ),
  )
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(ends, [])
  confirm(new Error('refused'))
  await Promise.all(lookups)
  assert.deepEqual(ends, ['Error: refused', 'Error: refused'])
  assert.deepEqual(seen, [Buffer.from(OLD, 'hex').toString('base64url')])
})
