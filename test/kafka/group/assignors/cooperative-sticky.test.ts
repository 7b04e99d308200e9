import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MemberPartitions, SubscribedMember } from '../../../../src/kafka/group/assignors/assignor.ts'
import { COOPERATIVE_STICKY } from '../../../../src/kafka/group/assignors/cooperative-sticky.ts'
import { keyOfPartition, type TopicPartition } from '../../../../src/kafka/group/partitions.ts'

function member(
  memberId: string,
  topics: readonly string[],
  owned: readonly TopicPartition[] = [],
  ownedGeneration = owned.length === 0 ? -1 : 1,
): SubscribedMember {
  return { memberId, instanceId: null, topics, owned, ownedGeneration }
}

const at = (topic: string, ...partitions: number[]): TopicPartition[] =>
  partitions.map((partition) => ({ topic, partition }))

const keys = (assignment: MemberPartitions, memberId: string): string[] =>
  (assignment.get(memberId) ?? []).map(keyOfPartition)

/** Returns the owned partitions after rebalances until nothing changes. */
function converged(
  members: readonly SubscribedMember[],
  counts: ReadonlyMap<string, number>,
  roundsMax: number,
): { readonly members: readonly SubscribedMember[]; readonly rounds: number } {
  let now = members
  for (let rounds = 1; rounds <= roundsMax; rounds++) {
    const assignment = COOPERATIVE_STICKY.assign(now, counts)
    const next = now.map((one) => ({
      ...one,
      owned: assignment.get(one.memberId) ?? [],
      ownedGeneration: rounds + 1,
    }))
    const revoked = now.some(({ memberId, owned }) => {
      const got = new Set(keys(assignment, memberId))
      return owned.some((partition) => !got.has(keyOfPartition(partition)))
    })
    now = next
    if (!revoked) return { members: now, rounds }
  }
  assert.fail(`not settled after ${roundsMax} rounds`)
}

const TOPICS = ['a', 'b', 'c', 'd']

const groups = fc.record({
  counts: fc.dictionary(fc.constantFrom(...TOPICS), fc.integer({ min: 0, max: 13 })),
  subscriptions: fc.array(fc.subarray(TOPICS, { minLength: 1 }), { minLength: 1, maxLength: 7 }),
  owners: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 60, maxLength: 60 }),
})

/** Members that own random partitions, some of topics to which they no longer subscribe. */
function populated({
  counts,
  subscriptions,
  owners,
}: {
  counts: Record<string, number>
  subscriptions: string[][]
  owners: number[]
}): {
  members: SubscribedMember[]
  counts: Map<string, number>
} {
  const all = Object.entries(counts).flatMap(([topic, count]) => at(topic, ...Array(count).keys()))
  return {
    counts: new Map(Object.entries(counts)),
    members: subscriptions.map((topics, index) =>
      member(
        `m${index}`,
        topics,
        all.filter((_, i) => owners[i % owners.length] === index),
        1,
      ),
    ),
  }
}

/**
 * Returns the minimum sum of squared loads of any assignment, found by chains of every length over single partitions.
 */
function leastSumOfSquares(
  members: readonly SubscribedMember[],
  counts: ReadonlyMap<string, number>,
): number {
  // Minimum-cost flow: each partition in turn goes to the member with the lowest load that a chain reaches.
  const loads = members.map(() => 0)
  const held: { topic: string; owner: number }[] = []
  for (const [topic, count] of counts) {
    if (!members.some(({ topics }) => topics.includes(topic))) continue
    for (let i = 0; i < count; i++) {
      const from = new Map<
        number,
        { via: number | undefined; piece: { topic: string; owner: number } | undefined }
      >()
      const queue = members.flatMap(({ topics }, index) => (topics.includes(topic) ? [index] : []))
      for (const index of queue) from.set(index, { via: undefined, piece: undefined })
      for (const index of queue) {
        for (const piece of held.filter(({ owner }) => owner === index)) {
          for (const [other, { topics }] of members.entries()) {
            if (from.has(other) || !topics.includes(piece.topic)) continue
            from.set(other, { via: index, piece })
            queue.push(other)
          }
        }
      }
      const best = queue.reduce((a, b) => ((loads[b] as number) < (loads[a] as number) ? b : a))
      loads[best] = (loads[best] as number) + 1
      let to = best
      for (;;) {
        const { via, piece } = from.get(to) as {
          via: number | undefined
          piece: { owner: number } | undefined
        }
        if (via === undefined || piece === undefined) break
        piece.owner = to
        to = via
      }
      held.push({ topic, owner: to })
    }
  }
  return loads.reduce((sum, load) => sum + load ** 2, 0)
}

test('a first member gets all partitions of its topics', () => {
  const assignment = COOPERATIVE_STICKY.assign(
    [member('m', ['a', 'b'])],
    new Map([
      ['a', 2],
      ['b', 1],
      ['c', 5],
    ]),
  )
  assert.deepEqual(keys(assignment, 'm'), ['a/0', 'a/1', 'b/0'])
})

test('a partition that moves is assigned to no member until its owner has revoked it', () => {
  const counts = new Map([['a', 4]])
  const members = [member('m1', ['a'], at('a', 0, 1, 2, 3)), member('m2', ['a'])]
  const assignment = COOPERATIVE_STICKY.assign(members, counts)
  assert.equal(assignment.get('m1')?.length, 2)
  assert.deepEqual(assignment.get('m2'), [])
  const { members: settled, rounds } = converged(members, counts, 2)
  assert.equal(rounds, 2)
  assert.deepEqual(
    settled.map(({ owned }) => owned.length),
    [2, 2],
  )
})

