import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Raw } from '../../../src/core/raw.ts'
import { UncommittedBatches } from '../../../src/service/health/uncommitted.ts'

/** The time of reading. */
const NOW_MS = 10_000_000

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

test('The oldest record is the first of the oldest uncommitted batch, by partition', () => {
  const uncommitted = new UncommittedBatches()
  assert.equal(uncommitted.oldestTimestampMs(0), undefined)
  uncommitted.add(batch(0, 0, 9, 100), NOW_MS)
  uncommitted.add(batch(0, 10, 19, 200), NOW_MS)
  uncommitted.add(batch(1, 5, 6, 50), NOW_MS)
  assert.deepEqual([uncommitted.oldestTimestampMs(0), uncommitted.firstOffset(0)], [100, 0n])
  uncommitted.markCommitted([range(0, 9)])
  assert.deepEqual([uncommitted.oldestTimestampMs(0), uncommitted.firstOffset(0)], [200, 10n])
  assert.equal(uncommitted.oldestTimestampMs(1), 50)
  uncommitted.markCommitted([range(0, 19)])
  // Records that were not read yet are newer.
  assert.deepEqual([uncommitted.oldestTimestampMs(0), uncommitted.firstOffset(0)], [200, undefined])
  uncommitted.retain([{ partition: 1 }])
  assert.equal(uncommitted.oldestTimestampMs(0), undefined)
})

test('Batches that are read again replace the earlier ones from that offset on', () => {
  const uncommitted = new UncommittedBatches()
  uncommitted.add(batch(0, 0, 9, 100), NOW_MS)
  uncommitted.add(batch(0, 10, 19, 200), NOW_MS)
  uncommitted.add(batch(0, 5, 19, 150), NOW_MS)
  uncommitted.markCommitted([range(0, 9)])
  assert.equal(uncommitted.oldestTimestampMs(0), 150)
})

test('Memory is bounded for any number of batches, and the age is at most slightly too high', () => {
  const uncommitted = new UncommittedBatches()
  for (let i = 0; i < 5_000; i++) uncommitted.add(batch(0, 2 * i, 2 * i + 1, i), NOW_MS)
  uncommitted.markCommitted([range(0, 1_999)])
  assert.equal(uncommitted.oldestTimestampMs(0), 999, 'later batches are merged into the last tracked one')
  uncommitted.markCommitted([range(0, 9_999)])
  assert.equal(uncommitted.firstOffset(0), undefined)
})

test('A timestamp that is no time between 1970 and 9999 counts as none', () => {
  const uncommitted = new UncommittedBatches()
  for (const [partition, ms] of [-1, 1e17, 253_402_300_800_000].entries()) {
    uncommitted.add(batch(partition, 0, 9, ms), NOW_MS)
    assert.equal(uncommitted.oldestTimestampMs(partition), undefined)
    assert.equal(uncommitted.firstOffset(partition), 0n)
  }
})
