import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { holdSignals } from '../../src/cli/held-signals.ts'

test('A signal that comes while modules load is delivered once they handle signals, and only once', async () => {
  const deliver = holdSignals()
  process.kill(process.pid, 'SIGINT')
  process.kill(process.pid, 'SIGINT')
  // Both have come when a timer fires.
  await new Promise((resolve) => setTimeout(resolve, 50))
  let count = 0
  const onSignal = (): void => {
    count++
  }
  process.on('SIGINT', onSignal)
  const delivered = once(process, 'SIGINT')
  deliver()
  deliver()
  await delivered
  await new Promise((resolve) => setTimeout(resolve, 50))
  process.off('SIGINT', onSignal)
  assert.equal(count, 1)
})

test('Without a signal nothing is delivered, and no handler stays', () => {
  const before = process.listenerCount('SIGTERM')
  holdSignals()()
  assert.equal(process.listenerCount('SIGTERM'), before)
})
