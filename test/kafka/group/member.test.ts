// Goal: a membership ends in an orderly way, whatever its state.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionsOf, ScriptedCoordinator } from './support/scripted-coordinator.ts'

const NEVER = new Promise<never>(() => undefined)

test('a rejected revocation ends the membership with its error', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.recording.news()
  coordinator.assigned = []
  coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  coordinator.recording.revoking = () => Promise.reject(new Error('the flush failed'))
  await coordinator.clock.advance(3_001)
  assert.deepEqual(coordinator.recording.news(), [
    'revoke a/0 a/1',
    'lost a/0 a/1',
    'failed KD_SOURCE_FAILED',
  ])
  assert.match(coordinator.failure().message, /the flush failed/)
  assert.equal(member.status().state, 'failed')
  await member.stop()
  assert.equal(coordinator.clock.sleepers, 0)
})

test('a member that is stopped hands over, leaves the group, and leaves no timer behind', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.recording.news()
  coordinator.recording.revoking = async () => {
    const positions = member.owned().map((one) => ({ ...one, next: 5n }))
    assert.deepEqual((await member.commit(positions)).committed, partitionsOf('a', 0, 1))
  }
  const stopped = member.stop()
  await coordinator.clock.advance(1)
  await stopped
  assert.deepEqual(coordinator.recording.news(), ['revoke a/0 a/1'])
  assert.deepEqual(
    coordinator.sent('LeaveGroup').map(({ members }) => members.map(({ memberId }) => memberId)),
    [['m1']],
  )
  assert.equal(member.status().state, 'left')
  assert.equal(coordinator.clock.sleepers, 0)
  assert.equal(coordinator.recording.events.at(-1)?.kind, 'left')
})

test('a static member stays in the group when it is stopped, unless with forGood', async () => {
  for (const forGood of [false, true]) {
    const coordinator = new ScriptedCoordinator()
    const member = coordinator.member({ groupInstanceId: 'i1' })
    await coordinator.clock.advance(1)
    assert.equal(coordinator.sent('JoinGroup')[0]?.groupInstanceId, 'i1')
    const stopped = member.stop({ forGood })
    await coordinator.clock.advance(1)
    await stopped
    assert.equal(coordinator.sent('LeaveGroup').length, forGood ? 1 : 0)
    assert.equal(member.status().state, 'left')
  }
})

test('a member that is stopped while it joins does not wait for the group', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  coordinator.next('JoinGroup', (request) => coordinator.healthy(request))
  coordinator.next('JoinGroup', () => NEVER)
  await coordinator.clock.advance(1)
  assert.equal(member.status().state, 'joining')
  const stopped = member.stop()
  await coordinator.clock.advance(1)
  await stopped
  // On another connection, because the pending join blocks the first one.
  assert.equal(coordinator.sent('LeaveGroup')[0]?.members[0]?.memberId, 'm1')
  assert.equal(coordinator.clock.sleepers, 0)
})

test('a member that is stopped at any point of its join leaves with the id that the coordinator has of it', async () => {
  for (const protocol of ['classic', 'consumer'] as const)
    for (let steps = 0, isStable = false; !isStable; steps++) {
      const coordinator = new ScriptedCoordinator()
      const member = coordinator.member({ protocol })
      for (let step = 0; step < steps; step++) await Promise.resolve()
      isStable = member.status().state === 'stable'
      const stopped = member.stop()
      await coordinator.clock.advance(1)
      await stopped
      const joins = [...coordinator.sent('JoinGroup'), ...coordinator.sent('ConsumerGroupHeartbeat')]
      const leaves = [
        ...coordinator.sent('LeaveGroup').map(({ members }) => members[0]?.memberId),
        ...coordinator
          .sent('ConsumerGroupHeartbeat')
          .flatMap(({ memberEpoch, memberId }) => (memberEpoch < 0 ? [memberId] : [])),
      ]
      const id = protocol === 'classic' ? 'm1' : 'made-here'
      assert.deepEqual(leaves, joins.length === 0 ? [] : [id], `${protocol}, after ${steps} steps`)
      assert.equal(coordinator.clock.sleepers, 0)
    }
})

test('a member that is stopped while no broker answers ends within five seconds', async () => {
  const coordinator = new ScriptedCoordinator()
  const member = coordinator.member()
  await coordinator.clock.advance(1)
  coordinator.cluster.cut()
  coordinator.cluster.coordinator = () => NEVER
  await coordinator.clock.advance(4_000)
  let isOver = false
  void member.stop().then(() => (isOver = true))
  await coordinator.clock.advance(5_001)
  assert.ok(isOver)
  assert.equal(member.status().state, 'left')
  assert.equal(coordinator.clock.sleepers, 0)
})
