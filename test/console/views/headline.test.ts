import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { headlineOf, isWell, troubleRankOf } from '../../../src/console/views/headline.ts'
import type { Circuit } from '../../../src/core/circuit.ts'
import { ERROR_CATALOGUE } from '../../../src/core/errors.ts'
import type { TopicCondition } from '../../../src/service/health/condition.ts'
import { TOPIC_STATES } from '../../../src/service/health/readiness.ts'

const NOW_MS = Date.UTC(2026, 0, 1, 2, 20, 0)
const SINCE_MS = Date.UTC(2026, 0, 1, 2, 14, 7)
const LAKE: Circuit = {
  ...{ kind: 'store', name: 's3://lake', state: 'open', sinceMs: SINCE_MS, openedCount: 1, retries: 4 },
  ...{ reason: 'The object store did not answer', code: 'KD_STORE_UNAVAILABLE', trialAtMs: NOW_MS + 60_000 },
}
const condition = (more: Partial<TopicCondition> = {}): TopicCondition => ({
  ...{ state: 'running', sinceMs: SINCE_MS, nowMs: NOW_MS, blocking: [], isJoining: false },
  ...more,
})
const orders = (more: Partial<TopicCondition>) => ({ topic: 'orders', condition: condition(more) })
const users = { topic: 'users', condition: condition() }

test('The sentence names level, topic, server, time, cause and code, and where the guide explains it', () => {
  const waiting = orders({ state: 'waiting', blocking: [LAKE] })
  const headline = headlineOf('degraded', [waiting, users])
  assert.equal(
    headline.sentence,
    'degraded: orders waits for s3://lake since 02:14:07 UTC, because the object store did not answer (KD_STORE_UNAVAILABLE)',
  )
  const { level, topic, state, sinceMs, code, guideUrl, next, more } = headline
  assert.deepEqual(
    [level, topic, state, sinceMs, code, more],
    [...['degraded', 'orders', 'waiting', SINCE_MS, 'KD_STORE_UNAVAILABLE', 0]],
  )
  assert.equal(guideUrl, 'docs/troubleshooting.md#kd_store_unavailable')
  assert.match(next ?? '', /next trial request is sent at 2026-01-01T02:21:00/)
  assert.equal(headlineOf('unavailable', [waiting]).level, 'stopped')
  assert.equal(headlineOf('degraded', [waiting, waiting, waiting, users]).more, 2)
})

test('Every state of a topic has a sentence, and those of failures have the message', () => {
  const failure = {
    message: 'Offsets are gone',
    code: 'KD_OFFSETS_VANISHED',
    atMs: SINCE_MS,
    error: 0,
  } as const
  for (const state of TOPIC_STATES) {
    const topic = orders({ state, failure, blocking: state === 'waiting' ? [LAKE] : [] })
    const { sentence, level } = headlineOf(isWell(topic.condition) ? 'ready' : 'degraded', [topic, users])
    assert.equal(level, isWell(topic.condition) ? 'healthy' : 'degraded', state)
    assert.match(sentence, level === 'healthy' ? /^healthy: \d/ : /^degraded: orders .* since 02:14:07 UTC/)
  }
  const failed = headlineOf('failed', [orders({ state: 'failed', failure })])
  assert.equal(
    failed.sentence,
    'stopped: orders has failed since 02:14:07 UTC, because Offsets are gone (KD_OFFSETS_VANISHED)',
  )
  assert.match(failed.next ?? '', /remove the cause/)
})

test('A topic that is read in part is degraded, and a time of another day has its date', () => {
  const obstacle = { sinceMs: SINCE_MS - 2 * 86_400_000, reason: '1 of 3 partitions (2) cannot be read' }
  const { level, sentence } = headlineOf('ready', [orders({ obstacle })])
  assert.equal(level, 'degraded')
  assert.equal(
    sentence,
    'degraded: orders is read only in part since 2025-12-30 02:14:07 UTC, because 1 of 3 partitions (2) cannot be read',
  )
})

test('When all are well the sentence counts them; a process that starts or stops says so', () => {
  const paused = orders({ state: 'paused' })
  assert.equal(headlineOf('ready', [users, paused, users]).sentence, 'healthy: 2 topics run, 1 paused')
  assert.equal(headlineOf('ready', [paused]).sentence, 'healthy: 1 paused')
  assert.equal(headlineOf('ready', []).sentence, 'healthy: 0 topics run')
  assert.equal(headlineOf('starting', []).sentence, 'degraded: the process starts')
  const stopping = headlineOf('stopping', [orders({ state: 'waiting', blocking: [LAKE] })])
  assert.equal(stopping.sentence, 'stopped: the process shuts down: it commits what it has read')
  assert.equal(headlineOf('stalled', [orders({ state: 'stalled' })]).level, 'stopped')
  assert.equal(headlineOf('stalled', [orders({ state: 'stalled' }), users]).level, 'degraded')
})

test('The worst state comes first, and every code of the catalogue has its entry in the guide', () => {
  const ranks = (['failed', 'stalled', 'waiting', 'restarting', 'opening'] as const).map((state) =>
    troubleRankOf(condition({ state })),
  )
  const obstacle = { sinceMs: 0, reason: 'no leader' }
  const further = [condition({ obstacle }), condition({ state: 'paused' }), condition()].map(troubleRankOf)
  assert.deepEqual([...ranks, ...further], [0, 1, 2, 3, 4, 5, 6, 7])
  const [path = ''] = (
    headlineOf('failed', [
      orders({ state: 'failed', failure: { message: 'x', code: 'KD_DEAD_LETTER', atMs: 0, error: 0 } }),
    ]).guideUrl ?? ''
  ).split('#')
  assert.ok(existsSync(path))
  const guide = readFileSync(path, 'utf8')
  for (const code of Object.keys(ERROR_CATALOGUE)) assert.ok(guide.includes(`## \`${code}\``), code)
})
