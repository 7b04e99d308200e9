import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import type { Cluster, Logger } from 'kafkajs'
import { assignBySubscription } from '../support/kafkajs-assigner.ts'
import type { SubscribedMember } from '../../../../src/kafka/group/assignors/assignor.ts'
import { BY_SUBSCRIPTION } from '../../../../src/kafka/group/assignors/by-subscription.ts'

/** The assignment of an old worker, and the name of its protocol. */
async function oldWorker(
  members: readonly SubscribedMember[],
  counts: ReadonlyMap<string, number>,
): Promise<Record<string, string[]>> {
  const cluster = {
    addMultipleTargetTopics: () => Promise.resolve(),
    findTopicPartitionMetadata: (topic: string) =>
      Array.from({ length: counts.get(topic) ?? 0 }, (_, partitionId) => ({ partitionId })),
  }
  const assigner = assignBySubscription({
    cluster: cluster as unknown as Cluster,
    groupId: 'g',
    logger: {} as Logger,
  })
  assert.equal(assigner.name, BY_SUBSCRIPTION.name)
  const assignments = await assigner.assign({
    members: members.map(({ memberId, topics }) => ({
      memberId,
      memberMetadata: assigner.protocol({ topics: [...topics] }).metadata,
    })),
    topics: [],
  })
  const given = new Map(
    assignments.map(({ memberId, memberAssignment }) => [
      memberId,
      Object.entries(kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {}),
    ]),
  )
  return Object.fromEntries(
    members.map(({ memberId }) => [
      memberId,
      (given.get(memberId) ?? [])
        .flatMap(([topic, numbers]) => numbers.map((one) => `${topic}/${one}`))
        .sort(),
    ]),
  )
}

function newWorker(
  members: readonly SubscribedMember[],
  counts: ReadonlyMap<string, number>,
): Record<string, string[]> {
  const assignment = BY_SUBSCRIPTION.assign(members, counts)
  return Object.fromEntries(
    [...assignment].map(([memberId, partitions]) => [
      memberId,
      partitions.map(({ topic, partition }) => `${topic}/${partition}`).sort(),
    ]),
  )
}

const TOPICS = ['a', 'b', 'c']

test('property: a new worker as leader assigns partitions as an old one does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.subarray(TOPICS, { minLength: 1 }), { minLength: 1, maxLength: 5 }),
      fc.dictionary(fc.constantFrom(...TOPICS), fc.nat(8)),
      async (subscriptions, widths) => {
        const members = subscriptions.map((topics, index) => ({
          memberId: `m${index}`,
          instanceId: null,
          topics,
          owned: [],
          ownedGeneration: -1,
        }))
        const counts = new Map(Object.entries(widths))
        assert.deepEqual(newWorker(members, counts), await oldWorker(members, counts))
      },
    ),
  )
})

test('when an old worker joins a cooperative group, it gets no partition that a newer one still owns', () => {
  const kept: SubscribedMember = {
    memberId: 'new',
    instanceId: null,
    topics: ['a'],
    owned: [0, 1, 2].map((partition) => ({ topic: 'a', partition })),
    ownedGeneration: 3,
  }
  const old: SubscribedMember = {
    memberId: 'old',
    instanceId: null,
    topics: ['a'],
    owned: [],
    ownedGeneration: -1,
  }
  const counts = new Map([['a', 4]])
  assert.deepEqual(newWorker([kept, old], counts), { new: ['a/0', 'a/2'], old: ['a/3'] })
  assert.deepEqual(newWorker([{ ...kept, owned: [] }, old], counts), {
    new: ['a/0', 'a/2'],
    old: ['a/1', 'a/3'],
  })
})
