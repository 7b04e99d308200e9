import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bottleneckOf, StageTimes } from '../../../src/console/history/stage-times.ts'
import type { StageView } from '../../../src/console/snapshot.ts'
import { NO_COUNTS, type StageTiming } from '../../../src/core/batch.ts'
import type { TopicEvent } from '../../../src/service/topic/events.ts'

const T0 = 1_000_000_000

type Formed = Extract<TopicEvent, { kind: 'flush-formed' }>

/** Returns the event of a flush that is formed from batches with these timings. */
function formed(id: number, timings: readonly StageTiming[]): Formed {
  const place = {
    topic: 'orders',
    partition: 0,
    follows: undefined,
    first: 0n,
    last: 0n,
    records: 1,
    bytes: 1,
  }
  const provenance = { ...place, polledAtMs: 0, traceparents: [], timings: [...timings] }
  return {
    kind: 'flush-formed',
    flush: { id, provenances: [provenance], counts: NO_COUNTS, bytes: 1, deadLetters: [] },
  }
}

function ended({ flush }: Formed, durationMs: number, ms: Readonly<Record<string, number>>): TopicEvent {
  const stages = { id: flush.id, startedAtMs: 0, totalMs: durationMs, ms }
  return { kind: 'flush-ended', flush, durationMs, stages }
}

const shares = (views: readonly StageView[], stage: string): readonly number[] => {
  const { busy = -1, held = -1, idle = -1 } = views.find((each) => each.stage === stage) ?? {}
  return [busy, held, idle].map((share) => Math.round(share * 10) / 10)
}

function assertShares(views: readonly StageView[]): void {
  for (const { stage, busy, held, idle } of views) {
    for (const share of [busy, held, idle]) assert.ok(share >= 0 && share <= 1, `${stage}: ${share}`)
    assert.ok(Math.abs(busy + held + idle - 1) < 0.01, stage)
  }
}

test('With a slow store the upload is busy, what comes before it is held, and it is the bottleneck', () => {
  const times = new StageTimes(T0)
  // A flush takes ten seconds: nine in the upload. The next one waits for it, and reading waits for credit.
  for (let at = 0, id = 1; at < 120_000; at += 10_000, id++) {
    const now = T0 + at
    const flush = formed(id, [
      { stage: 'poll', startMs: now - 900, endMs: now - 700 },
      { stage: 'decode', startMs: now - 700, endMs: now - 500 },
    ])
    times.onEvent(flush, now)
    const credit = { kind: 'credit-waited', bytes: 1, waitedMs: 8_500 } as const
    times.onEvent({ kind: 'source', event: credit }, now + 9_000)
    times.sample({ hasUnread: true }, now + 5_000)
    times.sample({ hasUnread: true }, now + 10_000)
    // It was formed ten seconds before its own upload began.
    const own = {
      poll: 200,
      decode: 200,
      toArrow: 100,
      writeParquet: 9_000,
      commitDelta: 400,
      commitOffsets: 50,
    }
    times.onEvent(ended(flush, 19_550, own), now + 10_000)
  }
  const views = times.views([], T0 + 120_000)
  assertShares(views)
  assert.deepEqual(
    views.map(({ stage }) => stage),
    ['poll', 'decode', 'buffer', 'toArrow', 'writeParquet', 'deadLetters', 'commitDelta', 'commitOffsets'],
  )
  assert.deepEqual(shares(views, 'writeParquet'), [0.9, 0, 0.1])
  // The flush that waits since the last one ended is not among those in flight here.
  assert.deepEqual(shares(views, 'buffer'), [0, 0.8, 0.2])
  assert.ok((views[0]?.held ?? 0) > 0.8)
  assert.equal(bottleneckOf(views), 'writeParquet')
})

test('An upload that has not ended counts, and so does a flush that waits for it', () => {
  const times = new StageTimes(T0)
  times.sample({ hasUnread: true, waiting: { bytes: 1, reason: 'flushes' } }, T0 + 10_000)
  const flushes = [
    { id: 1, records: 1, bytes: 1, stage: 'writeParquet', sinceMs: T0 + 5_000 },
    { id: 2, records: 1, bytes: 1, stage: 'wait', sinceMs: T0 + 20_000 },
  ]
  const views = times.views(flushes, T0 + 600_000)
  assertShares(views)
  assert.deepEqual(shares(views, 'writeParquet'), [1, 0, 0])
  assert.deepEqual(shares(views, 'buffer'), [0, 1, 0])
  assert.deepEqual(shares(views, 'poll'), [0, 1, 0])
  assert.equal(bottleneckOf(views), 'writeParquet')
})

