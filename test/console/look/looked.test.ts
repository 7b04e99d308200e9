import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Looked } from '../../../src/console/look/looked.ts'

const clock = { nowMs: 0, now: () => clock.nowMs, sleep: () => Promise.resolve() }

test('A value is looked up only when it is asked for, once within the interval and one look at a time', async () => {
  let looks = 0
  let finish: (value: number) => void = () => undefined
  const looked = new Looked<number>({
    look: () => {
      looks++
      return new Promise((resolve) => (finish = resolve))
    },
    ...{ everyMs: 1_000, clock, onFailure: (error) => assert.fail(String(error)) },
  })
  await looked.settled()
  assert.equal(looks, 0)
  assert.equal(looked.value(), undefined)
  clock.nowMs = 5_000
  assert.equal(looked.value(), undefined)
  assert.equal(looks, 1, 'the first look has not ended')
  finish(7)
  await looked.settled()
  assert.equal(looked.value(), 7)
  assert.equal(looks, 2, 'the interval has passed')
  finish(8)
  await looked.settled()
  clock.nowMs = 5_999
  assert.deepEqual([looked.value(), looks], [8, 2])
})

test('A look gets the value before, and a failure makes the value unknown', async () => {
  const failures: unknown[] = []
  const befores: (number | undefined)[] = []
  let isDown = false
  clock.nowMs = 0
  const looked = new Looked<number>({
    look: (before) => {
      befores.push(before)
      return isDown ? Promise.reject(new Error('down')) : Promise.resolve(befores.length)
    },
    ...{ everyMs: 1_000, clock, onFailure: (error) => failures.push(error) },
  })
  const next = async (): Promise<number | undefined> => {
    looked.value()
    await looked.settled()
    const value = looked.value()
    clock.nowMs += 1_000
    return value
  }
  assert.deepEqual([await next(), await next()], [1, 2])
  isDown = true
  assert.equal(await next(), undefined)
  assert.deepEqual([befores, String(failures[0])], [[undefined, 1, 2], 'Error: down'])
  isDown = false
  assert.equal(await next(), 4)
})
