import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PartitionStatus } from '../../../src/kafka/source/source-options.ts'
import { deadLetterObstacleOf, topicObstacleOf } from '../../../src/service/health/topic-obstacle.ts'

const NOW_MS = 100_000
const lasting = { sinceMs: NOW_MS - 6_001, reason: 'broker 2 at b:9092 does not answer' }
const partition = (index: number, obstacle?: PartitionStatus['obstacle']): PartitionStatus => ({
  ...{ partition: index, live: true, next: 0n, committed: undefined, end: 0n },
  ...(obstacle === undefined ? {} : { obstacle }),
})

test('Partitions that cannot be read for six seconds are told; the topic is cut off once they are all', () => {
  const brief = { ...lasting, sinceMs: NOW_MS - 6_000 }
  assert.deepEqual(topicObstacleOf([partition(0), partition(1, brief)], undefined, NOW_MS), {
    isTotal: false,
  })
  const some = topicObstacleOf([partition(0), partition(1, lasting), partition(2, brief)], undefined, NOW_MS)
  const reason = '1 of 3 partitions (1) cannot be read: broker 2 at b:9092 does not answer'
  assert.deepEqual(some, { obstacle: { sinceMs: lasting.sinceMs, reason }, isTotal: false })
  assert.equal(topicObstacleOf([partition(0, lasting)], undefined, NOW_MS).isTotal, true)
  const many = Array.from({ length: 9 }, (_, index) => partition(index, lasting))
  assert.match(
    topicObstacleOf(many, undefined, NOW_MS).obstacle?.reason ?? '',
    /^9 of 9 partitions \(0, 1, 2, 3, 4, …\)/,
  )
})

test('A member whose coordinator does not serve it is cut off only without partitions', () => {
  assert.deepEqual(topicObstacleOf([], lasting, NOW_MS), { obstacle: lasting, isTotal: true })
  assert.deepEqual(topicObstacleOf([partition(0)], lasting, NOW_MS), { obstacle: lasting, isTotal: false })
  const lost = [partition(0), partition(1)].map((each) => ({ ...each, live: false }))
  assert.deepEqual(topicObstacleOf(lost, lasting, NOW_MS), { obstacle: lasting, isTotal: true })
  assert.equal(topicObstacleOf([partition(2, lasting), ...lost], undefined, NOW_MS).isTotal, true)
  assert.deepEqual(topicObstacleOf([], { ...lasting, sinceMs: NOW_MS }, NOW_MS), { isTotal: false })
})

test('A topic whose dead letters wait to be written for more than six seconds is cut off, because nothing is committed', () => {
  const flush = { id: 1, records: 3, bytes: 10, stage: 'deadLetters', sinceMs: NOW_MS - 6_001 }
  const found = deadLetterObstacleOf([flush], 'orders-dlq', NOW_MS)
  assert.equal(found?.isTotal, true)
  assert.equal(found.obstacle?.sinceMs, flush.sinceMs)
  assert.match(found.obstacle.reason, /orders-dlq/)
  assert.equal(deadLetterObstacleOf([{ ...flush, sinceMs: NOW_MS - 6_000 }], 'orders-dlq', NOW_MS), undefined)
  assert.equal(deadLetterObstacleOf([{ ...flush, stage: 'commitDelta' }], 'orders-dlq', NOW_MS), undefined)
})
