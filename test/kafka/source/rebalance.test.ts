// Members join and leave, and a broker restarts: nothing is lost, nothing is read twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startKafka } from '../../../src/local-servers/kafka.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { eventually, rangesOf, read } from '../reading.ts'
import { numbered, testTopic } from '../topic.ts'

test('a second member takes over partitions and gives them back, and every record is read once', async () => {
  const topic = await testTopic(4)
  const groupId = nameForTests('group')
  const txns = new Map<number, bigint>()
  const options = { groupId, txns, until: 'stopped', heartbeatMs: 300, sessionTimeoutMs: 6_000 } as const
  const batch = (from: number): Promise<void> =>
    topic.produce([0, 1, 2, 3].flatMap((partition) => numbered(partition, 100, from)))
  await batch(0)
  const first = read(topic, options)
  await eventually(() => reached(txns, 99n), 'the first hundred')
  const second = read(topic, options)
  await eventually(() => second.source.status().filter(({ live }) => live).length === 2, 'a share of two')
  await eventually(() => first.source.status().filter(({ live }) => live).length === 2, 'the other share')
  await batch(100)
  await eventually(() => reached(txns, 199n), 'the second hundred')
  await second.source.close()
  await eventually(() => first.source.status().filter(({ live }) => live).length === 4, 'all again')
  await batch(200)
  await eventually(() => reached(txns, 299n), 'the third hundred')
  await first.source.close()
  for (const partition of [0, 1, 2, 3]) {
    const values = [...first.values(partition), ...second.values(partition)]
    assert.equal(values.length, 300)
    assert.equal(new Set(values).size, 300)
  }
})

test('a partition that stays assigned over a rebalance is not read again although nothing was committed', async () => {
  const topic = await testTopic(2)
  const groupId = nameForTests('group')
  const options = {
    groupId,
    hold: true,
    until: 'stopped',
    heartbeatMs: 300,
    rebalanceTimeoutMs: 3_000,
  } as const
  await topic.produce([...numbered(0, 50), ...numbered(1, 50)])
  const first = read(topic, options)
  await eventually(() => first.values(0).length === 50 && first.values(1).length === 50, 'both partitions')
  const second = read(topic, options)
  await eventually(
    () => first.source.status().length === 1 && first.source.status()[0]?.live === true,
    'one left',
  )
  const kept = first.source.status()[0]?.partition ?? -1
  // The other one was lost, since nothing was committed in time.
  await eventually(() => first.source.assignment?.()?.join() === String(kept), 'the new assignment')
  await topic.produce(numbered(kept, 10, 50))
  await eventually(() => first.values(kept).length === 60, 'the new records')
  assert.equal(new Set(first.values(kept)).size, 60)
  assert.equal(rangesOf(first, kept).at(-1)?.follows, 49n)
  await Promise.all([first.source.close(), second.source.close()])
})

test('an outage of a broker is survived, and reading continues at its position', async () => {
  const kafka = await startKafka()
  try {
    const topic = await testTopic(1, {}, kafka.brokers)
    await topic.produce(numbered(0, 100))
    const reading = read(topic, { until: 'stopped', sessionTimeoutMs: 6_000, heartbeatMs: 500 })
    await eventually(() => reading.values(0).length === 100, 'the first hundred')
    await kafka.halt()
    await eventually(() => reading.events.some(({ kind }) => kind === 'restarting'), 'the consumer noticing')
    await kafka.resume()
    await topic.produce(numbered(0, 100, 100))
    await eventually(() => reading.values(0).length >= 200, 'the second hundred')
    assert.equal(new Set(reading.values(0)).size, 200)
    assert.equal(reading.values(0).length, 200)
    await reading.source.close()
    await reading.done
  } finally {
    await kafka.stop()
  }
})

function reached(txns: ReadonlyMap<number, bigint>, last: bigint): boolean {
  return [0, 1, 2, 3].every((partition) => txns.get(partition) === last)
}