test('of two claims, the one of the newer generation is valid; of claims of one generation, none is', () => {
  const counts = new Map([['a', 2]])
  const stale = [member('m1', ['a'], at('a', 0, 1), 4), member('m2', ['a'], at('a', 1), 5)]
  assert.deepEqual(Object.fromEntries(COOPERATIVE_STICKY.assign(stale, counts)), {
    m1: at('a', 0),
    m2: at('a', 1),
  })
  const equal = [member('m1', ['a'], at('a', 0, 1), 5), member('m2', ['a'], at('a', 1), 5)]
  assert.deepEqual(Object.fromEntries(COOPERATIVE_STICKY.assign(equal, counts)), { m1: at('a', 0), m2: [] })
})

test('a missing topic is ignored, even if a member still owns partitions of it', () => {
  const members = [member('m1', ['a', 'gone'], at('gone', 0)), member('m2', ['gone'])]
  const assignment = COOPERATIVE_STICKY.assign(members, new Map([['a', 1]]))
  assert.deepEqual(Object.fromEntries(assignment), { m1: at('a', 0), m2: [] })
})

test('partitions of each topic are balanced, not only their sum', () => {
  const counts = new Map(['a', 'b', 'c'].map((topic) => [topic, 4]))
  const assignment = COOPERATIVE_STICKY.assign(
    [member('m1', ['a', 'b', 'c']), member('m2', ['a', 'b', 'c'])],
    counts,
  )
  for (const topic of counts.keys()) {
    assert.equal(assignment.get('m1')?.filter((one) => one.topic === topic).length, 2)
  }
})

test('user data contain the generation for readers of older versions', () => {
  assert.deepEqual([...COOPERATIVE_STICKY.userData(258)], [0, 0, 1, 2])
  assert.deepEqual([...COOPERATIVE_STICKY.userData(-1)], [255, 255, 255, 255])
})

test('property: every partition of a subscribed topic ends with exactly one subscriber', () => {
  fc.assert(
    fc.property(groups, (group) => {
      const { members, counts } = populated(group)
      const { members: settled } = converged(members, counts, 3)
      const owned = settled.flatMap((one) => {
        for (const { topic } of one.owned) assert.ok(one.topics.includes(topic))
        return one.owned.map(keyOfPartition)
      })
      const expected = [...counts].flatMap(([topic, count]) =>
        members.some(({ topics }) => topics.includes(topic)) ? at(topic, ...Array(count).keys()) : [],
      )
      assert.deepEqual(owned.sort(), expected.map(keyOfPartition).sort())
    }),
    { numRuns: 500 },
  )
})

test('property: no other assignment is more balanced, and two rebalances suffice', () => {
  fc.assert(
    fc.property(groups, (group) => {
      const { members, counts } = populated(group)
      const { members: settled } = converged(members, counts, 2)
      const squares = settled.reduce((sum, { owned }) => sum + owned.length ** 2, 0)
      assert.equal(squares, leastSumOfSquares(members, counts))
    }),
    { numRuns: 500 },
  )
})

test('property: with equal subscriptions, loads differ by at most one', () => {
  fc.assert(
    fc.property(groups, (group) => {
      const { members, counts } = populated({
        ...group,
        subscriptions: group.subscriptions.map(() => TOPICS),
      })
      const loads = converged(members, counts, 2).members.map(({ owned }) => owned.length)
      assert.ok(Math.max(...loads) - Math.min(...loads) <= 1)
    }),
    { numRuns: 300 },
  )
})

test('property: in a stable group, a join moves at most its share, and a leave moves only the freed partitions', () => {
  fc.assert(
    fc.property(groups, fc.nat(), (group, leaver) => {
      const { members, counts } = populated({
        ...group,
        subscriptions: group.subscriptions.map(() => TOPICS),
      })
      const settled = converged(members, counts, 2).members
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
      const ownerOf = (group: readonly SubscribedMember[]): Map<string, string> =>
        new Map(group.flatMap(({ memberId, owned }) => owned.map((one) => [keyOfPartition(one), memberId])))
      const before = ownerOf(settled)

      const joined = ownerOf(converged([...settled, member('new', TOPICS)], counts, 2).members)
      const moved = [...joined].filter(([key, owner]) => before.get(key) !== owner)
      assert.ok(moved.every(([, owner]) => owner === 'new'))
      assert.ok(moved.length <= Math.ceil(total / (settled.length + 1)))

      const gone = settled[leaver % settled.length] as SubscribedMember
      const others = settled.filter((one) => one !== gone)
      if (others.length === 0) return
      const left = ownerOf(converged(others, counts, 1).members)
      for (const [key, owner] of left) {
        if (before.get(key) !== gone.memberId) assert.equal(owner, before.get(key))
      }
    }),
    { numRuns: 300 },
  )
})

test('10,000 partitions of 200 topics are assigned to 1,000 members within seconds', () => {
  const topics = Array.from({ length: 200 }, (_, i) => `t${i}`)
  const counts = new Map(topics.map((topic) => [topic, 50]))
  const members = Array.from({ length: 1000 }, (_, i) =>
    member(`m${i}`, topics.slice(0, 1 + (i % 200)), i === 0 ? at('t0', ...Array(50).keys()) : []),
  )
  const assignment = COOPERATIVE_STICKY.assign(members, counts)
  const given = [...assignment.values()].reduce((sum, partitions) => sum + partitions.length, 0)
  assert.ok(given >= 10_000 - 50 && given <= 10_000)
})
