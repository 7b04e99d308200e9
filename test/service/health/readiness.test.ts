import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Circuit } from '../../../src/core/circuit.ts'
import { isReady, readinessOf, topicStateOf } from '../../../src/service/health/readiness.ts'

const OPEN: Circuit = {
  kind: 'store',
  name: 's3://lake',
  state: 'open',
  sinceMs: 0,
  openedCount: 1,
  retries: 4,
}

test('A process is ready while topics run, degraded while some do not, and not ready otherwise', () => {
  const cases = [
    [[], 'ready'],
    [['running', 'running'], 'ready'],
    [['running', 'paused'], 'ready'],
    [['paused'], 'ready'],
    [['ended', 'running'], 'ready'],
    [['running', 'failed'], 'degraded'],
    [['running', 'waiting'], 'degraded'],
    [['running', 'restarting'], 'degraded'],
    [['running', 'opening'], 'starting'],
    [['running', 'stalled'], 'stalled'],
    [['failed', 'stalled'], 'stalled'],
    [['waiting', 'waiting'], 'unavailable'],
    [['waiting', 'failed', 'paused'], 'unavailable'],
    [['failed', 'restarting'], 'failed'],
    [['failed', 'paused'], 'failed'],
  ] as const
  for (const [states, expected] of cases) assert.equal(readinessOf(states), expected, states.join(' '))
  // A topic that is discovered later takes nothing from the topics that run.
  assert.equal(readinessOf(['running', 'opening'], true), 'degraded')
  assert.equal(readinessOf(['waiting', 'opening'], true), 'starting')
  assert.deepEqual(
    (['ready', 'degraded', 'starting', 'stopping', 'stalled', 'unavailable', 'failed'] as const).map(isReady),
    [true, true, false, false, false, false, false],
  )
})

test('A topic waits while a server it needs is unavailable, even when it lags; paused and failed topics keep their state', () => {
  const calm = { circuits: [], isCutOff: false, isJoining: false, isLate: false, hasRun: true }
  assert.equal(topicStateOf('running', calm), 'running')
  assert.equal(topicStateOf('running', { ...calm, isLate: true }), 'stalled')
  assert.equal(topicStateOf('running', { ...calm, isLate: true, circuits: [OPEN] }), 'waiting')
  assert.equal(topicStateOf('running', { ...calm, isCutOff: true }), 'waiting')
  const half = { ...OPEN, state: 'half-open' as const }
  assert.equal(topicStateOf('running', { ...calm, circuits: [half] }), 'waiting')
  assert.equal(topicStateOf('running', { ...calm, circuits: [{ ...half, isPassing: true }] }), 'running')
  assert.equal(topicStateOf('running', { ...calm, circuits: [{ ...OPEN, state: 'closed' }] }), 'running')
  const passing = { ...OPEN, state: 'half-open', isPassing: true } as const
  assert.equal(topicStateOf('running', { ...calm, circuits: [passing] }), 'running')
  for (const state of ['paused', 'failed', 'restarting', 'ended'] as const)
    assert.equal(topicStateOf(state, { ...calm, isLate: true, circuits: [OPEN] }), state)
})

test('A topic opens until its consumer has joined for the first time; one that has run before is restarting', () => {
  const facts = { circuits: [], isCutOff: false, isJoining: false, isLate: false, hasRun: false }
  assert.equal(topicStateOf('opening', facts), 'opening')
  assert.equal(topicStateOf('opening', { ...facts, circuits: [OPEN] }), 'waiting')
  assert.equal(topicStateOf('opening', { ...facts, hasRun: true }), 'restarting')
  const joining = { ...facts, isJoining: true }
  assert.equal(topicStateOf('running', joining), 'opening')
  assert.equal(topicStateOf('running', { ...joining, isCutOff: true }), 'waiting')
  assert.equal(topicStateOf('running', { ...joining, hasRun: true }), 'restarting')
  assert.equal(topicStateOf('running', { ...joining, isJoining: false }), 'running')
})
