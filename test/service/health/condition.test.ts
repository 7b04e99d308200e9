import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Circuit } from '../../../src/core/circuit.ts'
import {
  beginOf,
  explain,
  listedTopicOf,
  summarizeTopics,
  sentenceOf,
  type TopicCondition,
} from '../../../src/service/health/condition.ts'
import { TOPIC_STATES } from '../../../src/service/health/readiness.ts'

const NOW_MS = Date.UTC(2026, 0, 1, 12, 3, 11)
const LAKE: Circuit = {
  ...{ kind: 'store', name: 's3://lake', state: 'open', sinceMs: NOW_MS, openedCount: 1, retries: 4 },
  ...{ reason: 'The object store did not answer: ECONNREFUSED', code: 'KD_STORE_UNAVAILABLE' },
  trialAtMs: NOW_MS + 60_000,
}
const KAFKA: Circuit = {
  ...{ kind: 'kafka', name: 'a:1', state: 'open', sinceMs: NOW_MS, openedCount: 1, retries: 4 },
  ...{ reason: 'No Kafka broker answered: no response (broker a:1)', code: 'KD_KAFKA_UNREACHABLE' },
}
const failure = { message: 'gone', code: 'KD_OFFSETS_VANISHED', atMs: NOW_MS - 5, error: undefined } as const
const obstacle = {
  sinceMs: NOW_MS - 20_000,
  reason: '1 of 3 partitions (2) cannot be read: it has no leader',
}

const condition = (more: Partial<TopicCondition>): TopicCondition => ({
  ...{ state: 'running', sinceMs: NOW_MS, nowMs: NOW_MS, blocking: [], isJoining: false },
  ...more,
})

test('Every state but a healthy one has a reason and what comes next', () => {
  for (const state of TOPIC_STATES) {
    const { reason, next } = explain(condition({ state, blocking: state === 'waiting' ? [LAKE] : [] }))
    const isHealthy = state === 'running' || state === 'ended'
    assert.deepEqual([reason === undefined, next === undefined], [isHealthy, isHealthy], state)
  }
  assert.equal(explain(condition({ obstacle })).reason, obstacle.reason)
  assert.match(explain(condition({ state: 'opening' })).reason ?? '', /table is not open/)
  const joining = condition({ state: 'opening', isJoining: true })
  assert.match(explain(joining).reason ?? '', /has not joined its group/)
  assert.equal(explain({ ...joining, obstacle }).reason, obstacle.reason)
})

test('A topic that waits names the server, the code and the next trial', () => {
  const { reason, next } = explain(condition({ state: 'waiting', blocking: [LAKE] }))
  assert.equal(reason, 's3://lake: The object store did not answer: ECONNREFUSED (KD_STORE_UNAVAILABLE)')
  assert.equal(
    next,
    'The next trial request is sent at 2026-01-01T12:04:11.000Z; the topic continues by itself',
  )
  const kafka = explain(condition({ state: 'waiting', blocking: [KAFKA] }))
  assert.equal(kafka.reason, `${KAFKA.reason} (KD_KAFKA_UNREACHABLE)`)
  assert.match(kafka.next ?? '', /repeated about once a second; the topic continues by itself/)
  const cutOff = explain(condition({ state: 'waiting', obstacle }))
  assert.equal(cutOff.reason, obstacle.reason)
})

test('A topic that restarts says when, until it has', () => {
  const retryAtMs = NOW_MS + 1_000
  const waiting = condition({ state: 'restarting', failure: { ...failure, retryAtMs } })
  assert.match(explain(waiting).next ?? '', /at 2026-01-01T12:03:12.000Z/)
  assert.match(explain({ ...waiting, nowMs: retryAtMs }).next ?? '', /joined its group/)
  assert.equal(explain(waiting).reason, 'gone (KD_OFFSETS_VANISHED)')
})

test('A state began with its cause', () => {
  assert.equal(beginOf(condition({ state: 'waiting', obstacle }), NOW_MS), NOW_MS - 20_000)
  const early = { ...LAKE, sinceMs: NOW_MS - 7 }
  assert.equal(
    beginOf(condition({ state: 'waiting', blocking: [LAKE, early], obstacle }), NOW_MS),
    NOW_MS - 7,
  )
  assert.equal(beginOf(condition({ state: 'failed', failure }), NOW_MS), NOW_MS - 5)
  assert.equal(beginOf(condition({ failure }), NOW_MS), NOW_MS)
})

test('A line lists five topics and the number of the others', () => {
  const one = listedTopicOf('orders', condition({ state: 'waiting', blocking: [LAKE] }))
  assert.match(sentenceOf(one), /^waiting for s3:\/\/lake since 12:03:11: s3:\/\/lake: The object store/)
  const { text, topics } = summarizeTopics(Array.from({ length: 8 }, (_, i) => ({ ...one, topic: `t${i}` })))
  assert.equal(topics.length, 5)
  assert.match(text, /^t0 is waiting .*; t4 is waiting .*; and 3 more$/)
  assert.equal(summarizeTopics([]).text, '')
})
