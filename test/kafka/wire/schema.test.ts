import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestBody, ResponseBody } from '../../../src/kafka/wire/apis.ts'
import { includesVersion, versionBoundsOf } from '../../../src/kafka/wire/schema.ts'

test('The three forms of version ranges are parsed', () => {
  assert.deepEqual(versionBoundsOf('3+'), [3, Infinity])
  assert.deepEqual(versionBoundsOf('0-7'), [0, 7])
  assert.deepEqual(versionBoundsOf('12'), [12, 12])
  assert.equal(includesVersion('3+', 2), false)
  assert.equal(includesVersion('3+', 30), true)
  assert.equal(includesVersion('0-7', 7), true)
  assert.equal(includesVersion('0-7', 8), false)
  assert.equal(includesVersion(undefined, 0), false)
})

test('The types state which fields are required and which are always present', () => {
  const request: RequestBody<'Fetch'> = {
    maxWaitMs: 1,
    minBytes: 1,
    topics: [{ topicId: 'ab', partitions: [{ partition: 1, fetchOffset: 1n, partitionMaxBytes: 4 }] }],
  }
  // @ts-expect-error minBytes has no default
  const short: RequestBody<'Fetch'> = { maxWaitMs: 1, topics: [] }
  // @ts-expect-error there is no such field
  const long: RequestBody<'Fetch'> = { ...request, offset: 1n }
  // @ts-expect-error a group id is never null
  const absent: RequestBody<'Heartbeat'> = { groupId: null, generationId: 1, memberId: '' }
  const records = (response: ResponseBody<'Fetch'>): Uint8Array | null | undefined =>
    response.responses[0]?.partitions[0]?.records
  const partitions = (response: ResponseBody<'ConsumerGroupHeartbeat'>): readonly number[] | undefined =>
    response.assignment?.topicPartitions[0]?.partitions
  assert.deepEqual(Object.keys(request), ['maxWaitMs', 'minBytes', 'topics'])
  assert.deepEqual([short, long, absent].length, 3)
  assert.deepEqual([typeof records, typeof partitions], ['function', 'function'])
})
