import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { decodeSubscription } from '../../../src/kafka/group/subscription.ts'
import { partitionsOf, ScriptedCoordinator } from './support/scripted-coordinator.ts'
import { brokenConnection, codeOf } from './support/wire-link.ts'

const NEVER = new Promise<never>(() => undefined)

test('a member uses the id that it is given, joins, and owns its assigned partitions', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  assert.deepEqual(
    coordinator.sent('JoinGroup').map(({ memberId }) => memberId),
    ['', 'm1'],
  )
  const [, join] = coordinator.sent('JoinGroup')
  assert.deepEqual(
    join?.protocols.map(({ name }) => name),
    ['cooperative-sticky', 'kafka-delta-by-subscription', 'range'],
  )
  assert.deepEqual(coordinator.recording.news(), ['assign a/0 a/1'])
  const { state, memberId, generation, assignor, coordinator: node, partitions } = member.status()
  assert.deepEqual(
    { state, memberId, generation, assignor, node, partitions },
    {
      state: 'stable',
      memberId: 'm1',
      generation: 1,
      assignor: 'cooperative-sticky',
      node: 1,
      partitions: 2,
    },
  )
  assert.deepEqual(
    coordinator.recording.events.map(({ kind }) => kind),
    ['rebalancing', 'coordinator', 'joined', 'assigned', 'settled'],
  )
})

test('a leader assigns partitions with regard to owned ones, and sends an assignment for each member', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.isLeader = true
  coordinator.next('SyncGroup', (request) => {
    const assignments = request.api === 'SyncGroup' ? request.body.assignments : []
    assert.deepEqual(
      assignments.map(({ memberId }) => memberId),
      ['m1'],
    )
    return { errorCode: 0, assignment: assignments[0]?.assignment ?? new Uint8Array(0) }
  })
  const member = coordinator.member({ topics: ['a', 'gone'] })
  await coordinator.clock.advance(1)
  assert.deepEqual(coordinator.recording.news(), ['assign a/0 a/1 a/2 a/3'])
  assert.equal(member.status().isLeader, true)
})

test('a restarted static leader does not compute an assignment that stays valid (KIP-814)', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.isLeader = true
  coordinator.next('JoinGroup', (request) => ({
    ...(coordinator.healthy(request) as object),
    skipAssignment: true,
  }))
  coordinator.member({ groupInstanceId: 'i1' })
  await coordinator.clock.advance(1)
  assert.deepEqual(coordinator.sent('SyncGroup')[0]?.assignments, [])
  // It still checks for changes of its topics.
  coordinator.topics.set('a', 6)
  await coordinator.clock.advance(30_000)
  assert.equal(coordinator.sent('JoinGroup').length, 2)
})

test('a leader starts a rebalance when a topic grows, is deleted or is created', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.isLeader = true
  coordinator.member({ topics: ['a', 'later'], watchMs: 10_000 })
  await coordinator.clock.advance(9_000)
  const joins = (): number => coordinator.sent('JoinGroup').length
  const before = joins()
  for (const change of [
    () => coordinator.topics.set('a', 5),
    () => coordinator.topics.set('later', 1),
    () => coordinator.topics.delete('a'),
  ]) {
    const sofar = joins()
    await coordinator.clock.advance(10_000)
    assert.equal(joins(), sofar)
    change()
    await coordinator.clock.advance(10_000)
    assert.equal(joins(), sofar + 1)
  }
  assert.equal(joins(), before + 3)
  assert.match(coordinator.sent('JoinGroup').at(-1)?.reason ?? '', /topic a has 0 partitions instead of 5/)
})

test('a leader whose check for topics cannot succeed ends its membership, and repeats one that can', async () => {
  for (const retryable of [true, false]) {
    const coordinator = new ScriptedCoordinator()
    coordinator.isLeader = true
    const member = coordinator.member({ watchMs: 10_000 })
    await coordinator.clock.advance(9_000)
    const refused = new PipelineError('KD_KAFKA_AUTH_FAILED', 'refused', {}, { retryable })
    const { cluster } = coordinator
    cluster.metadata = () => Promise.reject(refused)
    await coordinator.clock.advance(15_000)
    assert.equal(member.status().state, retryable ? 'stable' : 'failed')
    assert.deepEqual(coordinator.recording.failures, retryable ? [] : [refused])
  }
})

