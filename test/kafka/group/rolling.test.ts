// Goal: our members share a group of a real broker with other consumers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameForTests } from '../../support/servers/servers.ts'
import { testTopic } from '../topic.ts'
import {
  eventually,
  OwnerWatch,
  shared,
  startJavaConsumer,
  startForeignMember,
  startOldWorker,
  startWorker,
} from './support/real-group.ts'

const COOPERATIVE = ['--assignment-strategy', 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor']
const ROUND_ROBIN = ['--assignment-strategy', 'org.apache.kafka.clients.consumer.RoundRobinAssignor']

test('old workers are replaced by new ones, and new ones by old ones, one by one', async () => {
  const { brokers, topic } = await testTopic(6)
  const options = { groupId: nameForTests('group'), topics: [topic] }
  const watch = new OwnerWatch()
  const oldOnes = [
    await startOldWorker('o1', brokers, watch, options),
    await startOldWorker('o2', brokers, watch, options),
  ]
  await shared(oldOnes, { [topic]: 6 })
  const first = startWorker('n1', brokers, watch, options)
  await shared([...oldOnes, first], { [topic]: 6 })
  assert.equal(first.member.status().assignor, 'kafka-delta-by-subscription')
  await oldOnes[0]?.stop()
  const second = startWorker('n2', brokers, watch, options)
  await shared([oldOnes[1] as (typeof oldOnes)[number], first, second], { [topic]: 6 })
  await oldOnes[1]?.stop()
  await shared([first, second], { [topic]: 6 })
  // The old protocol is no longer needed.
  await eventually(
    () => [first, second].every(({ member }) => member.status().assignor === 'cooperative-sticky'),
    () => 'the group is cooperative',
  )
  const third = startWorker('n3', brokers, watch, options)
  await shared([first, second, third], { [topic]: 6 })

  // Back again: an old worker makes the group eager.
  const back = await startOldWorker('o3', brokers, watch, options)
  await shared([first, second, third, back], { [topic]: 6 })
  assert.equal(first.member.status().assignor, 'kafka-delta-by-subscription')
  await first.stop()
  await second.stop()
  await shared([third, back], { [topic]: 6 })
  await third.stop()
  await shared([back], { [topic]: 6 })
  assert.deepEqual(watch.faults, [])
  for (const { recording } of [first, second, third]) assert.deepEqual(recording.failures, [])
})

test('workers share a group with cooperative-sticky consumers of the Java client, with either as leader', async () => {
  const { brokers, topic } = await testTopic(6)
  const options = { groupId: nameForTests('group'), topics: [topic] }
  const watch = new OwnerWatch()
  const java = await startJavaConsumer('java', brokers, { ...options, topic, args: COOPERATIVE })
  await shared([java], { [topic]: 6 })
  const first = startWorker('n1', brokers, watch, options)
  await shared([java, first], { [topic]: 6 })
  assert.equal(first.member.status().isLeader, false)
  const second = startWorker('n2', brokers, watch, options)
  await shared([java, first, second], { [topic]: 6 })
  const kept = [...first.recording.owned.values()]
  await java.stop()
  await shared([first, second], { [topic]: 6 })
  assert.ok(
    kept.every((one) => first.member.owns(one)),
    'what it had before stayed',
  )
  // Now one of our members is the leader.
  const javaAgain = await startJavaConsumer('java again', brokers, { ...options, topic, args: COOPERATIVE })
  await shared([javaAgain, first, second], { [topic]: 6 })
  assert.equal([first, second].filter(({ member }) => member.status().isLeader).length, 1)
  assert.equal(first.member.status().assignor, 'cooperative-sticky')
  await second.stop()
  await shared([javaAgain, first], { [topic]: 6 })
  assert.deepEqual(watch.faults, [])
  assert.deepEqual([...first.recording.failures, ...second.recording.failures], [])
})

test('together with default consumers of the Java client, the group uses range', async () => {
  const { brokers, topic } = await testTopic(5)
  const options = { groupId: nameForTests('group'), topics: [topic] }
  const java = await startJavaConsumer('java', brokers, { ...options, topic, args: [] })
  await shared([java], { [topic]: 5 })
  const worker = startWorker('n1', brokers, new OwnerWatch(), options)
  await shared([java, worker], { [topic]: 5 })
  assert.equal(worker.member.status().assignor, 'range')
  await java.stop()
  await shared([worker], { [topic]: 5 })
  assert.deepEqual(worker.recording.failures, [])
})

test('a group without a common protocol is refused by name', async () => {
  const { brokers, topic } = await testTopic(2)
  const options = { groupId: nameForTests('group'), topics: [topic] }
  const java = await startJavaConsumer('java', brokers, { ...options, topic, args: ROUND_ROBIN })
  await shared([java], { [topic]: 2 })
  const worker = startWorker('n1', brokers, new OwnerWatch(), options)
  await eventually(
    () => worker.recording.failures.length > 0,
    () => 'the worker is refused',
  )
  const [failure] = worker.recording.failures
  assert.match(failure?.message ?? '', /is used by another kind of consumer: .*choose another kafka\.groupId/)
  assert.equal(failure?.retryable, false)
})

for (const [protocolType, assignor] of [
  ['connect', 'default'],
  ['consumer', 'made-up'],
] as const) {
  for (const protocol of ['classic', 'consumer'] as const) {
    test(`${protocol}: a group of type ${protocolType} whose members offer ${assignor} is refused for good`, async () => {
      const { brokers, topic } = await testTopic(1)
      const groupId = nameForTests('group')
      await startForeignMember(brokers, { groupId, protocolType, assignor })
      const worker = startWorker('n1', brokers, new OwnerWatch(), { groupId, topics: [topic], protocol })
      await eventually(
        () => worker.recording.failures.length > 0,
        () => 'the worker is refused',
      )
      const [failure] = worker.recording.failures
      assert.equal(failure?.code, 'KD_CONFIG_INVALID')
      assert.equal(failure.retryable, false)
      assert.match(
        failure.message,
        new RegExp(`group ${groupId} is used by another kind of consumer.*choose another kafka\\.groupId`),
      )
    })
  }
}

test('members of the consumer protocol are joined by members of the classic protocol, also after all have left', async () => {
  const { brokers, topic } = await testTopic(4)
  const options = { groupId: nameForTests('group'), topics: [topic] }
  const watch = new OwnerWatch()
  const first = startWorker('n1', brokers, watch, { ...options, protocol: 'consumer' })
  await shared([first], { [topic]: 4 })
  const second = startWorker('c1', brokers, watch, options)
  await shared([first, second], { [topic]: 4 })
  await first.stop()
  await second.stop()
  const third = startWorker('c2', brokers, watch, options)
  await shared([third], { [topic]: 4 })
  assert.deepEqual(watch.faults, [])
  for (const { recording } of [first, second, third]) assert.deepEqual(recording.failures, [])
})
