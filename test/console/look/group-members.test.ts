import assert from 'node:assert/strict'
import { test } from 'node:test'
import { membersOfTopic } from '../../../src/console/look/group-members.ts'
import type { ListedMember } from '../../../src/kafka/members/read-members.ts'

const member = (
  memberId: string,
  topics: readonly string[],
  partitions: Record<string, number[]> = {},
): ListedMember => ({
  ...{
    memberId,
    clientId: 'kafka-delta',
    host: '10.0.0.1',
    topics,
    partitions: new Map(Object.entries(partitions)),
  },
})

test('Members of other topics are left out, and the one that has a partition of this process is itself', () => {
  const members = [
    member('spare', ['orders']),
    member('other', ['users'], { users: [0] }),
    member('b', ['orders'], { orders: [2, 3] }),
    member('a', ['orders', 'users'], { orders: [0, 1], users: [1] }),
    member('moved', ['users'], { orders: [4] }),
  ]
  const found = membersOfTopic(members, 'orders', [2, 3])
  assert.deepEqual(
    found.map(({ memberId, partitions, isSelf }) => [memberId, partitions, isSelf]),
    [
      ['a', [0, 1], false],
      ['b', [2, 3], true],
      ['moved', [4], false],
      ['spare', [], false],
    ],
  )
  assert.ok(membersOfTopic(members, 'orders', null).every(({ isSelf }) => !isSelf))
})

test('At most 200 members are shown, those with partitions first', () => {
  const members = Array.from({ length: 500 }, (_, at) =>
    member(`m${at}`, ['orders'], at < 300 ? {} : { orders: [at] }),
  )
  const found = membersOfTopic(members, 'orders', [])
  assert.equal(found.length, 200)
  assert.deepEqual(found[0]?.partitions, [300])
})
