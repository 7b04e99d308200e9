import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import type { Cluster, Logger } from 'kafkajs'
import { assignBySubscription } from '../../../src/kafka/source/assigner.ts'

const WIDTHS: Readonly<Record<string, number>> = { a: 4, b: 1, c: 3 }

/** Returns the assigned partitions by member and topic for the given subscriptions. */
async function assigned(
  subscriptions: Readonly<Record<string, readonly string[]>>,
  leaderTopics: readonly string[],
): Promise<Record<string, unknown>> {
  const known = new Set(leaderTopics)
  const cluster = {
    addMultipleTargetTopics: (topics: readonly string[]) => {
      topics.forEach((topic) => known.add(topic))
      return Promise.resolve()
    },
    findTopicPartitionMetadata: (topic: string) =>
      Array.from({ length: known.has(topic) ? (WIDTHS[topic] ?? 0) : 0 }, (_, partitionId) => ({
        partitionId,
      })).reverse(),
  }
  const assigner = assignBySubscription({
    cluster: cluster as unknown as Cluster,
    groupId: 'g',
    logger: {} as Logger,
  })
  const members = Object.entries(subscriptions).map(([memberId, topics]) => ({
    memberId,
    memberMetadata: assigner.protocol({ topics: [...topics] }).metadata,
  }))
  const assignments = await assigner.assign({ members, topics: [...leaderTopics] })
  return Object.fromEntries(
    assignments.map(({ memberId, memberAssignment }) => [
      memberId,
      { ...kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment },
    ]),
  )
}

test('members of one subscription share its partitions in turn', async () => {
  assert.deepEqual(await assigned({ m2: ['a'], m1: ['a'] }, ['a']), { m1: { a: [0, 2] }, m2: { a: [1, 3] } })
})

test('a topic that the leader does not read is assigned to the members that read it', async () => {
  assert.deepEqual(await assigned({ m1: ['a'], m2: ['b'], m3: ['b', 'c'] }, ['a']), {
    m1: { a: [0, 1, 2, 3] },
    m2: { b: [0] },
    m3: { c: [0, 1, 2] },
  })
})

test('members beyond the number of partitions get none', async () => {
  assert.deepEqual(await assigned({ m1: ['b'], m2: ['b'] }, ['b']), { m1: { b: [0] } })
})
