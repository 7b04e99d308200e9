// Goal: our members work in groups of a real broker, with both protocols.
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { joinGroup } from '../../../src/kafka/group/join.ts'
import type { GroupOptions } from '../../../src/kafka/group/membership.ts'
import { startKafka } from '../../../src/local-servers/kafka.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { testTopic } from '../topic.ts'
import { eventually, OwnerWatch, type RealWorker, shared, startWorker } from './support/real-group.ts'

for (const protocol of ['classic', 'consumer'] as const) {
  test(`${protocol}: members share partitions, hand them over, and commit offsets`, async () => {
    const { brokers, topic, admin } = await testTopic(6)
    const groupId = nameForTests('group')
    const watch = new OwnerWatch()
    const options = { groupId, topics: [topic], protocol }
    const first = startWorker('w1', brokers, watch, options)
    await shared([first], { [topic]: 6 })
    const before = first.member.owned()
    const second = startWorker('w2', brokers, watch, options)
    await shared([first, second], { [topic]: 6 })
    const third = startWorker('w3', brokers, watch, options)
    await shared([first, second, third], { [topic]: 6 })
    const kept = first.member.owned()
    assert.ok(kept.length > 0 && kept.every((one) => before.some((other) => other.epoch === one.epoch)))

    const committed = await first.member.commit(
      before.map((one) => ({ ...one, next: 10n + BigInt(one.partition) })),
    )
    assert.deepEqual(committed.committed.length, kept.length)
    assert.equal(committed.abandoned.length, 6 - kept.length)
    const positions = await second.member.committedOffsets(before)
    assert.deepEqual(
      positions.map(({ partition, next }) => [partition, next]).sort(),
      kept.map(({ partition }) => [partition, 10n + BigInt(partition)]).sort(),
    )
    const [told] = await admin.fetchOffsets({ groupId, topics: [topic] })
    assert.equal(told?.partitions.filter(({ offset }) => offset !== '-1').length, kept.length)

    await second.stop()
    await shared([first, third], { [topic]: 6 })
    await first.stop()
    await shared([third], { [topic]: 6 })
    await third.stop()
    assert.deepEqual(watch.faults, [])
    for (const { recording } of [first, second, third]) assert.deepEqual(recording.failures, [])
  })

  test(`${protocol}: members of one group read different topics, one of which is created later and one is deleted`, async () => {
    const one = await testTopic(4)
    const two = await testTopic(3)
    const later = nameForTests('later')
    const groupId = nameForTests('group')
    const watch = new OwnerWatch()
    const options = { groupId, protocol, watchMs: 500 }
    const both = startWorker('w1', one.brokers, watch, { ...options, topics: [one.topic, later] })
    await shared([both], { [one.topic]: 4 })
    const other = startWorker('w2', one.brokers, watch, { ...options, topics: [two.topic] })
    await shared([both, other], { [one.topic]: 4, [two.topic]: 3 })
    assert.ok(other.owned().every((key) => key.startsWith(two.topic)))
    await one.admin.createTopics({ topics: [{ topic: later, numPartitions: 2 }] })
    await shared([both, other], { [one.topic]: 4, [two.topic]: 3, [later]: 2 }, false)
    both.recording.news()
    await one.admin.deleteTopics({ topics: [two.topic] })
    await shared([both, other], { [one.topic]: 4, [later]: 2 }, false)
    assert.deepEqual(both.recording.news(), [], 'the deletion of one topic does not touch the others')
    assert.deepEqual(watch.faults, [])
    assert.deepEqual([...both.recording.failures, ...other.recording.failures], [])
  })
}

for (const protocol of ['classic', 'consumer'] as const) {
  test(`${protocol}: a static member that is killed and restarted has its partitions at once, and other members do not rebalance`, async () => {
    const { brokers, topic } = await testTopic(4)
    const groupId = nameForTests('group')
    const watch = new OwnerWatch()
    const options = { groupId, topics: [topic], protocol }
    let first = startWorker('w1', brokers, watch, { ...options, groupInstanceId: 'i1' })
    let second = startWorker('w2', brokers, watch, { ...options, groupInstanceId: 'i2' })
    await shared([first, second], { [topic]: 4 })
    const restarted = async (
      killed: RealWorker,
      instanceId: string,
      other: RealWorker,
    ): Promise<RealWorker> => {
      const had = killed.owned()
      other.recording.news()
      await killed.vanish()
      const again = startWorker(`${instanceId} again`, brokers, watch, {
        ...options,
        groupInstanceId: instanceId,
      })
      await eventually(
        () => again.owned().length > 0,
        () => `${again.name} owns something`,
      )
      // After its session, the other member would have them.
      assert.deepEqual(again.owned(), had)
      assert.deepEqual(other.recording.news(), [])
      return again
    }
    second = await restarted(second, 'i2', first)
    // The leader too.
    first = await restarted(first, 'i1', second)
    assert.deepEqual(watch.faults, [])
  })
}

