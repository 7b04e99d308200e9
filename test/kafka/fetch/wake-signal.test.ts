import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WakeSignal } from '../../../src/kafka/fetch/wake-signal.ts'
import { HeldClock, settled } from '../../support/flow/held-clock.ts'

test('A waiter resolves on a wake, after its time, or at once if a wake is pending', async () => {
  const clock = new HeldClock()
  const bell = new WakeSignal(clock)
  let woken = 0
  const sleep = (ms?: number): void => {
    void bell.wait(ms).then(() => woken++)
  }
  bell.wake()
  bell.wake()
  sleep()
  await settled()
  assert.equal(woken, 1)
  sleep(100)
  await clock.advance(99)
  assert.equal(woken, 1)
  await clock.advance(1)
  assert.equal(woken, 2)
  sleep()
  await clock.advance(1_000_000)
  assert.equal(woken, 2)
  bell.wake()
  await settled()
  assert.equal(woken, 3)
  sleep(0)
  await settled()
  assert.equal(woken, 4)
})
