import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StageTiming } from '../../../src/core/batch.ts'
import { StageTimer, startMsOf, type TimedBatch } from '../../../src/core/stage/flush-stages.ts'
import { nowMs } from '../../../src/core/stage/span.ts'

// Long ago, to distinguish time counted until now from time measured before.
const T0 = nowMs() - 10_000

function batch(...timings: readonly (readonly [string, number, number])[]): TimedBatch {
  return {
    polledAtMs: T0,
    timings: timings.map(([stage, start, end]): StageTiming => ({
      stage,
      startMs: T0 + start,
      endMs: T0 + end,
    })),
  }
}

const rounded = (ms: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(ms).map(([stage, each]) => [stage, Math.round(each)]))

function sumOf(ms: Readonly<Record<string, number>>): number {
  return Object.values(ms).reduce((sum, each) => sum + each, 0)
}

describe('the time of a flush', () => {
  it('is counted once where batches overlap: work before polls, polls before the buffer', () => {
    const clock = new StageTimer(1, [
      batch(['poll', 0, 100], ['decode', 130, 150], ['validate', 150, 160], ['buffer', 160, 1000]),
      // Polled while the first batch still waited, and longer.
      batch(['poll', 90, 400], ['decode', 400, 450], ['validate', 455, 460], ['buffer', 460, 1000]),
    ])
    const { ms, id, startedAtMs } = clock.stages()
    assert.equal(id, 1)
    assert.equal(startedAtMs, T0)
    const { wait, ...counted } = rounded(ms)
    assert.deepEqual(counted, { poll: 340, decode: 70, validate: 15, buffer: 540 })
    assert.ok(wait !== undefined && wait >= 35 + 8_000, `got ${wait}: 30 + 5 ms, and all since`)
  })

  it('adds up to the total, also with nested stages', async () => {
    const clock = new StageTimer(1, [batch(['poll', 0, 5], ['decode', 5, 9], ['buffer', 9, 20])])
    const commit = clock.begin('commitDelta')
    const letters = clock.begin('deadLetters')
    await new Promise((resolve) => setTimeout(resolve, 20))
    letters()
    commit()
    const { ms, totalMs } = clock.stages()
    assert.ok(Math.abs(sumOf(ms) - totalMs) < 1e-3, `${sumOf(ms)} is ${totalMs}`)
    assert.ok((ms['deadLetters'] ?? 0) > 15, 'the inner stage has its time')
    assert.ok((ms['commitDelta'] ?? 0) < (ms['deadLetters'] ?? 0), 'which the outer has not')
  })

  it('reports when no stage is active', () => {
    const clock = new StageTimer(1, [batch(['poll', 0, 10], ['buffer', 10, 20])])
    assert.equal(clock.isBusy, false)
    const ended = clock.begin('writeParquet')
    assert.equal(clock.isBusy, true)
    ended()
    assert.equal(clock.isBusy, false)
    assert.ok((clock.stages().ms['wait'] ?? 0) >= 8_000, 'waited since it was formed')
  })
})

it('A flush begins with its earliest poll, or with the first delivery if polls were not timed', () => {
  assert.equal(startMsOf([batch(['poll', 5, 6]), batch(['poll', -3, 6])]), T0 - 3)
  assert.equal(startMsOf([batch(['decode', 5, 6])]), T0)
  assert.equal(startMsOf([batch()]), T0)
})
