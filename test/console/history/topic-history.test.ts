import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { PartitionAllowance } from '../../../src/console/history/partition-lags.ts'
import { TopicHistory } from '../../../src/console/history/topic-history.ts'
import { NO_COUNTS, type DeadLetter } from '../../../src/core/batch.ts'
import type { TopicEvent } from '../../../src/service/topic/events.ts'
import { addOf } from '../../support/flow/flushes.ts'

const TRACE_ID = '0123456789abcdef0123456789abcdef'
const span = { traceId: TRACE_ID, spanId: '0123456789abcdef', traceFlags: 1 }
const flushTrace = { context: trace.setSpanContext(ROOT_CONTEXT, span), end: () => undefined }

const opened = (): TopicHistory => new TopicHistory(new PartitionAllowance(10), 0)

type Ended = Extract<TopicEvent, { kind: 'flush-ended' }>

function endedFlush(id: number, more: Partial<Ended> = {}): Ended {
  const letter: DeadLetter = {
    ...{ reason: 'decode', message: 'bad', topic: 'orders', partition: 2, offset: 7n, timestampMs: 0 },
    ...{ key: undefined, value: undefined },
  }
  const place = { topic: 'orders', partition: 2, follows: 4n, first: 5n, last: 9n, records: 5, bytes: 9 }
  const provenance = { ...place, polledAtMs: 0, traceparents: [], timings: [] }
  const counts = { ...NO_COUNTS, records: 5, rows: 4, deadLetters: 1 }
  return {
    kind: 'flush-ended',
    flush: { id, provenances: [provenance], counts, bytes: 9, deadLetters: [letter] },
    durationMs: 123.4,
    stages: {
      id,
      startedAtMs: 1_000.6,
      totalMs: 200.2,
      ms: { poll: 50.123, decode: 50, commitDelta: 100.1 },
    },
    ...more,
  }
}

function committed(id: number, version: bigint): TopicEvent {
  const counts = { ...NO_COUNTS, records: 5, rows: 4, deadLetters: 1 }
  const outcome = { attempts: 3, conflicts: 2, ambiguous: 0, schemaChanged: true, newestMs: 1 }
  const commit = { id, version, ranges: [], counts, adds: [addOf('a'), addOf('b')], ...outcome }
  return { kind: 'committed', commit, partitions: [] }
}

test('A commit has the numbers of its flush', () => {
  const history = opened()
  history.onEvent(endedFlush(1, { trace: flushTrace }), 5_000)
  history.onEvent(committed(1, 2n ** 60n), 5_001)
  const [commit] = history.commits
  assert.deepEqual(commit, {
    ...{ version: String(2n ** 60n), atMs: 5_001, rows: 4, deadLetters: 1, files: 2, bytes: 20, attempts: 3 },
    ...{ conflicts: 2, durationMs: 123, schemaChanged: true, by: commit?.by },
  })
  assert.match(commit.by, /^STREAMING UPDATE by kafka-delta\//)
  assert.deepEqual([history.rows, history.deadLetters], [4, 1])
  assert.deepEqual(history.flushes, [
    {
      ...{
        id: 1,
        name: 'orders/2@5',
        startedAtMs: 1_001,
        totalMs: 200,
        outcome: 'committed',
        records: 5,
        bytes: 9,
      },
      stages: [
        { stage: 'poll', ms: 50.1 },
        { stage: 'decode', ms: 50 },
        { stage: 'commitDelta', ms: 100.1 },
      ],
      traceId: TRACE_ID,
    },
  ])
})

test('A flush that failed is shown with its trace, and its dead letters do not count: they are read again', () => {
  const history = opened()
  history.onEvent(endedFlush(1, { error: new Error('fenced'), trace: flushTrace }), 5_000)
  history.onEvent(endedFlush(2), 5_000)
  assert.deepEqual(
    history.flushes.map(({ id, outcome, traceId }) => [id, outcome, traceId]),
    [
      [2, 'committed', null],
      [1, 'failed', TRACE_ID],
    ],
  )
  assert.equal(history.letters.list()[0]?.count, 1)
})

test('Every list has its maximum, newest first', () => {
  const history = opened()
  for (let id = 1; id <= 500; id++) {
    history.onEvent(endedFlush(id), id)
    history.onEvent(committed(id, BigInt(id)), id)
    history.onEvent({ kind: 'maintained', run: { task: 'vacuum', outcome: 'done', ms: id } }, id)
    history.onEvent({ kind: 'source', event: { kind: 'rebalancing' } }, id)
  }
  const { commits, flushes, maintenance, events } = history
  assert.deepEqual(
    [commits, flushes, maintenance, events].map(({ length }) => length),
    [50, 20, 20, 50],
  )
  assert.deepEqual(
    [commits[0]?.version, flushes[0]?.id, maintenance[0]?.atMs, events[0]?.atMs],
    ['500', 500, 500, 500],
  )
  assert.equal(commits[49]?.durationMs, 123)
})

test('Runs of maintenance and checkpoints are listed, and those that were done are remembered', () => {
  const history = opened()
  history.onEvent({ kind: 'maintained', run: { task: 'optimize', outcome: 'done', ms: 30 } }, 10)
  history.onEvent({ kind: 'maintained', run: { task: 'optimize', outcome: 'failed', ms: 40 } }, 20)
  history.onEvent({ kind: 'checkpointed', outcome: 'written', durationMs: 5 }, 30)
  assert.deepEqual(history.maintenance, [
    { task: 'checkpoint', outcome: 'written', atMs: 30, durationMs: 5 },
    { task: 'optimize', outcome: 'failed', atMs: 20, durationMs: 40 },
    { task: 'optimize', outcome: 'done', atMs: 10, durationMs: 30 },
  ])
  assert.deepEqual([history.doneAtMs('optimize'), history.doneAtMs('vacuum')], [10, undefined])
})

test('The time line has assignments, rebalances and changes of the run', () => {
  const history = opened()
  assert.equal(history.assigned, null)
  const many = Array.from({ length: 30 }, (_, partition) => partition)
  const events: readonly TopicEvent[] = [
    { kind: 'phase', phase: 'opening', failure: undefined },
    { kind: 'phase', phase: 'running', failure: undefined },
    { kind: 'source', event: { kind: 'assigned', partitions: many } },
    { kind: 'source', event: { kind: 'rebalancing' } },
    { kind: 'source', event: { kind: 'assigned', partitions: [] } },
    { kind: 'source', event: { kind: 'positioned', partition: 0, next: 1n, follows: 0n } },
    { kind: 'source', event: { kind: 'brokers-silent', error: new Error('x') } },
    { kind: 'source', event: { kind: 'brokers-answer' } },
    { kind: 'paused' },
    { kind: 'resumed' },
    { kind: 'fenced', appIds: ['a'], unfitReason: undefined },
    { kind: 'phase', phase: 'restarting', failure: { message: 'y'.repeat(1_000), atMs: 1, error: 0 } },
  ]
  for (const event of events) history.onEvent(event, 1)
  assert.deepEqual(history.events.map(({ kind }) => kind).toReversed(), [
    ...['opening', 'running', 'assigned', 'rebalancing', 'assigned', 'brokers-silent', 'brokers-answer'],
    ...['paused', 'resumed', 'fenced', 'restarting'],
  ])
  assert.match(history.events.at(-3)?.text ?? '', /^30 partitions: 0, 1, .*, 19, …$/)
  assert.equal(history.events[0]?.text.length, 300)
  assert.deepEqual(history.assigned, [])
})
