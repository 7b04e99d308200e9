import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Raw } from '../../../src/core/raw.ts'
import { Unsettled } from '../../../src/service/health/uncommitted.ts'

function batch(partition: number, first: number, last: number, timestampMs: number): Raw {
  return {
    partition,
    count: 2,
    offsets: BigInt64Array.of(BigInt(first), BigInt(last)),
    timestampsMs: Float64Array.of(timestampMs, timestampMs + 1),
  } as unknown as Raw
}

function range(
  partition: number,
  last: number,
): {
  topic: string
  partition: number
  follows: undefined
  first: bigint
  last: bigint
} {
  return { topic: 't', partition, follows: undefined, first: 0n, last: BigInt(last) }
}

test('The oldest record is that of the first batch that is not in the table, by partition', () => {
  const unsettled = new Unsettled()
  assert.equal(unsettled.oldestMs(0), undefined)
  unsettled.read(batch(0, 0, 9, 100))
  unsettled.read(batch(0, 10, 19, 200))
  unsettled.read(batch(1, 5, 6, 50))
  assert.deepEqual([unsettled.oldestMs(0), unsettled.first(0)], [100, 0n])
  unsettled.settled([range(0, 9)])
  assert.deepEqual([unsettled.oldestMs(0), unsettled.first(0)], [200, 10n])
  assert.equal(unsettled.oldestMs(1), 50)
  unsettled.settled([range(0, 19)])
  // What has not been read yet is younger than that.
  assert.deepEqual([unsettled.oldestMs(0), unsettled.first(0)], [200, undefined])
  unsettled.keep([1])
  assert.equal(unsettled.oldestMs(0), undefined)
})

test('What is read again replaces what was read from there on', () => {
  const unsettled = new Unsettled()
  unsettled.read(batch(0, 0, 9, 100))
  unsettled.read(batch(0, 10, 19, 200))
  unsettled.read(batch(0, 5, 19, 150))
  unsettled.settled([range(0, 9)])
  assert.equal(unsettled.oldestMs(0), 150)
})

test('However many batches wait, memory is bounded, and the age is at most a little too high', () => {
  const unsettled = new Unsettled()
  for (let i = 0; i < 5_000; i++) unsettled.read(batch(0, 2 * i, 2 * i + 1, i))
  unsettled.settled([range(0, 1_999)])
  assert.equal(unsettled.oldestMs(0), 999, 'the last that is told apart stands for those after it')
  unsettled.settled([range(0, 9_999)])
  assert.equal(unsettled.first(0), undefined)
})
