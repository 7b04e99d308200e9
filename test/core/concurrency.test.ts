import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapBounded, runThenCleanUp } from '../../src/core/concurrency.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('Results are in the order of the items, and no more than the limit run at once', async () => {
  let running = 0
  let most = 0
  const results = await mapBounded([5, 1, 4, 2, 3, 0], 3, async (turns, index) => {
    most = Math.max(most, ++running)
    for (let i = 0; i < turns; i++) await turn()
    running--
    return `${index}:${turns}`
  })
  assert.deepEqual(results, ['0:5', '1:1', '2:4', '3:2', '4:3', '5:0'])
  assert.equal(most, 3)
})

test('No items resolve immediately', async () => {
  assert.deepEqual(await mapBounded([], 4, () => Promise.reject(new Error('not called'))), [])
})

test('The first error is thrown and no further call is started', async () => {
  const started: number[] = []
  const run = async (item: number): Promise<void> => {
    started.push(item)
    await turn()
    if (item === 1) throw new Error('no 1')
  }
  await assert.rejects(mapBounded([0, 1, 2, 3, 4, 5, 6, 7], 2, run), /no 1/)
  const soFar = started.length
  for (let i = 0; i < 5; i++) await turn()
  assert.ok(soFar <= 3 && started.length <= soFar + 1, started.join())
})

test('The error of the work is thrown although the cleaning up fails too, and otherwise that of the cleaning up', async () => {
  const fails = (message: string) => () => Promise.reject(new Error(message))
  let cleaned = 0
  const cleans = (): Promise<number> => Promise.resolve(++cleaned)
  await assert.rejects(runThenCleanUp(fails('work'), fails('cleaning')), { message: 'work' })
  await assert.rejects(runThenCleanUp(fails('work'), cleans), { message: 'work' })
  await assert.rejects(
    runThenCleanUp(() => Promise.resolve(1), fails('cleaning')),
    { message: 'cleaning' },
  )
  assert.equal(await runThenCleanUp(() => Promise.resolve(7), cleans), 7)
  assert.equal(cleaned, 2)
})
