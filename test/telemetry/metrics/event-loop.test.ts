import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventLoopMonitor, type EventLoopStalls } from '../../../src/telemetry/metrics/event-loop.ts'

test('A loop blocked for more than a second is counted each time, and reported once a minute with the longest stall', () => {
  const blocked: number[] = []
  const told: EventLoopStalls[] = []
  const watch = new EventLoopMonitor(
    { onStall: (ms) => blocked.push(ms), onReport: (stalls) => told.push(stalls) },
    0,
  )
  let nowMs = 0
  const pass = (ms: number): void => watch.check((nowMs += ms))
  for (let i = 0; i < 10; i++) pass(260)
  pass(1_250)
  assert.deepEqual([blocked, told], [[], []], 'a second late is no stall')
  pass(2_250)
  pass(5_250)
  pass(3_250)
  assert.deepEqual(blocked, [2_000, 5_000, 3_000])
  assert.deepEqual(told, [{ count: 1, blockedMs: 2_000 }])
  for (let i = 0; i < 240; i++) pass(250)
  assert.deepEqual(told.slice(1), [{ count: 2, blockedMs: 5_000 }])
  for (let i = 0; i < 480; i++) pass(250)
  assert.equal(told.length, 2)
})

test('A blocked loop is detected', async () => {
  const stalled = new Promise<number>((resolve) => {
    const watch = new EventLoopMonitor({
      onStall: (ms) => {
        watch.stop()
        resolve(ms)
      },
      onReport: () => undefined,
    })
    watch.start()
  })
  // The monitor itself does not keep the process alive.
  const held = setInterval(() => undefined, 1_000)
  const untilMs = performance.now() + 1_600
  while (performance.now() < untilMs);
  const ms = await stalled
  clearInterval(held)
  assert.ok(ms > 1_000, `blocked for ${ms} ms`)
})
