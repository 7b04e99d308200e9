import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupOffsets } from '../../../src/service/topic/group-offsets.ts'

/** A clock that the test sets; sleeps end at once, as if they had timed out. */
function clockAt(): { nowMs: number; now(): number; sleep(): Promise<void> } {
  const clock = { nowMs: 0, now: () => clock.nowMs, sleep: () => Promise.resolve() }
  return clock
}

test('Brokers are asked at most every ten seconds, once for all callers, and the last answer is kept', async () => {
  const clock = clockAt()
  let asked = 0
  const answers = [new Map([[0, 7n]]), undefined, new Map([[0, 9n]])]
  const offsets = new GroupOffsets(() => {
    const answer = answers[asked++]
    return answer === undefined ? Promise.reject(new Error('no broker')) : Promise.resolve(answer)
  }, clock)
  const [first, second] = await Promise.all([offsets.read(), offsets.read()])
  assert.deepEqual([first.get(0), second.get(0), asked], [7n, 7n, 1])
  clock.nowMs = 9_999
  await offsets.read()
  assert.equal(asked, 1)
  clock.nowMs = 10_000
  assert.equal((await offsets.read()).get(0), 7n)
  clock.nowMs = 20_000
  assert.deepEqual([(await offsets.read()).get(0), asked], [9n, 3])
})

test('A caller does not wait for brokers that do not answer', async () => {
  const offsets = new GroupOffsets(() => new Promise(() => undefined), clockAt())
  assert.equal((await offsets.read()).size, 0)
})
