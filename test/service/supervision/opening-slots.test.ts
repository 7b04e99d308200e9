import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import { OPENING_MAX, OPENING_MS_MAX, OpeningSlots } from '../../../src/service/supervision/opening-slots.ts'

const FOREVER = new AbortController().signal

/** A clock whose sleeps end when the test says so, or when they are aborted. */
class Sleeps {
  readonly ends: (() => void)[] = []
  now = (): number => 0

  sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    assert.equal(ms, OPENING_MS_MAX)
    return new Promise((resolve, reject) => {
      this.ends.push(resolve)
      signal?.addEventListener('abort', () => reject(new Error('aborted')))
    })
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate()
}

test('At most eight topics begin to open at once, the next one when one is open or has failed', async () => {
  const slots = new OpeningSlots(new Sleeps())
  const began: number[] = []
  const ends: ((value: number | Promise<never>) => void)[] = []
  const results = Array.from({ length: OPENING_MAX + 2 }, (_, index) =>
    slots.run(() => {
      began.push(index)
      return new Promise<number>((resolve) => ends.push(resolve))
    }, FOREVER),
  )
  await turns()
  assert.deepEqual(began, [0, 1, 2, 3, 4, 5, 6, 7])
  ends[3]?.(33)
  assert.equal(await results[3], 33)
  await turns()
  assert.equal(began.length, OPENING_MAX + 1)
  ends[0]?.(Promise.reject(new Error('no table')))
  await assert.rejects(results[0] ?? assert.fail(), /no table/)
  await turns()
  assert.equal(began.length, OPENING_MAX + 2)
})

test('A topic whose server does not answer holds back others for a bounded time', async () => {
  const sleeps = new Sleeps()
  const slots = new OpeningSlots(sleeps)
  for (let hanging = 0; hanging < OPENING_MAX; hanging++)
    void slots.run(() => new Promise<never>(() => undefined), FOREVER)
  const healthy = slots.run(() => Promise.resolve('open'), FOREVER)
  await turns()
  sleeps.ends[0]?.()
  assert.equal(await healthy, 'open')
})

test('A topic that is stopped while it waits is not opened, and gives its turn to the next one', async () => {
  const sleeps = new Sleeps()
  const slots = new OpeningSlots(sleeps)
  for (let hanging = 0; hanging < OPENING_MAX; hanging++)
    void slots.run(() => new Promise<never>(() => undefined), FOREVER)
  const stopping = new AbortController()
  let isOpened = false
  const stopped = slots.run(() => {
    isOpened = true
    return Promise.resolve()
  }, stopping.signal)
  const next = slots.run(() => Promise.resolve('open'), FOREVER)
  await turns()
  stopping.abort(new Error('stopped'))
  sleeps.ends[0]?.()
  await assert.rejects(stopped, /stopped/)
  assert.equal(isOpened, false)
  assert.equal(await next, 'open')
})