test('in a cooperative rebalance, kept partitions are not touched, and others are revoked before the member rejoins', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  const [first] = member.owned()
  coordinator.recording.news()
  coordinator.assigned = partitionsOf('a', 0)
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  await coordinator.clock.advance(3_001)
  assert.deepEqual(coordinator.recording.news(), ['revoke a/1'])
  const owned = coordinator
    .sent('JoinGroup')
    .map(({ protocols }) => decodeSubscription(protocols[0]?.metadata ?? new Uint8Array(0)))
    .map((one) => `${one.ownedGeneration}: ${one.owned.map(({ partition }) => partition).join(' ')}`)
  // The last two are the rebalance that others started, and the one that frees a/1.
  assert.deepEqual(owned, ['-1: ', '-1: ', '1: 0 1', '2: 0'])
  assert.ok(first !== undefined && member.owns(first))
  assert.equal(member.status().state, 'stable')
})

test('after an eager generation, all partitions are revoked before the member rejoins', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.protocolName = 'kafka-delta-by-subscription'
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  const [first] = member.owned()
  coordinator.recording.news()
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  await coordinator.clock.advance(3_001)
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0 a/1', 'assign a/0 a/1'])
  assert.ok(first !== undefined && !member.owns(first), 'late work is recognised')
  const subscription = coordinator.sent('JoinGroup').at(-1)?.protocols[0]?.metadata
  assert.deepEqual(decodeSubscription(subscription ?? new Uint8Array(0)).owned, [])
})

test('when an old worker makes the group eager, a follower revokes all partitions before the assignment, and rejoins for missing ones', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.recording.news()
  coordinator.protocolName = 'kafka-delta-by-subscription'
  coordinator.assigned = partitionsOf('a', 0)
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  const order: string[] = []
  coordinator.recording.revoking = () => {
    order.push(`revoked after ${coordinator.sent('SyncGroup').length} assignments`)
    return Promise.resolve()
  }
  await coordinator.clock.advance(3_001)
  assert.deepEqual(order[0], 'revoked after 1 assignments')
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0 a/1', 'assign a/0', 'revoke a/0', 'assign a/0'])
  assert.equal(coordinator.sent('JoinGroup').length, 4)
})

test('heartbeats continue during a slow revocation', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.assigned = partitionsOf('a', 1)
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  coordinator.recording.revoking = () => coordinator.clock.sleep(20_000)
  await coordinator.clock.advance(3_001)
  const before = coordinator.sent('Heartbeat').length
  await coordinator.clock.advance(18_000)
  assert.equal(coordinator.sent('Heartbeat').length, before + 6)
  assert.equal(coordinator.sent('JoinGroup').length, 3)
  await coordinator.clock.advance(2_100)
  assert.equal(coordinator.sent('JoinGroup').length, 4)
})

test('after the maximum time of a revocation its partitions are lost, and the member continues', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member({ rebalanceTimeoutMs: 10_000 })
  await coordinator.clock.advance(1)
  coordinator.recording.news()
  coordinator.assigned = partitionsOf('a', 1)
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  let aborted = false
  coordinator.recording.revoking = (_, signal) => {
    signal.addEventListener('abort', () => (aborted = true))
    return NEVER
  }
  await coordinator.clock.advance(3_001)
  assert.equal(member.status().state, 'reconciling')
  await coordinator.clock.advance(5_000)
  assert.ok(aborted)
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0', 'lost a/0'])
  assert.equal(member.status().state, 'stable')
})

test('a member that the coordinator removes during a revocation loses all partitions at once', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.recording.news()
  coordinator.assigned = partitionsOf('a', 1)
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  coordinator.recording.revoking = () => NEVER
  await coordinator.clock.advance(3_001)
  coordinator.refuse('Heartbeat', 'UNKNOWN_MEMBER_ID')
  await coordinator.clock.advance(3_001)
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0', 'lost a/0 a/1', 'assign a/1'])
  assert.equal(member.status().memberId, 'm2')
})

test('a static member that restarts with other topics rejoins', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.topics.set('b', 1)
  // The coordinator returns the assignment of the previous process.
  const member = coordinator.member({ groupInstanceId: 'i1', topics: ['b'] })
  coordinator.next('SyncGroup', (request) => {
    const answer = coordinator.healthy(request)
    coordinator.assigned = partitionsOf('b', 0)
    return answer
  })
  await coordinator.clock.advance(1)
  assert.deepEqual(coordinator.recording.news(), ['assign b/0'])
  assert.equal(coordinator.sent('JoinGroup').length, 2)
  assert.equal(member.status().state, 'stable')
})

