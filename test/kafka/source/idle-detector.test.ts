import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdleDetector } from '../../../src/kafka/source/idle-detector.ts'

function fetches(quiet: IdleDetector, node: string, ...durations: number[]): void {
  for (const duration of durations) {
    quiet.fetchStarted(node)
    quiet.fetchEnded(node, duration)
  }
  quiet.fetchStarted(node)
}

test('two consecutive full waits without a delivery are idle, one is not', () => {
  const quiet = new IdleDetector(100)
  assert.equal(quiet.isIdle, false)
  fetches(quiet, '1', 100)
  assert.equal(quiet.isIdle, false)
  fetches(quiet, '1', 101)
  assert.equal(quiet.isIdle, false)
  quiet.fetchEnded('1', 100)
  quiet.fetchStarted('1')
  quiet.fetchEnded('1', 100)
  quiet.fetchStarted('1')
  assert.equal(quiet.isIdle, true)
})

test('a quick fetch, a stuck fetch or a delivery restarts the count', () => {
  for (const disturb of [
    (quiet: IdleDetector) => {
      quiet.fetchEnded('1', 3)
    },
    (quiet: IdleDetector) => {
      quiet.fetchEnded('1', 5_000)
    },
    (quiet: IdleDetector) => {
      quiet.fetchEnded('1', 100)
      quiet.delivered()
    },
    (quiet: IdleDetector) => {
      quiet.fetchEnded('1', 100)
      quiet.restart()
    },
  ]) {
    const quiet = new IdleDetector(100)
    fetches(quiet, '1', 100)
    disturb(quiet)
    quiet.fetchStarted('1')
    quiet.fetchEnded('1', 100)
    quiet.fetchStarted('1')
    assert.equal(quiet.isIdle, false)
  }
})

test('immediate responses with batches without records are idle after ten, responses without batches never', () => {
  const answered = (bytes: number, times: number): boolean => {
    const quiet = new IdleDetector(100, { min: () => 200, max: 1_000 })
    for (let i = 0; i < times; i++) {
      quiet.fetchStarted('1')
      quiet.fetchAnswered(bytes)
      quiet.fetchEnded('1', 2)
    }
    quiet.fetchStarted('1')
    return quiet.isIdle
  }
  assert.equal(answered(200, 10), true)
  assert.equal(answered(200, 9), false)
  assert.equal(answered(199, 50), false)
  // The maximum size: there may be more.
  assert.equal(answered(1_000, 50), false)
})

test('every broker has to be idle', () => {
  const quiet = new IdleDetector(100)
  quiet.fetchStarted('2')
  fetches(quiet, '1', 100, 100)
  assert.equal(quiet.isIdle, false)
  quiet.fetchEnded('2', 100)
  fetches(quiet, '2', 100)
  assert.equal(quiet.isIdle, true)
})

test('it is settled when every broker has started a fetch since the restart', () => {
  const quiet = new IdleDetector(100)
  quiet.fetchStarted('1')
  quiet.fetchStarted('2')
  assert.equal(quiet.isSettled, true)
  quiet.restart()
  quiet.fetchStarted('1')
  assert.equal(quiet.isSettled, false)
  quiet.fetchStarted('2')
  assert.equal(quiet.isSettled, true)
})
