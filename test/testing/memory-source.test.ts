import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom, toArray } from 'rxjs'
import { testChain, testFlushes, testOperator } from '../../examples/testing.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { memorySource } from '../../src/testing/memory-source.ts'

test('The tests of the example pass: an operator alone, flushes in virtual time, a chain that is fenced', async () => {
  await testOperator()
  testFlushes()
  await testChain()
})

test('A source emits the records of each partition at consecutive offsets and completes at their end', async () => {
  const source = memorySource({ 0: ['a', 'b', 'c'], 3: ['d'] }, { topic: 'views', batchRecords: 2 })
  const batches = await lastValueFrom(source.batches.pipe(toArray()))
  assert.deepEqual(
    batches.map(({ provenance: { topic, partition, follows, first, last } }) => [
      topic,
      partition,
      follows,
      first,
      last,
    ]),
    [
      ['views', 0, undefined, 0n, 1n],
      ['views', 0, 1n, 2n, 2n],
      ['views', 3, undefined, 0n, 0n],
    ],
  )
})

test('A reset reads again from the offset in the table, and awaited commits hold back the end', async () => {
  const held = new Map<number, bigint>()
  const source = memorySource(['a', 'b', 'c'], {
    resume: (partition) => Promise.resolve(held.get(partition)),
  })
  const firsts: bigint[] = []
  let isComplete = false
  source.awaitCommits()
  source.batches.subscribe({
    next: ({ provenance }) => firsts.push(provenance.first),
    complete: () => (isComplete = true),
  })
  await source.reset([])
  held.set(0, 0n)
  await source.reset([0])
  assert.deepEqual(firsts, [0n, 1n])
  assert.equal(isComplete, false)
  await source.commitOffsets([{ topic: 'test', partition: 0, follows: 0n, first: 1n, last: 2n }])
  assert.equal(isComplete, true)
})

test('A source without an end emits what is pushed, and fails and stops on command', async () => {
  const source = memorySource([], { until: 'stopped' })
  const seen: number[] = []
  let failure: unknown
  source.batches.subscribe({
    next: ({ payload }) => seen.push(payload.count),
    error: (error: unknown) => {
      failure = error
    },
  })
  await source.push(['a'])
  await source.push([{ b: 1n }, null])
  assert.deepEqual(seen, [1, 2])
  const error = new Error('gone')
  source.fail(error)
  assert.equal(failure, error)

  const stopped = memorySource([], { until: 'stopped' })
  const ended = lastValueFrom(stopped.batches, { defaultValue: undefined })
  await stopped.close()
  assert.equal(await ended, undefined)
})

test('A second subscription fails', async () => {
  const source = memorySource(['a'])
  await lastValueFrom(source.batches)
  await assert.rejects(
    lastValueFrom(source.batches),
    (error) => error instanceof PipelineError && error.code === 'KD_SOURCE_FAILED',
  )
})