test('commits are not delayed by a pending join', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  coordinator.next('JoinGroup', () => NEVER)
  await coordinator.clock.advance(3_001)
  assert.equal(member.status().state, 'joining')
  const committed = member.commit(member.owned().map((one) => ({ ...one, next: 9n })))
  await coordinator.clock.advance(1)
  assert.equal((await committed).committed.length, 2)
  assert.equal(coordinator.sent('OffsetCommit')[0]?.generationIdOrMemberEpoch, 1)
})

test('a coordinator that does not respond to heartbeats is looked up again', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.next('Heartbeat', async () => {
    // The request fails after its timeout.
    await coordinator.clock.sleep(10_000)
    throw brokenConnection('no answer within 10000 ms')
  })
  coordinator.node = 2
  await coordinator.clock.advance(13_300)
  assert.equal(member.status().coordinator, 2)
  assert.equal(member.status().state, 'stable')
  assert.deepEqual(coordinator.recording.news(), ['assign a/0 a/1'])
})

test('an outage of the brokers for minutes loses no partitions', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.recording.news()
  coordinator.cluster.reaches = () => false
  coordinator.cluster.cut()
  await coordinator.clock.advance(300_000)
  const { state, heartbeatMs } = member.status()
  assert.equal(state, 'stable')
  assert.ok(heartbeatMs !== undefined && coordinator.clock.now() - heartbeatMs >= 299_000)
  const pauses = coordinator.recording.events.filter(({ kind }) => kind === 'retrying').length
  assert.ok(pauses > 200 && pauses < 400, `${pauses} attempts in five minutes`)
  coordinator.cluster.reaches = () => true
  await coordinator.clock.advance(6_000)
  assert.deepEqual(coordinator.recording.news(), [])
  assert.ok((member.status().heartbeatMs ?? 0) > coordinator.clock.now() - 6_000)
})

test('an error names brokers without static members', async () => {
  const coordinator = new ScriptedCoordinator({ JoinGroup: 4 })
  coordinator.member({ groupInstanceId: 'i1' })
  await coordinator.clock.advance(1)
  assert.match(coordinator.failure().message, /too old for kafka.groupInstanceId/)
  assert.equal(coordinator.failure().retryable, false)
})

test('old brokers get requests in their versions', async () => {
  const coordinator = new ScriptedCoordinator({
    JoinGroup: 4,
    SyncGroup: 2,
    Heartbeat: 2,
    LeaveGroup: 2,
    OffsetCommit: 6,
  })
  const member = coordinator.member()
  await coordinator.clock.advance(3_001)
  const committed = member.commit(member.owned().map((one) => ({ ...one, next: 9n, leaderEpoch: 2 })))
  await coordinator.clock.advance(1)
  assert.equal((await committed).committed.length, 2)
  const stopped = member.stop()
  await coordinator.clock.advance(1)
  await stopped
  assert.equal(coordinator.sent('LeaveGroup')[0]?.memberId, 'm1')
  assert.deepEqual(coordinator.recording.failures, [])
})

test('a malformed subscription of another member does not stop the leader', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.isLeader = true
  coordinator.next('JoinGroup', (request) => coordinator.healthy(request))
  coordinator.next('JoinGroup', (request) => {
    const answer = coordinator.healthy(request) as { members: { memberId: string; metadata: Uint8Array }[] }
    const strange = { memberId: 'strange', groupInstanceId: null, metadata: Uint8Array.of(1) }
    return { ...answer, members: [...answer.members, strange] }
  })
  coordinator.member()
  await coordinator.clock.advance(1)
  const sync = coordinator.sent('SyncGroup')[0]
  assert.deepEqual(sync?.assignments.map(({ memberId }) => memberId).sort(), ['m1', 'strange'])
  assert.ok(
    coordinator.recording.events.some((event) => event.kind === 'unreadable' && event.memberId === 'strange'),
  )
})

test('a protocol that the member did not offer ends the membership', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.protocolName = 'roundrobin'
  coordinator.member()
  await coordinator.clock.advance(1)
  assert.match(
    coordinator.failure().message,
    /group g is used by another kind of consumer: .*choose another kafka.groupId/,
  )
  assert.notEqual(codeOf('INCONSISTENT_GROUP_PROTOCOL'), 0)
})
