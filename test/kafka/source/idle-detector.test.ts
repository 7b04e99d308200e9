import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Quiet } from '../../../src/kafka/source/idle-detector.ts'

function fetches(quiet: Quiet, node: string, ...durations: number[]): void {
  for (const duration of durations) {
    quiet.fetchStarted(node)
    quiet.fetchEnded(node, duration)
  }
  quiet.fetchStarted(node)
}

test('two full waits in a row without a delivery are quiet, one is not', () => {
  const quiet = new Quiet(100)
  assert.equal(quiet.quiet, false)
  fetches(quiet, '1', 100)
  assert.equal(quiet.quiet, false)
  fetches(quiet, '1', 101)
  assert.equal(quiet.quiet, false)
  quiet.fetchEnded('1', 100)
  quiet.fetchStarted('1')
  quiet.fetchEnded('1', 100)
  quiet.fetchStarted('1')
  assert.equal(quiet.quiet, true)
})

test('a quick fetch, a stuck one or a delivery begins the count anew', () => {
  for (const disturb of [
    (quiet: Quiet) => {
      quiet.fetchEnded('1', 3)
    },
    (quiet: Quiet) => {
      quiet.fetchEnded('1', 5_000)
    },
    (quiet: Quiet) => {
      quiet.fetchEnded('1', 100)
      quiet.delivered()
    },
    (quiet: Quiet) => {
      quiet.fetchEnded('1', 100)
      quiet.restart()
    },
  ]) {
    const quiet = new Quiet(100)
    fetches(quiet, '1', 100)
    disturb(quiet)
    quiet.fetchStarted('1')
    quiet.fetchEnded('1', 100)
    quiet.fetchStarted('1')
    assert.equal(quiet.quiet, false)
  }
})

test('answers at once that hold batches without records are quiet after ten, those without batches never', () => {
  const answered = (bytes: number, times: number): boolean => {
    const quiet = new Quiet(100, { min: () => 200, max: 1_000 })
    for (let i = 0; i < times; i++) {
      quiet.fetchStarted('1')
      quiet.fetchAnswered(bytes)
      quiet.fetchEnded('1', 2)
    }
    quiet.fetchStarted('1')
    return quiet.quiet
  }
  assert.equal(answered(200, 10), true)
  assert.equal(answered(200, 9), false)
  assert.equal(answered(199, 50), false)
  // As much as fits: there may be more behind it.
  assert.equal(answered(1_000, 50), false)
})

test('every broker has to be quiet', () => {
  const quiet = new Quiet(100)
  quiet.fetchStarted('2')
  fetches(quiet, '1', 100, 100)
  assert.equal(quiet.quiet, false)
  quiet.fetchEnded('2', 100)
  fetches(quiet, '2', 100)
  assert.equal(quiet.quiet, true)
})

test('it is settled once every broker began a fetch since the restart', () => {
  const quiet = new Quiet(100)
  quiet.fetchStarted('1')
  quiet.fetchStarted('2')
  assert.equal(quiet.settled, true)
  quiet.restart()
  quiet.fetchStarted('1')
  assert.equal(quiet.settled, false)
  quiet.fetchStarted('2')
  assert.equal(quiet.settled, true)
})