for (const protocol of ['classic', 'consumer'] as const) {
  test(`${protocol}: of two members with one instance id, the older is fenced and stops with a clear error`, async () => {
    const { brokers, topic } = await testTopic(2)
    const options = { groupId: nameForTests('group'), topics: [topic], groupInstanceId: 'same', protocol }
    const first = startWorker('w1', brokers, new OwnerWatch(), options)
    await shared([first], { [topic]: 2 })
    const second = startWorker('w2', brokers, new OwnerWatch(), options)
    await eventually(
      () => first.recording.failures.length > 0,
      () => 'the first is fenced',
    )
    assert.match(first.recording.failures[0]?.message ?? '', /another member took over instance id same/)
    assert.deepEqual(first.recording.news().at(-2), `lost ${topic}/0 ${topic}/1`)
    await shared([second], { [topic]: 2 })
  })
}

test('consumer: a static member that is stopped and restarted has its partitions, and other members do not rebalance', async () => {
  const { brokers, topic } = await testTopic(4)
  const groupId = nameForTests('group')
  const watch = new OwnerWatch()
  const options = { groupId, topics: [topic], protocol: 'consumer' as const }
  const first = startWorker('w1', brokers, watch, { ...options, groupInstanceId: 'i1' })
  const second = startWorker('w2', brokers, watch, { ...options, groupInstanceId: 'i2' })
  await shared([first, second], { [topic]: 4 })
  const had = second.owned()
  first.recording.news()
  await second.stop()
  const again = startWorker('w2 again', brokers, watch, { ...options, groupInstanceId: 'i2' })
  await eventually(
    () => again.owned().length === had.length,
    () => again.owned().join(),
  )
  assert.deepEqual(again.owned(), had)
  assert.deepEqual(first.recording.news(), [])
  assert.deepEqual(watch.faults, [])
})

test('the members of a group change from the classic protocol to KIP-848 one by one', async () => {
  const { brokers, topic } = await testTopic(6)
  const groupId = nameForTests('group')
  const watch = new OwnerWatch()
  const options = { groupId, topics: [topic] }
  const old = ['c1', 'c2'].map((name) => startWorker(name, brokers, watch, options))
  await shared(old, { [topic]: 6 })
  const first = startWorker('n1', brokers, watch, { ...options, protocol: 'consumer' })
  await shared([...old, first], { [topic]: 6 })
  await old[0]?.stop()
  const second = startWorker('n2', brokers, watch, { ...options, protocol: 'consumer' })
  await shared([old[1] as (typeof old)[number], first, second], { [topic]: 6 })
  await old[1]?.stop()
  await shared([first, second], { [topic]: 6 })
  assert.deepEqual(watch.faults, [])
  for (const { recording } of [...old, first, second]) assert.deepEqual(recording.failures, [])
})

test('members of both protocols survive a broker restart', async () => {
  const kafka = await startKafka()
  try {
    const { topic } = await testTopic(4, {}, kafka.brokers)
    const watch = new OwnerWatch()
    const workers = (['classic', 'consumer'] as const).map((protocol) =>
      startWorker(protocol, kafka.brokers, new OwnerWatch(), {
        groupId: `g-${protocol}`,
        topics: [topic],
        protocol,
      }),
    )
    for (const worker of workers) await shared([worker], { [topic]: 4 })
    await kafka.halt()
    await setTimeout(2_000)
    await kafka.resume()
    const backMs = Date.now()
    for (const worker of workers) {
      await eventually(
        () => (worker.member.status().heartbeatMs ?? 0) > backMs,
        () => `${worker.name} is alive`,
      )
      await shared([worker], { [topic]: 4 })
      const { committed } = await worker.member.commit(
        worker.member.owned().map((one) => ({ ...one, next: 1n })),
      )
      assert.equal(committed.length, 4)
      await worker.stop()
      assert.deepEqual(worker.recording.failures, [])
    }
    assert.deepEqual(watch.faults, [])
  } finally {
    await kafka.stop()
  }
})

test('contradicting times and a member without topics are refused', () => {
  const options = { cluster: {}, callbacks: {}, groupId: 'g', topics: ['a'] } as unknown as GroupOptions
  for (const wrong of [
    { topics: [] },
    { heartbeatMs: 0 },
    { heartbeatMs: 30_000 },
    { rebalanceTimeoutMs: 3_000 },
  ]) {
    assert.throws(
      () => joinGroup({ ...options, ...wrong }),
      (error) => error instanceof PipelineError && error.code === 'KD_CONFIG_INVALID',
    )
  }
})
