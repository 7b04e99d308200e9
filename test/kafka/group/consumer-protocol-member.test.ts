import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SentResponse } from '../../../src/kafka/wire/apis.ts'
import type { AnyRequest } from './support/wire-link.ts'
import { brokenConnection, topicIdOf } from './support/wire-link.ts'
import {
  describedGroup,
  partitionsOf,
  ScriptedCoordinator,
  targetOf,
} from './support/scripted-coordinator.ts'

const NEVER = new Promise<never>(() => undefined)

/** Starts a member that takes a/0 and a/1. */
async function settled(
  options: Parameters<ScriptedCoordinator['member']>[0] = {},
): Promise<{ coordinator: ScriptedCoordinator; member: ReturnType<ScriptedCoordinator['member']> }> {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member({ protocol: 'consumer', ...options })
  await coordinator.clock.advance(1)
  return { coordinator, member }
}

/** Sets the target that the next heartbeat returns. */
function target(coordinator: ScriptedCoordinator, epoch: number, topic: string, ...numbers: number[]): void {
  coordinator.next('ConsumerGroupHeartbeat', () => ({
    throttleTimeMs: 0,
    errorCode: 0,
    memberEpoch: epoch,
    heartbeatIntervalMs: 1_000,
    assignment: targetOf(partitionsOf(topic, ...numbers)),
  }))
}

const numbersOf = (coordinator: ScriptedCoordinator): (readonly number[] | null)[] =>
  coordinator
    .sent('ConsumerGroupHeartbeat')
    .map(({ topicPartitions }) => topicPartitions?.flatMap(({ partitions }) => partitions) ?? null)

test('a member joins with its full state, takes free partitions, and reports them', async () => {
  const { coordinator, member } = await settled({ rackId: 'r1', serverAssignor: 'uniform' })
  const [join, acknowledgement] = coordinator.sent('ConsumerGroupHeartbeat')
  assert.deepEqual(join, {
    groupId: 'g',
    memberId: 'made-here',
    memberEpoch: 0,
    instanceId: null,
    rackId: 'r1',
    rebalanceTimeoutMs: 60_000,
    subscribedTopicNames: ['a'],
    subscribedTopicRegex: null,
    serverAssignor: 'uniform',
    topicPartitions: [],
  })
  assert.equal(acknowledgement?.memberEpoch, 1)
  assert.equal(acknowledgement.subscribedTopicNames, null)
  assert.deepEqual(acknowledgement.topicPartitions, [{ topicId: topicIdOf('a'), partitions: [0, 1] }])
  assert.deepEqual(coordinator.recording.news(), ['assign a/0 a/1'])
  const { state, memberId, generation, protocol, assignor } = member.status()
  assert.deepEqual(
    { state, memberId, generation, protocol, assignor },
    { state: 'stable', memberId: 'made-here', generation: 1, protocol: 'consumer', assignor: 'uniform' },
  )
})

test('heartbeats have the interval of the coordinator and repeat no state', async () => {
  const { coordinator } = await settled()
  const before = coordinator.sent('ConsumerGroupHeartbeat').length
  await coordinator.clock.advance(10_000)
  assert.deepEqual(numbersOf(coordinator).slice(before), Array(10).fill(null))
})

test('a member revokes partitions, acknowledges this, and takes new ones', async () => {
  const { coordinator, member } = await settled()
  const [, second] = member.owned()
  coordinator.recording.news()
  let release = (): void => undefined
  coordinator.recording.revoking = () => new Promise((resolve) => (release = resolve))
  target(coordinator, 1, 'a', 1)
  await coordinator.clock.advance(5_000)
  assert.equal(member.status().state, 'reconciling')
  // Heartbeats continue and do not yet report a/0 as revoked.
  assert.deepEqual(numbersOf(coordinator).slice(2), [null, null, null, null, null])
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0'])
  target(coordinator, 2, 'a', 1, 2)
  release()
  await coordinator.clock.advance(1)
  assert.deepEqual(numbersOf(coordinator).slice(-2), [[1], [1, 2]])
  assert.deepEqual(coordinator.recording.news(), ['assign a/2'])
  assert.ok(second !== undefined && member.owns(second), 'what stays keeps its epoch')
  assert.equal(member.status().state, 'stable')
  assert.equal(member.status().generation, 2)
})

test('a target that changes during a revocation is applied in its newest form', async () => {
  const { coordinator } = await settled()
  coordinator.recording.news()
  coordinator.recording.revoking = () => coordinator.clock.sleep(2_500)
  target(coordinator, 1, 'a', 1)
  target(coordinator, 1, 'a', 3)
  await coordinator.clock.advance(6_100)
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0', 'revoke a/1', 'assign a/3'])
  assert.deepEqual(numbersOf(coordinator).at(-1), [3])
})

