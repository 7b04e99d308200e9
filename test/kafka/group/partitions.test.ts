import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  coversTopics,
  groupByTopic,
  comparePartitions,
  keyOfPartition,
  subtractPartitions,
} from '../../../src/kafka/group/partitions.ts'

const A0 = { topic: 'a', partition: 0 }
const A2 = { topic: 'a', partition: 2 }
const A10 = { topic: 'a', partition: 10 }
const B1 = { topic: 'b', partition: 1 }

test('partitions are ordered by topic, then by number', () => {
  assert.deepEqual([B1, A10, A2, A0].sort(comparePartitions), [A0, A2, A10, B1])
  assert.deepEqual(
    [...groupByTopic([B1, A10, A0])],
    [
      ['a', [0, 10]],
      ['b', [1]],
    ],
  )
})

test('partitions are compared by topic and number', () => {
  assert.deepEqual(subtractPartitions([A0, A2, B1], [{ topic: 'a', partition: 2 }]), [A0, B1])
  assert.notEqual(
    keyOfPartition({ topic: 'a1', partition: 1 }),
    keyOfPartition({ topic: 'a', partition: 11 }),
  )
})

test('partitions cover topics if each topic has one, and no other topic has', () => {
  assert.equal(coversTopics([A0, A2, B1], ['a', 'b']), true)
  assert.equal(coversTopics([A0, A2], ['a', 'b']), false)
  assert.equal(coversTopics([A0, B1], ['a']), false)
})
