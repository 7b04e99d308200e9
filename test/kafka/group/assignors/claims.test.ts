// Simulates the cooperative protocol without brokers: with members that join, leave and lag behind, a partition never
// has two owners.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Assignor, SubscribedMember } from '../../../../src/kafka/group/assignors/assignor.ts'
import { BY_SUBSCRIPTION } from '../../../../src/kafka/group/assignors/by-subscription.ts'
import { COOPERATIVE_STICKY } from '../../../../src/kafka/group/assignors/cooperative-sticky.ts'
import { RANGE } from '../../../../src/kafka/group/assignors/range.ts'
import { keyOfPartition } from '../../../../src/kafka/group/partitions.ts'
import { chanceOf, type Chance } from '../../../support/values/chance.ts'

const COUNTS = new Map([
  ['a', 7],
  ['b', 4],
  ['c', 1],
])

/** Owned partitions by member id. */
type Group = Map<string, SubscribedMember>

function assertOneOwner(group: Group, step: string): void {
  const owners = new Map<string, string>()
  for (const { memberId, owned } of group.values()) {
    for (const key of owned.map(keyOfPartition)) {
      assert.equal(owners.get(key), undefined, `${step}: ${key} of ${memberId} has another owner`)
      owners.set(key, memberId)
    }
  }
}

/**
 * Runs one rebalance: assignments reach members one by one, and each step is checked. Returns whether a member must
 * rejoin.
 */
function rebalance(group: Group, generation: number, assignor: Assignor, chance: Chance): boolean {
  const claimed = [...group.values()]
  const assignment = assignor.assign(claimed, COUNTS)
  let again = false
  const unreached = [...group.keys()]
  while (unreached.length > 0) {
    const [memberId = ''] = unreached.splice(chance.int(unreached.length), 1)
    const member = group.get(memberId) as SubscribedMember
    // A response may be lost: the member keeps its partitions and rejoins with them.
    if (chance.once(8)) {
      again = true
      continue
    }
    const assigned = assignment.get(memberId) ?? []
    const keys = new Set(assigned.map(keyOfPartition))
    if (member.owned.some((partition) => !keys.has(keyOfPartition(partition)))) again = true
    group.set(memberId, { ...member, owned: assigned, ownedGeneration: generation })
    assertOneOwner(group, `generation ${generation} of ${assignor.name}`)
  }
  return again
}

test('property: a group never has two owners of a partition, and ends with all partitions owned', (t) => {
  const chance = chanceOf(t)
  for (let run = 0; run < 200; run++) {
    const group: Group = new Map()
    let generation = 0
    let names = 0
    const join = (): void => {
      const memberId = `m${names++}`
      const topics = ['a', 'b', 'c'].filter(() => !chance.once(3))
      group.set(memberId, { memberId, instanceId: null, topics, owned: [], ownedGeneration: -1 })
    }
    join()
    for (let step = 0; step < 15; step++) {
      if (chance.once(2)) join()
      if (chance.once(3) && group.size > 1) group.delete(chance.pick([...group.keys()]))
      // If an eager protocol is selected although members kept partitions, a new leader still assigns none twice.
      const assignor = chance.pick([COOPERATIVE_STICKY, COOPERATIVE_STICKY, BY_SUBSCRIPTION, RANGE])
      const rounds = chance.int(3)
      for (let round = 0; round < rounds; round++) rebalance(group, ++generation, assignor, chance)
    }
    let turns = 0
    while (rebalance(group, ++generation, COOPERATIVE_STICKY, chance)) {
      assert.ok(++turns < 200, 'it settles')
    }
    const owned = [...group.values()].reduce((sum, { owned }) => sum + owned.length, 0)
    const subscribed = new Set([...group.values()].flatMap(({ topics }) => topics))
    const expected = [...COUNTS].reduce((sum, [topic, count]) => sum + (subscribed.has(topic) ? count : 0), 0)
    assert.equal(owned, expected)
  }
})