test('a revocation that exceeds its maximum time is ended and acknowledged', async () => {
  const { coordinator, member } = await settled({ rebalanceTimeoutMs: 10_000 })
  coordinator.recording.news()
  coordinator.recording.revoking = () => NEVER
  target(coordinator, 1, 'a', 1)
  await coordinator.clock.advance(1_000 + 5_001)
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0', 'lost a/0'])
  assert.equal(member.status().state, 'stable')
  assert.ok(numbersOf(coordinator).some((numbers) => numbers?.join() === '1'))
})

test('partitions of a topic are taken once its name is known', async () => {
  const { coordinator, member } = await settled({ topics: ['a', 'b'] })
  coordinator.recording.news()
  target(coordinator, 2, 'b', 0)
  await coordinator.clock.advance(3_000)
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0 a/1'])
  assert.equal(member.status().state, 'reconciling')
  coordinator.topics.set('b', 1)
  await coordinator.clock.advance(1_001)
  assert.deepEqual(coordinator.recording.news(), ['assign b/0'])
  assert.equal(member.status().state, 'stable')
})

test('a topic that was created again is another topic: the old partition is revoked and the new one taken', async () => {
  const { coordinator, member } = await settled()
  coordinator.recording.news()
  const [old] = member.owned()
  const anew = 'f'.repeat(32)
  const metadata = coordinator.cluster.metadata.bind(coordinator.cluster)
  coordinator.cluster.metadata = async (topics) => {
    const known = await metadata(topics)
    const places = [...known.topics].map(([name, one]) => [name, { ...one, topicId: anew }] as const)
    return { ...known, topics: new Map(places) }
  }
  coordinator.next('ConsumerGroupHeartbeat', () => ({
    throttleTimeMs: 0,
    errorCode: 0,
    memberEpoch: 2,
    heartbeatIntervalMs: 1_000,
    assignment: { topicPartitions: [{ topicId: anew, partitions: [0] }] },
  }))
  await coordinator.clock.advance(1_001)
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0 a/1', 'assign a/0'])
  assert.ok(old !== undefined && !member.owns(old))
  assert.deepEqual(coordinator.sent('ConsumerGroupHeartbeat').at(-1)?.topicPartitions, [
    { topicId: anew, partitions: [0] },
  ])
})

test('after a lost response, the next heartbeat contains the full state', async () => {
  const { coordinator } = await settled()
  coordinator.next('ConsumerGroupHeartbeat', () => Promise.reject(brokenConnection()))
  await coordinator.clock.advance(1_200)
  const last = coordinator.sent('ConsumerGroupHeartbeat').at(-1)
  assert.equal(last?.memberEpoch, 1)
  assert.deepEqual(last.subscribedTopicNames, ['a'])
  assert.equal(last.rebalanceTimeoutMs, 60_000)
  assert.deepEqual(last.topicPartitions, [{ topicId: topicIdOf('a'), partitions: [0, 1] }])
})

test('a fenced member loses all partitions without a commit, and joins with epoch 0 and no partitions', async () => {
  const { coordinator, member } = await settled()
  const [first] = member.owned()
  coordinator.recording.news()
  coordinator.refuse('ConsumerGroupHeartbeat', 'FENCED_MEMBER_EPOCH')
  await coordinator.clock.advance(1_500)
  assert.deepEqual(coordinator.recording.news(), ['lost a/0 a/1', 'assign a/0 a/1'])
  assert.ok(first !== undefined && !member.owns(first))
  const rejoin = coordinator
    .sent('ConsumerGroupHeartbeat')
    .find(({ memberEpoch }, i) => i > 0 && memberEpoch === 0)
  assert.deepEqual(rejoin?.topicPartitions, [])
  assert.deepEqual(rejoin.subscribedTopicNames, ['a'])
})

test('commits carry the member epoch, and one with a stale epoch is sent again', async () => {
  const { coordinator, member } = await settled()
  coordinator.next('OffsetCommit', (request: AnyRequest): SentResponse<'OffsetCommit'> => {
    const body = request.api === 'OffsetCommit' ? request.body : undefined
    return coordinator.commitAnswer(body ?? assert.fail(), 113)
  })
  target(coordinator, 5, 'a', 0, 1)
  await coordinator.clock.advance(900)
  const committed = member.commit(member.owned().map((one) => ({ ...one, next: 3n })))
  await coordinator.clock.advance(200)
  assert.equal((await committed).committed.length, 2)
  assert.deepEqual(
    coordinator.sent('OffsetCommit').map(({ generationIdOrMemberEpoch }) => generationIdOrMemberEpoch),
    [1, 5],
  )
})

