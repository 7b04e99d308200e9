import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SerialQueue } from '../../src/core/serial-queue.ts'

test('A task starts when all earlier tasks have ended, in the order of the calls, also after a failure', async () => {
  const lane = new SerialQueue()
  const seen: string[] = []
  const work =
    (name: string, fails = false) =>
    async (): Promise<string> => {
      seen.push(`${name} begins`)
      await Promise.resolve()
      seen.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    }
  const all = await Promise.allSettled([lane.run(work('a')), lane.run(work('b', true)), lane.run(work('c'))])
  assert.deepEqual(
    all.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('The queue is idle once all tasks have ended, also failed ones', async () => {
  const queue = new SerialQueue()
  await queue.idle()
  const ended: string[] = []
  let resolve = (): void => undefined
  const gate = new Promise<void>((open) => (resolve = open))
  const failed = queue.run(async () => {
    await gate
    ended.push('failed')
    throw new Error('a task')
  })
  const last = queue.run(() => Promise.resolve(ended.push('last')))
  const idle = queue.idle().then(() => ended.push('idle'))
  resolve()
  await assert.rejects(failed, /a task/)
  await Promise.all([last, idle])
  assert.deepEqual(ended, ['failed', 'last', 'idle'])
})