test('A commit that takes long holds the upload of the next flush', () => {
  const times = new StageTimes(T0)
  const flushes = [
    { id: 1, records: 1, bytes: 1, stage: 'commitDelta', sinceMs: T0 },
    { id: 2, records: 1, bytes: 1, stage: 'wait', sinceMs: T0 },
  ]
  const views = times.views(flushes, T0 + 60_000)
  assert.deepEqual(
    [shares(views, 'writeParquet'), shares(views, 'commitDelta')],
    [
      [0, 1, 0],
      [1, 0, 0],
    ],
  )
  assert.equal(bottleneckOf(views), 'commitDelta')
})

test('With a slow transform it is the transform, although fetches seem to take as long', () => {
  const times = new StageTimes(T0)
  for (let at = 0, id = 1; at < 120_000; at += 5_000, id++) {
    const now = T0 + at + 5_000
    const flush = formed(id, [
      // The response waits in the socket while the thread transforms.
      { stage: 'poll', startMs: now - 5_000, endMs: now - 4_800 },
      { stage: 'decode', startMs: now - 4_800, endMs: now - 4_500 },
      { stage: 'transform', startMs: now - 4_500, endMs: now },
      { stage: 'poll', startMs: now - 5_000, endMs: now },
    ])
    times.onEvent(flush, now)
    times.sample({ hasUnread: true }, now)
    times.onEvent(ended(flush, 100, { transform: 4_500, writeParquet: 80, commitDelta: 20 }), now)
  }
  const views = times.views([], T0 + 120_000)
  assertShares(views)
  assert.deepEqual(shares(views, 'transform'), [0.9, 0, 0.1])
  assert.ok((views[0]?.busy ?? 1) <= 0.1, 'the fetch only waited')
  assert.equal(bottleneckOf(views), 'transform')
})

test('An idle topic has no bottleneck: a fetch that waits for a producer is not busy', () => {
  const times = new StageTimes(T0)
  assert.equal(bottleneckOf(times.views([], T0)), null)
  for (let at = 0, id = 1; at < 120_000; at += 1_000, id++) {
    const now = T0 + at
    const flush = formed(id, [
      { stage: 'poll', startMs: now - 1_000, endMs: now },
      { stage: 'decode', startMs: now, endMs: now + 1 },
    ])
    times.onEvent(flush, now + 1)
    times.sample({ hasUnread: false }, now + 1)
    times.onEvent(ended(flush, 20, { writeParquet: 10, commitDelta: 10 }), now + 21)
  }
  const views = times.views([], T0 + 120_000)
  assertShares(views)
  assert.equal(views[0]?.busy, 0)
  assert.equal(bottleneckOf(views), null)
  const later = times.views([], T0 + 1_000_000)
  assert.ok(later.every(({ busy, held }) => busy === 0 && held === 0))
})

test('Without anything that is busy it is the fetch, while Kafka has records', () => {
  const times = new StageTimes(T0)
  for (let at = 0, id = 1; at < 120_000; at += 2_000, id++) {
    const now = T0 + at + 2_000
    times.onEvent(formed(id, [{ stage: 'poll', startMs: now - 1_900, endMs: now }]), now)
    times.sample({ hasUnread: true }, now)
  }
  assert.equal(bottleneckOf(times.views([], T0 + 120_000)), 'poll')
})

test('A pause holds nothing, neither while it lasts nor when it ends', () => {
  const times = new StageTimes(T0)
  times.onEvent({ kind: 'paused' }, T0)
  times.sample({ hasUnread: true, waiting: { bytes: 1, reason: 'paused' } }, T0 + 30_000)
  assert.equal(times.views([], T0 + 60_000)[0]?.held, 0)
  times.onEvent({ kind: 'resumed' }, T0 + 60_000)
  times.onEvent({ kind: 'source', event: { kind: 'credit-waited', bytes: 1, waitedMs: 60_000 } }, T0 + 60_000)
  assert.equal(times.views([], T0 + 60_000)[0]?.held, 0)
})

test('Stages of batches that share a thread are judged together', () => {
  const view = (stage: string, busy: number, held = 0): StageView => ({
    stage,
    busy,
    held,
    idle: 1 - busy - held,
  })
  const rest = [view('buffer', 0), view('writeParquet', 0.1)]
  assert.equal(
    bottleneckOf([view('poll', 0.1), view('decode', 0.3), view('validate', 0.4), ...rest]),
    'validate',
  )
  assert.equal(bottleneckOf([view('poll', 0.1), view('decode', 0.2), view('validate', 0.1), ...rest]), null)
  assert.equal(bottleneckOf([view('poll', 0.1, 0.4), view('decode', 0.2), ...rest]), 'decode')
  assert.equal(bottleneckOf([view('poll', 0.6, 0.1), view('decode', 0.9), ...rest]), 'poll')
})
