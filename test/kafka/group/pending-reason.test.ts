import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PendingReason } from '../../../src/kafka/group/pending-reason.ts'

test('the first reason is kept until a waiter takes it', async () => {
  const pending = new PendingReason()
  const { signal } = new AbortController()
  pending.post('one')
  pending.post('two')
  assert.equal(await pending.next(signal), 'one')
  const next = pending.next(signal)
  pending.post('three')
  assert.equal(await next, 'three')
  assert.equal(pending.take(), undefined)
  pending.post('four')
  pending.clear()
  assert.equal(pending.take(), undefined)
})

test('an abort ends the wait without a reason', async () => {
  const pending = new PendingReason()
  const given = new AbortController()
  const next = pending.next(given.signal)
  given.abort()
  assert.equal(await next, undefined)
  assert.equal(await pending.next(given.signal), undefined)
})