test('a member that is stopped hands over and leaves with the epoch for static or dynamic members', async () => {
  for (const [options, forGood, epoch] of [
    [{}, false, -1],
    [{ groupInstanceId: 'i1' }, false, -2],
    [{ groupInstanceId: 'i1' }, true, -1],
  ] as const) {
    const { coordinator, member } = await settled(options)
    coordinator.recording.news()
    const stopped = member.stop({ forGood })
    await coordinator.clock.advance(1)
    await stopped
    assert.deepEqual(coordinator.recording.news(), ['revoke a/0 a/1'])
    assert.equal(coordinator.sent('ConsumerGroupHeartbeat').at(-1)?.memberEpoch, epoch)
    assert.equal(member.status().state, 'left')
    assert.equal(coordinator.clock.sleepers, 0)
  }
})

test('a new static member sends the leave of the one that was killed, and joins at once', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.refuse('ConsumerGroupHeartbeat', 'UNRELEASED_INSTANCE_ID')
  const killed = { memberId: 'killed', instanceId: 'i1', memberEpoch: 3 }
  coordinator.next('ConsumerGroupDescribe', () => ({
    groups: [describedGroup([{ memberId: 'other', instanceId: 'i2', memberEpoch: 3 }, killed])],
  }))
  const member = coordinator.member({ protocol: 'consumer', groupInstanceId: 'i1' })
  await coordinator.clock.advance(1)
  assert.deepEqual(
    coordinator
      .sent('ConsumerGroupHeartbeat')
      .slice(0, 3)
      .map(({ memberId, memberEpoch, instanceId }) => [memberId, memberEpoch, instanceId]),
    [
      ['made-here', 0, 'i1'],
      ['killed', -2, 'i1'],
      ['made-here', 0, 'i1'],
    ],
  )
  assert.equal(member.status().state, 'stable')
  assert.deepEqual(coordinator.recording.news(), ['assign a/0 a/1'])
})

test('a static member whose join was accepted without a response joins again under its own id', async () => {
  const { coordinator, member } = await settled({ groupInstanceId: 'i1' })
  coordinator.recording.news()
  coordinator.refuse('ConsumerGroupHeartbeat', 'FENCED_MEMBER_EPOCH')
  coordinator.refuse('ConsumerGroupHeartbeat', 'UNRELEASED_INSTANCE_ID')
  coordinator.next('ConsumerGroupDescribe', () => ({
    groups: [describedGroup([{ memberId: 'made-here', instanceId: 'i1', memberEpoch: 9 }])],
  }))
  await coordinator.clock.advance(1_500)
  assert.deepEqual(coordinator.recording.news(), ['lost a/0 a/1', 'assign a/0 a/1'])
  assert.equal(member.status().state, 'stable')
})

test('a static member that joined before takes its instance id from no other', async () => {
  const { coordinator } = await settled({ groupInstanceId: 'i1' })
  coordinator.refuse('ConsumerGroupHeartbeat', 'UNKNOWN_MEMBER_ID')
  for (let attempt = 0; attempt < 2_000; attempt++) {
    coordinator.refuse('ConsumerGroupHeartbeat', 'UNRELEASED_INSTANCE_ID')
    coordinator.next('ConsumerGroupDescribe', () => ({
      groups: [describedGroup([{ memberId: 'newer', instanceId: 'i1', memberEpoch: 1 }])],
    }))
  }
  await coordinator.clock.advance(100_000)
  assert.ok(coordinator.sent('ConsumerGroupHeartbeat').every(({ memberEpoch }) => memberEpoch !== -2))
  assert.match(coordinator.failure().message, /instance id i1 of group g still belongs to another member/)
})

test('heartbeats continue while a stopping member hands over', async () => {
  const { coordinator, member } = await settled()
  const before = coordinator.sent('ConsumerGroupHeartbeat').length
  coordinator.recording.revoking = () => coordinator.clock.sleep(5_500)
  const stopped = member.stop()
  await coordinator.clock.advance(5_600)
  await stopped
  assert.equal(coordinator.sent('ConsumerGroupHeartbeat').length, before + 5 + 1)
})

test('an error names brokers without the consumer protocol', async () => {
  const coordinator = new ScriptedCoordinator({ ConsumerGroupHeartbeat: undefined })
  coordinator.member({ protocol: 'consumer' })
  await coordinator.clock.advance(1)
  assert.match(
    coordinator.failure().message,
    /do not support the group protocol "consumer"; set kafka.groupProtocol/,
  )
  assert.equal(coordinator.clock.sleepers, 0)
})
