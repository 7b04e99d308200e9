import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ResponseBody } from '../../../src/kafka/wire/apis.ts'
import { MetadataCache, CACHED_TOPICS_MAX } from '../../../src/kafka/wire/metadata-cache.ts'
import { NO_UUID } from '../../../src/kafka/wire/schema.ts'

type Answer = ResponseBody<'Metadata'>

const ID = 'ab'.repeat(16)
const OTHER_ID = 'cd'.repeat(16)
const VERSION = 13

interface Leader {
  readonly leaderId: number
  readonly leaderEpoch: number
}

function answer(leaders: readonly Leader[], { topicId = ID, errorCode = 0, name = 'events' } = {}): Answer {
  return {
    ...{
      throttleTimeMs: 0,
      clusterId: 'cluster',
      controllerId: 1,
      clusterAuthorizedOperations: 0,
      errorCode: 0,
    },
    brokers: [1, 2].map((nodeId) => ({ nodeId, host: `kafka-${nodeId}`, port: 9092, rack: null })),
    topics: [
      {
        ...{ errorCode, name, topicId, isInternal: false, topicAuthorizedOperations: 0 },
        partitions: leaders.map(({ leaderId, leaderEpoch }, partitionIndex) => ({
          ...{ errorCode: 0, partitionIndex, leaderId, leaderEpoch },
          ...{ replicaNodes: [1, 2], isrNodes: [1], offlineReplicas: [] },
        })),
      },
    ],
  }
}

function leaderIn(memory: MetadataCache, partition = 0): Leader | undefined {
  const place = memory.get(['events']).topics.get('events')?.partitions[partition]
  return place && { leaderId: place.leaderId, leaderEpoch: place.leaderEpoch }
}

test('A newer epoch updates the leader, an older one is ignored', () => {
  const memory = new MetadataCache()
  memory.update(answer([{ leaderId: 1, leaderEpoch: 5 }]), VERSION, 0)
  memory.update(answer([{ leaderId: 2, leaderEpoch: 4 }]), VERSION, 1)
  assert.deepEqual(leaderIn(memory), { leaderId: 1, leaderEpoch: 5 })
  memory.update(answer([{ leaderId: 2, leaderEpoch: 6 }]), VERSION, 2)
  assert.deepEqual(leaderIn(memory), { leaderId: 2, leaderEpoch: 6 })
})

test('A response without epochs is used, and a stale one after it is not', () => {
  const memory = new MetadataCache()
  memory.update(answer([{ leaderId: 1, leaderEpoch: 5 }]), VERSION, 0)
  memory.update(answer([{ leaderId: -1, leaderEpoch: -1 }]), VERSION, 1)
  assert.deepEqual(leaderIn(memory), { leaderId: -1, leaderEpoch: -1 })
  memory.update(answer([{ leaderId: 2, leaderEpoch: 4 }]), VERSION, 2)
  assert.deepEqual(leaderIn(memory), { leaderId: -1, leaderEpoch: 5 })
  memory.update(answer([{ leaderId: 2, leaderEpoch: 5 }]), VERSION, 3)
  assert.deepEqual(leaderIn(memory), { leaderId: 2, leaderEpoch: 5 })
})

test('Epochs of unreliable versions are ignored', () => {
  const memory = new MetadataCache()
  memory.update(answer([{ leaderId: 1, leaderEpoch: 5 }]), 8, 0)
  assert.deepEqual(leaderIn(memory), { leaderId: 1, leaderEpoch: -1 })
})

