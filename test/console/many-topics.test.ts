// Goal: the console stays small for a process of 200 topics with 100 partitions each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import { loadConfig } from '../../config/load/load.ts'
import { ConsoleState } from '../../src/console/console.ts'
import type { PartitionStatus } from '../../src/kafka/source/source-options.ts'
import { Health } from '../../src/service/health/health.ts'
import type { TopicEvent } from '../../src/service/topic/events.ts'
import type { RunState } from '../../src/service/topic/state.ts'
import type { TopicRun } from '../../src/service/topic/topic-run.ts'
import { createLogger } from '../../src/telemetry/log.ts'

const START_MS = 1_700_000_000_000
const SECRET = 'hunter2-hunter2'

class Clock {
  nowMs = START_MS
  now = (): number => this.nowMs
  sleep = (): Promise<void> => Promise.resolve()
}

interface FakeTopic {
  readonly run: TopicRun
  readonly events: Subject<TopicEvent>
  partitions: readonly PartitionStatus[] | undefined
  state: RunState
}

function fakeTopic(name: string, partitions: number): FakeTopic {
  const events = new Subject<TopicEvent>()
  const fake: Omit<FakeTopic, 'run'> & { run?: TopicRun } = {
    ...{ events, state: 'running' },
    partitions: Array.from({ length: partitions }, (_, partition) => {
      return { partition, live: true, next: 10n, committed: 9n, end: 1_000_000n + BigInt(partition) }
    }),
  }
  const status = {
    get state() {
      return fake.state
    },
    partitions: () => fake.partitions,
    inFlight: () => ({ bufferedBytes: 0, flushes: [] }),
    buffered: () => ({ bytes: 1, bytesMax: 2 }),
    ...{ restarts: 0, hasOpened: true, isJoining: false, obstacle: undefined, failure: undefined },
  }
  const config = {
    table: { uri: `/lake/${SECRET}/${name}`, optimize: {} },
    flush: { ageMs: 1_000 },
    deadLetters: {},
  }
  fake.run = { name, topic: `${name}.v1`, events, status, config } as unknown as TopicRun
  return fake as FakeTopic
}

function opened(topics: readonly FakeTopic[], clock: Clock, more: object = {}) {
  const log = createLogger({ level: 'silent' })
  const hide = (text: string): string => text.replaceAll(SECRET, '***')
  const health = new Health({ stalledMs: 1e9, log, clock, hide })
  const runs = topics.map(({ run }) => run)
  health.setTopics(runs)
  const state = new ConsoleState({ config: loadConfig({ object: {} }), health, log, clock, ...more })
  for (const run of runs) state.observe(run)
  return { state, runs }
}

const topics = Array.from({ length: 200 }, (_, at) => fakeTopic(`topic-${String(at).padStart(3, '0')}`, 100))

test('A snapshot of 200 topics with 100 partitions each is at most 2 MB, and so is what is kept of the partitions twice', () => {
  const clock = new Clock()
  const { state } = opened(topics, clock)
  for (let at = 0; at < 400; at++) {
    clock.nowMs += 2_000
    state.sample()
  }
  const text = state.snapshotText('topic-150')
  assert.ok(text.length <= 2_000_000, `${text.length} characters`)
  const snapshot = state.snapshot('topic-150')
  assert.equal(snapshot.topics.length, 200)
  assert.equal(snapshot.detail?.name, 'topic-150')
  assert.deepEqual(state.kept.samples, 200 * 100 * 60)
  assert.ok(state.kept.bytes <= 1.3 * 200 * 100 * 60 * 4, `${state.kept.bytes} bytes`)
  for (const { lagSeries } of snapshot.topics) {
    assert.deepEqual([lagSeries.everyMs, lagSeries.values.length, lagSeries.endMs], [10_000, 60, clock.nowMs])
    assert.ok(lagSeries.values.every((value) => value !== null && value > 0))
  }
  assert.equal(snapshot.detail.partitions.length, 100)
  assert.ok(snapshot.detail.partitions.every(({ lagSeries }) => lagSeries.values.length === 60))
  assert.ok(!text.includes(SECRET))
})

test('A topic that is gone is forgotten, and its partitions count no longer', () => {
  const clock = new Clock()
  const { state, runs } = opened([fakeTopic('a', 100), fakeTopic('b', 50)], clock)
  state.sample()
  assert.equal(state.kept.samples, 150)
  runs.splice(0, 1)
  clock.nowMs += 10_000
  state.sample()
  assert.equal(state.kept.samples, 100)
  assert.deepEqual(state.snapshot('a').detail?.name, 'b')
})

test('Those in trouble come first, then the longest lag; an unknown lag is null and no 0', () => {
  const clock = new Clock()
  const [few, many, unknown, failed] = [
    fakeTopic('few', 1),
    fakeTopic('many', 3),
    fakeTopic('unknown', 0),
    fakeTopic('failed', 1),
  ]
  unknown.partitions = undefined
  failed.state = 'failed'
  const { state } = opened([few, unknown, many, failed], clock)
  state.sample()
  const snapshot = state.snapshot(undefined)
  assert.deepEqual(
    snapshot.topics.map(({ name, lag, trend, clearMs }) => [name, lag, trend, clearMs]),
    [
      ['failed', 999_990, null, null],
      ['many', 2_999_973, null, null],
      ['few', 999_990, null, null],
      ['unknown', null, null, null],
    ],
  )
  assert.deepEqual(snapshot.topics.at(-1)?.lagSeries.values, [null])
  assert.equal(snapshot.detail?.name, 'failed')
  assert.match(snapshot.headline.sentence, /^degraded: failed\.v1 has failed since /)
  assert.deepEqual(
    [state.snapshot('few.v1').detail?.name, state.snapshot('none').detail?.name],
    ['few', 'failed'],
  )
})

test('Of a topic with very many partitions those that lag most are shown, ascending', () => {
  const { state } = opened([fakeTopic('wide', 2_000)], new Clock())
  const { detail } = state.snapshot('wide')
  assert.deepEqual([detail?.partitions.length, detail?.morePartitions], [500, 1_500])
  assert.deepEqual([detail?.partitions[0]?.partition, detail?.partitions[499]?.partition], [1_500, 1_999])
})

test('All who look within a second get the same text, and servers are asked only while somebody looks', async () => {
  const clock = new Clock()
  const opens: string[] = []
  let asked = 0
  const { state } = opened([fakeTopic('a', 1), fakeTopic('b', 2)], clock, {
    openStore: (uri: string) => {
      opens.push(uri)
      return Promise.reject(new Error('no such store'))
    },
    readMembers: () => Promise.resolve((asked++, [])),
  })
  for (let at = 0; at < 10; at++) {
    clock.nowMs += 2_000
    state.sample()
  }
  assert.deepEqual([opens.length, asked], [0, 0])
  const first = state.snapshotText('a')
  assert.equal(state.snapshotText('a'), first)
  clock.nowMs += 1_000
  assert.notEqual(state.snapshotText('a'), first)
  await state.settled()
  assert.deepEqual([opens, asked], [[`/lake/${SECRET}/a`], 1])
  assert.equal(state.snapshot('a').detail?.tableHealth, null)
  clock.nowMs += 60_000
  state.snapshotText('a')
  await state.settled()
  assert.deepEqual([opens.length, asked], [2, 2])
})
