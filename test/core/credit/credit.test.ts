import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Credit } from '../../../src/core/credit/credit.ts'

test('credit is granted immediately while bytes are left, and not beyond', () => {
  const credit = new Credit(100)
  assert.equal(credit.tryTake(60), true)
  assert.equal(credit.tryTake(41), false)
  assert.equal(credit.tryTake(40), true)
  assert.equal(credit.taken, 100)
})

test('waiting callers are granted credit in order; a small request never overtakes a large one', async () => {
  const credit = new Credit(100)
  await credit.take(80)
  const order: string[] = []
  const large = credit.take(90).then(() => order.push('large'))
  const small = credit.take(10).then(() => order.push('small'))
  assert.equal(credit.tryTake(5), false)
  assert.equal(credit.waiting, 2)
  credit.give(80)
  await Promise.all([large, small])
  assert.deepEqual(order, ['large', 'small'])
  assert.equal(credit.taken, 100)
})

test('a batch above the whole budget is granted alone', async () => {
  const credit = new Credit(100)
  await credit.take(1)
  const oversize = credit.take(500)
  assert.equal(credit.waiting, 1)
  credit.give(1)
  await oversize
  assert.equal(credit.taken, 500)
  assert.equal(credit.tryTake(1), false)
  credit.give(500)
  assert.equal(credit.tryTake(1), true)
})

test('an aborted wait takes nothing and unblocks the callers behind it', async () => {
  const credit = new Credit(100)
  await credit.take(50)
  const abort = new AbortController()
  const given = credit.take(80, abort.signal)
  const behind = credit.take(40)
  abort.abort(new Error('enough'))
  await assert.rejects(given, /enough/)
  await behind
  assert.equal(credit.taken, 90)
  assert.equal(credit.waiting, 0)
})

test('a wait with an already aborted signal takes nothing', async () => {
  const credit = new Credit(10)
  await credit.take(10)
  await assert.rejects(credit.take(1, AbortSignal.abort(new Error('before'))), /before/)
  assert.equal(credit.taken, 10)
  assert.equal(credit.waiting, 0)
})

test('credit given back twice is a broken invariant', async () => {
  const credit = new Credit(10)
  await credit.take(10)
  credit.give(10)
  assert.throws(() => {
    credit.give(10)
  }, /given back twice/)
})

test('while paused nothing is granted, and waiting callers continue in order afterwards', async () => {
  const credit = new Credit(100)
  credit.pause()
  assert.equal(credit.tryTake(1), false)
  const order: string[] = []
  const first = credit.take(10).then(() => order.push('first'))
  const second = credit.take(10).then(() => order.push('second'))
  assert.equal(credit.wait?.reason, 'paused')
  credit.resume()
  await Promise.all([first, second])
  assert.deepEqual([order, credit.taken], [['first', 'second'], 20])
})

test('a requested flush resolves when it and earlier flushes are closed, immediately if there are none', async () => {
  const credit = new Credit(100)
  await credit.flush()
  const forget = credit.registerFlush(() => credit.flushOpened())
  credit.flushOpened()
  let isDone = false
  const flushed = credit.flush().then(() => (isDone = true))
  credit.flushSettled(0)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isDone, false)
  credit.flushSettled(0)
  await flushed
  forget()
  await credit.flush()
})

test('a batch that does not fit beside the buffer makes it flush, unless a flush is under way', async () => {
  const credit = new Credit(100)
  let formed = 0
  credit.registerFlush(() => {
    formed++
    credit.flushOpened()
  })
  await credit.take(60)
  const large = credit.take(80)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([formed, credit.wait?.reason], [1, 'topic'])
  assert.equal(credit.shouldFlush, false)
  credit.give(60)
  credit.flushSettled(0)
  await large
  assert.deepEqual([formed, credit.taken], [1, 80])
})
