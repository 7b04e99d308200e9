// Goal: the end offsets of all topics are known whether they are read or not, with one request to each broker.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { END_OFFSETS_EVERY_MS, EndOffsets } from '../../../src/kafka/fetch/end-offsets.ts'
import type { BrokerConnection } from '../../../src/kafka/wire/broker.ts'
import { HeldClock, settled } from '../../support/flow/held-clock.ts'
import { FakeCluster } from './support/fake-cluster.ts'

/** A cluster that counts its requests and can be cut off. */
class WatchedCluster extends FakeCluster {
  /** Number of ListOffsets requests by broker. */
  readonly asked = new Map<number, number>()
  /** Brokers that do not answer. */
  readonly down = new Set<number>()
  isClosed = false

  override broker(nodeId: number): Promise<BrokerConnection> {
    this.asked.set(nodeId, (this.asked.get(nodeId) ?? 0) + 1)
    return this.down.has(nodeId) ? Promise.reject(unreachable()) : super.broker(nodeId)
  }

  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }
}

interface Watching {
  readonly cluster: WatchedCluster
  readonly clock: HeldClock
  readonly topics: string[]
  readonly ends: EndOffsets
}

function watching(
  t: TestContext,
  isolation: 'read_committed' | 'read_uncommitted' = 'read_committed',
): Watching {
  const cluster = new WatchedCluster()
  const clock = new HeldClock()
  const topics: string[] = []
  const ends = new EndOffsets(cluster, { topics: () => topics, isolation, clock })
  t.after(() => ends.close())
  return { cluster, clock, topics, ends }
}

function unreachable(): PipelineError {
  return new PipelineError('KD_KAFKA_UNREACHABLE', 'no response')
}

test('The end of each partition is asked for every ten seconds, with one request to each broker', async (t) => {
  const { cluster, clock, topics, ends } = watching(t)
  const [first, second] = cluster.create('orders', 2).partitions
  const [third] = cluster.create('users', 1).partitions
  if (second !== undefined) second.leaderId = 2
  first?.append('0', '1')
  third?.append('0')
  topics.push('orders', 'users', 'orders')
  assert.equal(ends.of('orders').size, 0, 'nothing is known before the first answer')
  ends.start()
  await settled()
  assert.deepEqual(
    [...ends.of('orders')],
    [
      [0, 2n],
      [1, 0n],
    ],
  )
  assert.deepEqual([...ends.of('users')], [[0, 1n]])
  assert.deepEqual([...ends.of('others')], [])
  first?.append('2')
  await clock.advance(END_OFFSETS_EVERY_MS - 1)
  assert.equal(ends.of('orders').get(0), 2n)
  await clock.advance(1)
  assert.equal(ends.of('orders').get(0), 3n)
  assert.deepEqual(
    [...cluster.asked],
    [
      [1, 2],
      [2, 2],
    ],
    'two rounds',
  )
})

test('With read_committed, the end is the last stable offset', async (t) => {
  for (const [isolation, end] of [
    ['read_committed', 1n],
    ['read_uncommitted', 3n],
  ] as const) {
    const { cluster, topics, ends } = watching(t, isolation)
    const [partition] = cluster.create('orders', 1).partitions
    partition?.append('0', '1', '2')
    if (partition !== undefined) partition.stable = 1n
    topics.push('orders')
    ends.start()
    await settled()
    assert.equal(ends.of('orders').get(0), end)
  }
})

test('Without answers an end offset is kept for a minute and then unknown; the other brokers are asked', async (t) => {
  const { cluster, clock, topics, ends } = watching(t)
  const [first, second] = cluster.create('orders', 2).partitions
  if (second !== undefined) second.leaderId = 2
  first?.append('0')
  topics.push('orders')
  ends.start()
  await settled()
  cluster.down.add(1)
  second?.append('0')
  await clock.advance(60_000)
  assert.deepEqual(
    [...ends.of('orders')],
    [
      [0, 1n],
      [1, 1n],
    ],
  )
  await clock.advance(1)
  assert.deepEqual(
    [...ends.of('orders')],
    [
      [0, undefined],
      [1, 1n],
    ],
    'only what a broker has confirmed; the partition is still one of the topic',
  )
  cluster.down.delete(1)
  await clock.advance(END_OFFSETS_EVERY_MS)
  assert.equal(ends.of('orders').get(0), 1n)
  cluster.metadataFailures.push(unreachable())
  await clock.advance(2 * END_OFFSETS_EVERY_MS)
  assert.equal(ends.of('orders').size, 2, 'a failure does not end the requests')
})

test('A topic that is missing or no longer wanted has no end offsets', async (t) => {
  const { cluster, clock, topics, ends } = watching(t)
  cluster.create('orders', 1)
  topics.push('orders', 'missing')
  ends.start()
  await settled()
  assert.deepEqual([ends.of('orders').size, ends.of('missing').size], [1, 0])
  topics.length = 0
  await clock.advance(END_OFFSETS_EVERY_MS)
  assert.equal(ends.of('orders').size, 0)
  assert.equal(cluster.lookUps, 1, 'nothing is asked for no topics')
})

test('More partitions than one round may ask for take several rounds', async (t) => {
  const { cluster, clock, topics, ends } = watching(t)
  cluster.create('huge', 25_000)
  topics.push('huge')
  ends.start()
  const sizes: number[] = []
  for (let round = 0; round < 4; round++) {
    await settled()
    sizes.push([...ends.of('huge').values()].filter((end) => end !== undefined).length)
    await clock.advance(END_OFFSETS_EVERY_MS)
  }
  assert.deepEqual(sizes, [10_000, 20_000, 25_000, 25_000])
})

test('Closing ends the requests and closes the connections', async (t) => {
  const { cluster, clock, topics, ends } = watching(t)
  cluster.create('orders', 1)
  topics.push('orders')
  ends.start()
  await settled()
  await ends.close()
  await clock.advance(10 * END_OFFSETS_EVERY_MS)
  assert.deepEqual([cluster.isClosed, cluster.lookUps], [true, 1])
})
