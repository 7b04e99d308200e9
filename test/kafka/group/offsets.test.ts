import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OffsetCommitResult, CommittedOffset } from '../../../src/kafka/group/offsets.ts'
import { partitionsOf, ScriptedCoordinator } from './support/scripted-coordinator.ts'
import { codeOf } from './support/wire-link.ts'

const NEVER = new Promise<never>(() => undefined)

async function joined(
  versions: ConstructorParameters<typeof ScriptedCoordinator>[0] = {},
): Promise<{ coordinator: ScriptedCoordinator; member: ReturnType<ScriptedCoordinator['member']> }> {
  const coordinator = new ScriptedCoordinator(versions)
  const member = coordinator.member({ groupInstanceId: 'i1' })
  await coordinator.clock.advance(1)
  return { coordinator, member }
}

test('offsets are committed with generation, member, instance and leader epoch', async () => {
  const { coordinator, member } = await joined()
  const positions = member.owned().map((one) => ({ ...one, next: 5n, leaderEpoch: 3, metadata: 'note' }))
  const committed = member.commit(positions)
  await coordinator.clock.advance(1)
  assert.deepEqual(await committed, { committed: partitionsOf('a', 0, 1), abandoned: [], refused: [] })
  const [sent] = coordinator.sent('OffsetCommit')
  assert.equal(sent?.generationIdOrMemberEpoch, 1)
  assert.equal(sent.memberId, 'm1')
  assert.equal(sent.groupInstanceId, 'i1')
  assert.deepEqual(sent.topics[0]?.partitions[1], {
    partitionIndex: 1,
    committedOffset: 5n,
    committedLeaderEpoch: 3,
    committedMetadata: 'note',
  })
})

test('offsets of a partition that was lost meanwhile are skipped', async () => {
  const { coordinator, member } = await joined()
  const positions = member.owned().map((one) => ({ ...one, next: 5n }))
  coordinator.assigned = partitionsOf('a', 1)
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  await coordinator.clock.advance(3_001)
  const committed = member.commit(positions)
  await coordinator.clock.advance(1)
  assert.deepEqual(await committed, {
    committed: partitionsOf('a', 1),
    abandoned: partitionsOf('a', 0),
    refused: [],
  })
  await member.commit(positions.slice(0, 1))
  assert.equal(coordinator.sent('OffsetCommit').length, 1, 'no request without owned partitions')
})

test('a refusal of one partition does not affect the others', async () => {
  const { coordinator, member } = await joined()
  coordinator.next('OffsetCommit', () => ({
    topics: [
      {
        name: 'a',
        partitions: [
          { partitionIndex: 0, errorCode: codeOf('TOPIC_AUTHORIZATION_FAILED') },
          { partitionIndex: 1, errorCode: 0 },
        ],
      },
    ],
  }))
  const committed = member.commit(member.owned().map((one) => ({ ...one, next: 5n })))
  await coordinator.clock.advance(1)
  const expected: OffsetCommitResult = {
    committed: partitionsOf('a', 1),
    abandoned: [],
    refused: [{ topic: 'a', partition: 0, error: 'TOPIC_AUTHORIZATION_FAILED' }],
  }
  assert.deepEqual(await committed, expected)
})

test('a commit without a response fails after five seconds, and a read of committed offsets after thirty', async () => {
  const { coordinator, member } = await joined()
  coordinator.next('OffsetCommit', () => NEVER)
  const committed = member.commit(member.owned().map((one) => ({ ...one, next: 5n })))
  const refused = assert.rejects(committed, /did not accept the offset commit within 5000 ms/)
  await coordinator.clock.advance(5_001)
  await refused
  assert.deepEqual(coordinator.recording.failures, [])
  const other = new ScriptedCoordinator()
  other.next('OffsetFetch', () => NEVER)
  const waiting = other.member()
  await other.clock.advance(1)
  const silent = assert.rejects(
    waiting.committedOffsets(partitionsOf('a', 0)),
    /did not return the committed offsets within 30000 ms/,
  )
  await other.clock.advance(30_001)
  await silent
})

test('partitions without a committed offset are omitted, and old brokers get requests in their versions', async () => {
  const kept: CommittedOffset[] = [{ topic: 'a', partition: 0, next: 7n, leaderEpoch: 3, metadata: '' }]
  const { coordinator, member } = await joined()
  const read = member.committedOffsets(partitionsOf('a', 0, 1))
  await coordinator.clock.advance(1)
  assert.deepEqual(await read, kept)
  assert.equal(coordinator.sent('OffsetFetch')[0]?.requireStable, true)
  for (const version of [1, 5, 7]) {
    const old = await joined({ OffsetFetch: version })
    old.coordinator.next('OffsetFetch', (request) => ({
      topics:
        request.api !== 'OffsetFetch'
          ? []
          : (request.body.topics ?? []).map(({ name, partitionIndexes }) => ({
              name,
              partitions: partitionIndexes.map((partitionIndex) => ({
                partitionIndex,
                committedOffset: partitionIndex === 0 ? 7n : -1n,
                committedLeaderEpoch: version >= 5 ? 3 : -1,
                metadata: '',
                errorCode: 0,
              })),
            })),
    }))
    const answered = old.member.committedOffsets(partitionsOf('a', 0, 1))
    await old.coordinator.clock.advance(1)
    assert.deepEqual(await answered, [{ ...kept[0], leaderEpoch: version >= 5 ? 3 : -1 }])
  }
})
