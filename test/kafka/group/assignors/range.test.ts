import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SubscribedMember } from '../../../../src/kafka/group/assignors/assignor.ts'
import { RANGE } from '../../../../src/kafka/group/assignors/range.ts'

function member(
  memberId: string,
  topics: readonly string[],
  instanceId: string | null = null,
): SubscribedMember {
  return { memberId, instanceId, topics, owned: [], ownedGeneration: -1 }
}

function numbers(members: readonly SubscribedMember[], counts: Readonly<Record<string, number>>): unknown {
  const assignment = RANGE.assign(members, new Map(Object.entries(counts)))
  return Object.fromEntries(
    [...assignment].map(([memberId, partitions]) => [
      memberId,
      partitions.map(({ topic, partition }) => `${topic}${partition}`).join(' '),
    ]),
  )
}

test('each subscriber gets a contiguous range, the first ones one partition more', () => {
  const members = [member('m2', ['a', 'b']), member('m1', ['a', 'b']), member('m3', ['b'])]
  assert.deepEqual(numbers(members, { a: 3, b: 4 }), { m1: 'a0 a1 b0 b1', m2: 'a2 b2', m3: 'b3' })
})

test('static members come first, in the order of their instance ids', () => {
  const members = [member('m1', ['a']), member('m9', ['a'], 'i1'), member('m8', ['a'], 'i2')]
  assert.deepEqual(numbers(members, { a: 4 }), { m9: 'a0 a1', m8: 'a2', m1: 'a3' })
})

test('missing topics are ignored, and surplus members get nothing', () => {
  assert.deepEqual(numbers([member('m1', ['a', 'gone']), member('m2', ['a'])], { a: 1 }), {
    m1: 'a0',
    m2: '',
  })
})