test('A topic that was created again starts with its own epochs; a missing one keeps them', () => {
  const memory = new MetadataCache()
  memory.update(answer([{ leaderId: 1, leaderEpoch: 5 }]), VERSION, 0)
  memory.update(answer([], { topicId: NO_UUID, errorCode: 3 }), VERSION, 1)
  assert.equal(memory.get(['events']).topics.get('events')?.errorCode, 3)
  assert.equal(memory.isFresh('events', 0), false)
  memory.update(answer([{ leaderId: 2, leaderEpoch: 1 }]), VERSION, 2)
  assert.deepEqual(leaderIn(memory), { leaderId: -1, leaderEpoch: 5 })
  memory.update(answer([{ leaderId: 2, leaderEpoch: 0 }], { topicId: OTHER_ID }), VERSION, 3)
  assert.deepEqual(leaderIn(memory), { leaderId: 2, leaderEpoch: 0 })
})

test('The leader epoch never decreases, with responses and hints in any order', () => {
  const leaders = fc.record({
    leaderId: fc.integer({ min: -1, max: 3 }),
    leaderEpoch: fc.integer({ min: -1, max: 9 }),
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), leaders), { maxLength: 20 }), (steps) => {
      const memory = new MetadataCache()
      let newest = -1
      for (const [isHint, leader] of steps) {
        if (isHint) memory.learnLeader({ topic: 'events', partitionIndex: 0, ...leader })
        else memory.update(answer([leader]), VERSION, 0)
        const { leaderEpoch = -1, leaderId = -1 } = leaderIn(memory) ?? {}
        if (leaderEpoch >= 0) {
          assert.ok(leaderEpoch >= newest)
          // A leader is stored with the epoch of the same message.
          assert.ok(
            leaderId === -1 ||
              steps.some(([, one]) => one.leaderId === leaderId && one.leaderEpoch === leaderEpoch),
          )
        }
        newest = Math.max(newest, leaderEpoch)
      }
    }),
  )
})

test('A leader named in a response is used with its address', () => {
  const memory = new MetadataCache()
  memory.update(
    answer([
      { leaderId: 1, leaderEpoch: 5 },
      { leaderId: 1, leaderEpoch: 7 },
    ]),
    VERSION,
    0,
  )
  const node = { nodeId: 9, host: 'kafka-9', port: 9092, rack: 'a' }
  memory.learnLeader({ topic: 'events', partitionIndex: 1, leaderId: 9, leaderEpoch: 8, node })
  memory.learnLeader({ topic: 'other', partitionIndex: 0, leaderId: 9, leaderEpoch: 8 })
  assert.deepEqual(leaderIn(memory, 0), { leaderId: 1, leaderEpoch: 5 })
  assert.deepEqual(leaderIn(memory, 1), { leaderId: 9, leaderEpoch: 8 })
  assert.deepEqual(memory.node(9), node)
  memory.learnLeader({ topic: 'events', partitionIndex: 1, leaderId: 1, leaderEpoch: 8 })
  assert.deepEqual(leaderIn(memory, 1), { leaderId: 9, leaderEpoch: 8 })
  assert.equal(memory.get(['other']).topics.size, 0)
})

test('Partitions are in ascending order', () => {
  const memory = new MetadataCache()
  const told = answer([0, 1, 2].map(() => ({ leaderId: 1, leaderEpoch: 1 })))
  const [topic] = told.topics
  assert.ok(topic !== undefined)
  memory.update({ ...told, topics: [{ ...topic, partitions: [...topic.partitions].reverse() }] }, VERSION, 0)
  const places = memory.get(['events']).topics.get('events')?.partitions ?? []
  assert.deepEqual(
    places.map(({ partitionIndex }) => partitionIndex),
    [0, 1, 2],
  )
})

test('At the maximum number of topics, the oldest are evicted', () => {
  const memory = new MetadataCache()
  for (let i = 0; i <= CACHED_TOPICS_MAX; i++) memory.update(answer([], { name: `t${i}` }), VERSION, 0)
  assert.equal(memory.isFresh('t0', 0), false)
  assert.equal(memory.isFresh('t1', 0), true)
  assert.equal(memory.isFresh(`t${CACHED_TOPICS_MAX}`, 0), true)
  assert.equal(memory.isFresh(`t${CACHED_TOPICS_MAX}`, 1), false)
})
