import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PartitionAllowance, PartitionLags } from '../../../src/console/history/partition-lags.ts'

test('The lags of partitions are kept every ten seconds; a partition that is left out is unknown', () => {
  const lags = new PartitionLags(new PartitionAllowance(100))
  assert.equal(lags.isDue(0), true)
  lags.add(
    [
      [7, 10n],
      [3, undefined],
    ],
    0,
  )
  assert.deepEqual([lags.isDue(9_999), lags.isDue(10_000)], [false, true])
  lags.add([[7, 20n]], 10_000)
  lags.add(
    [
      [3, 0n],
      [9, 2n ** 40n],
    ],
    20_000,
  )
  assert.deepEqual(lags.series(7), { everyMs: 10_000, endMs: 20_000, values: [10, 20, null] })
  assert.deepEqual(lags.series(3).values, [null, null, 0])
  assert.deepEqual(lags.series(9).values, [null, null, 2 ** 40])
  assert.deepEqual(lags.series(1).values, [])
})

test('Ten minutes are kept of as many partitions as the process allows', () => {
  const allowance = new PartitionAllowance(25)
  const lags = new PartitionLags(allowance)
  const all = Array.from({ length: 40 }, (_, partition) => [partition, BigInt(partition)] as const)
  for (let at = 0; at < 200; at++) lags.add(all, 10_000 * at)
  assert.deepEqual([lags.partitions, lags.samples], [25, 25 * 60])
  assert.ok(lags.bytes <= 1.3 * 25 * 60 * 4, `${lags.bytes} bytes`)
  assert.equal(lags.series(24).values.length, 60)
  assert.deepEqual(lags.series(30).values, [])
  const others = new PartitionLags(allowance)
  others.add([[0, 1n]], 0)
  assert.equal(others.partitions, 0)
  lags.clear()
  others.add([[0, 1n]], 10_000)
  assert.deepEqual([lags.bytes, others.partitions], [0, 1])
})
