import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Cluster } from '../../../src/kafka/wire/cluster.ts'
import { type ClusterOptions, openCluster } from '../../../src/kafka/wire/open-cluster.ts'
import { HeldClock, settled } from '../../support/flow/held-clock.ts'
import {
  type AnswerRequest,
  fakeBroker,
  type FakeAnswer,
  type FakeBroker,
  type HeardRequest,
  openPlain,
} from './support/fake-broker.ts'

const ID = 'ab'.repeat(16)

/** Brokers that respond to Metadata and FindCoordinator in the same way; ids start at 1. */
class FakeCluster {
  brokers: FakeBroker[] = []
  leader = { leaderId: 1, leaderEpoch: 5 }
  coordinator = { nodeId: 1, errorCode: 0 }
  /** Responds to requests; the default response is used if it returns `pass`. */
  answer: (request: HeardRequest, nodeId: number) => FakeAnswer | 'pass' | Promise<FakeAnswer | 'pass'> =
    () => 'pass'

  async start(t: TestContext, count: number): Promise<this> {
    for (let nodeId = 1; nodeId <= count; nodeId++) {
      const broker = await fakeBroker(this.#answerOf(nodeId))
      t.after(() => broker.stop())
      this.brokers.push(broker)
    }
    return this
  }

  get addresses(): string[] {
    return this.brokers.map(({ port }) => `127.0.0.1:${port}`)
  }

  heard(api: string): readonly HeardRequest[] {
    return this.brokers.flatMap(({ heard }) => heard.filter((one) => one.api === api))
  }

  #answerOf(nodeId: number): AnswerRequest {
    return async (request) => {
      const said = await this.answer(request, nodeId)
      if (said !== 'pass') return said
      if (request.api === 'Metadata') return this.#metadata(request)
      if (request.api === 'FindCoordinator') return this.#found(request)
      return { errorCode: 0 }
    }
  }

  #metadata({ body }: HeardRequest): FakeAnswer {
    const topics = body['topics'] as readonly { readonly name: string }[]
    const partition = { partitionIndex: 0, errorCode: 0, ...this.leader, replicaNodes: [1], isrNodes: [1] }
    return {
      clusterId: 'cluster',
      brokers: this.brokers.map(({ host, port }, i) => ({ nodeId: i + 1, host, port, rack: `rack-${i}` })),
      topics: topics.map(({ name }) =>
        name === 'gone'
          ? { name, errorCode: 3, partitions: [] }
          : { name, errorCode: 0, topicId: ID, partitions: [partition] },
      ),
    }
  }

  #found({ body }: HeardRequest): FakeAnswer {
    const { nodeId, errorCode } = this.coordinator
    const { host, port } = this.brokers[nodeId - 1] ?? { host: '', port: 0 }
    const keys = body['coordinatorKeys'] as readonly string[]
    return { coordinators: keys.map((key) => ({ key, nodeId, host, port, errorCode })) }
  }
}

function clusterOf(
  t: TestContext,
  brokers: readonly string[],
  options: Partial<ClusterOptions> = {},
): Cluster {
  const cluster = openCluster({
    ...{ clientId: 'test', openSocket: openPlain, brokers, random: () => 0.5 },
    ...options,
  })
  t.after(() => cluster.close())
  return cluster
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await settled()
}

test('Metadata is requested once, cached, and requested again on refresh or at the maximum age', async (t) => {
  const clock = new HeldClock()
  const fake = await new FakeCluster().start(t, 2)
  const cluster = clusterOf(t, fake.addresses, { clock, metadataAgeMsMax: 10_000 })
  const [metadata] = await Promise.all([cluster.metadata(['events']), cluster.metadata(['events'])])
  assert.equal(metadata.clusterId, 'cluster')
  assert.deepEqual(
    metadata.brokers.map(({ nodeId, rack }) => [nodeId, rack]),
    [
      [1, 'rack-0'],
      [2, 'rack-1'],
    ],
  )
  const events = metadata.topics.get('events')
  assert.equal(events?.topicId, ID)
  assert.equal(events.partitions[0]?.leaderEpoch, 5)
  await cluster.metadata(['events'])
  assert.equal(fake.heard('Metadata').length, 1)
  assert.equal(fake.heard('Metadata')[0]?.body['allowAutoTopicCreation'], false)
  fake.leader = { leaderId: 2, leaderEpoch: 6 }
  const refreshed = cluster.metadata(['events'], { refresh: true })
  await clock.advance(100)
  assert.equal((await refreshed).topics.get('events')?.partitions[0]?.leaderId, 2)
  await clock.advance(10_001)
  await cluster.metadata(['events'])
  assert.equal(fake.heard('Metadata').length, 3)
})

test('A missing topic is returned with its error code, and requested again', async (t) => {
  const fake = await new FakeCluster().start(t, 1)
  const cluster = clusterOf(t, fake.addresses)
  const { topics } = await cluster.metadata(['events', 'gone'])
  assert.equal(topics.get('gone')?.errorCode, 3)
  assert.equal(topics.get('events')?.errorCode, 0)
  await cluster.metadata(['events', 'gone'])
  assert.equal(fake.heard('Metadata').length, 2)
})

test('A leader named in a response is known at once', async (t) => {
  const fake = await new FakeCluster().start(t, 1)
  const cluster = clusterOf(t, fake.addresses)
  await cluster.metadata(['events'])
  cluster.learnLeader({ topic: 'events', partitionIndex: 0, leaderId: 7, leaderEpoch: 9 })
  const { topics } = await cluster.metadata(['events'])
  assert.equal(topics.get('events')?.partitions[0]?.leaderId, 7)
})

test('One reachable bootstrap broker suffices: a refusing and an unresponsive one do not delay the start', async (t) => {
  const clock = new HeldClock()
  const fake = await new FakeCluster().start(t, 1)
  const silent = await fakeBroker(() => undefined, { answerVersions: () => undefined })
  t.after(() => silent.stop())
  const gone = await fakeBroker(() => undefined)
  await gone.stop()
  const addresses = [`127.0.0.1:${gone.port}`, `127.0.0.1:${silent.port}`, ...fake.addresses]
  const asked = clusterOf(t, addresses, { clock }).metadata(['events'])
  await until(() => silent.connections === 1)
  await clock.advance(1_000)
  assert.equal((await asked).topics.size, 1)
  assert.ok(clock.now() < 3_000)
})

test('If no broker responds in time, the error contains the last reason', async (t) => {
  const gone = await fakeBroker(() => undefined)
  await gone.stop()
  const clock = new HeldClock()
  const address = `127.0.0.1:${gone.port}`
  const asked = clusterOf(t, [address], { clock, reachTimeoutMs: 5_000 }).metadata([])
  const state = { isOver: false }
  const end = (): void => {
    state.isOver = true
  }
  asked.then(end, end)
  while (!state.isOver) await clock.advance(100)
  await assert.rejects(asked, {
    code: 'KD_KAFKA_UNREACHABLE',
    retryable: true,
    message: /within 5000 ms, got: .*ECONNREFUSED/,
  })
  assert.ok(clock.now() >= 5_000)
})

test('A permanent refusal by every broker ends the attempts at once', async (t) => {
  const refusing = await fakeBroker(({ api }) =>
    api === 'SaslHandshake' ? { errorCode: 33, mechanisms: ['GSSAPI'] } : { errorCode: 0 },
  )
  t.after(() => refusing.stop())
  const login = { mechanism: 'plain', username: 'alice', password: 'open-sesame' } as const
  const cluster = clusterOf(t, [`127.0.0.1:${refusing.port}`], { login })
  await assert.rejects(cluster.metadata([]), { code: 'KD_KAFKA_AUTH_FAILED', message: /GSSAPI/ })
  assert.equal(refusing.connections, 1)
})

test('Connections go to the requested brokers; a broken one is replaced', async (t) => {
  const clock = new HeldClock()
  const fake = await new FakeCluster().start(t, 2)
  const cluster = clusterOf(t, fake.addresses.slice(0, 1), { clock })
  const two = await cluster.broker(2)
  assert.equal(two.nodeId, 2)
  assert.equal(await cluster.broker(2), two)
  await two.request('Heartbeat', { groupId: 'g', generationId: 1, memberId: 'm' })
  assert.equal(fake.brokers[1]?.heard.length, 1)
  await clock.advance(5_000)
  fake.brokers[1].cut()
  await until(() => !two.isOpen)
  const again = await cluster.broker(2)
  assert.notEqual(again, two)
  assert.equal(again.isOpen, true)
  const missing = cluster.broker(9)
  void missing.catch(() => undefined)
  await clock.advance(200)
  await assert.rejects(missing, { code: 'KD_KAFKA_UNREACHABLE', message: /expected broker 9/ })
})

test('A group has its own connection to its coordinator', async (t) => {
  const fake = await new FakeCluster().start(t, 2)
  fake.coordinator = { nodeId: 2, errorCode: 0 }
  const cluster = clusterOf(t, fake.addresses)
  const [data, group] = [await cluster.broker(2), await cluster.coordinator('g')]
  assert.equal(group.nodeId, 2)
  assert.notEqual(data, group)
  assert.equal(await cluster.coordinator('g'), group)
  assert.equal(fake.heard('FindCoordinator').length, 1)
})

test('A coordinator is looked up again on refresh, or when its connection broke', async (t) => {
  const fake = await new FakeCluster().start(t, 2)
  const cluster = clusterOf(t, fake.addresses)
  const first = await cluster.coordinator('g')
  assert.equal(first.nodeId, 1)
  fake.coordinator = { nodeId: 2, errorCode: 0 }
  assert.equal((await cluster.coordinator('g')).nodeId, 1)
  const second = await cluster.coordinator('g', { refresh: true })
  assert.equal(second.nodeId, 2)
  fake.coordinator = { nodeId: 1, errorCode: 0 }
  await second.close()
  assert.equal((await cluster.coordinator('g')).nodeId, 1)
})

test('The lookup of a coordinator is retried while the group has none', async (t) => {
  const clock = new HeldClock()
  const fake = await new FakeCluster().start(t, 1)
  fake.coordinator = { nodeId: -1, errorCode: 15 }
  const cluster = clusterOf(t, fake.addresses, { clock })
  const asked = cluster.coordinator('g')
  await until(() => fake.heard('FindCoordinator').length === 1)
  await clock.advance(50)
  await until(() => fake.heard('FindCoordinator').length === 2)
  fake.coordinator = { nodeId: 1, errorCode: 0 }
  await clock.advance(100)
  assert.equal((await asked).nodeId, 1)
})

test('Metadata does not wait for a fetch', async (t) => {
  const fake = await new FakeCluster().start(t, 1)
  let finish: () => void = () => undefined
  fake.answer = ({ api }) =>
    api === 'Fetch' ? new Promise((resolve) => (finish = () => resolve({ errorCode: 0 }))) : 'pass'
  const cluster = clusterOf(t, fake.addresses)
  const broker = await cluster.broker(1)
  const fetching = broker.request('Fetch', { maxWaitMs: 60_000, minBytes: 1, topics: [] })
  await until(() => fake.heard('Fetch').length === 1)
  await cluster.metadata(['events'], { refresh: true })
  await cluster.coordinator('g')
  finish()
  assert.equal((await fetching).errorCode, 0)
})

test('When the broker for metadata dies, another one is used', async (t) => {
  const fake = await new FakeCluster().start(t, 3)
  const cluster = clusterOf(t, fake.addresses.slice(0, 1))
  await cluster.metadata(['events'])
  await fake.brokers[0]?.stop()
  await cluster.metadata(['events'], { refresh: true })
  assert.equal(fake.brokers.slice(1).flatMap(({ heard }) => heard).length, 1)
})

test('A broker that moved to another port is used there', async (t) => {
  const fake = await new FakeCluster().start(t, 1)
  const cluster = clusterOf(t, fake.addresses)
  const before = await cluster.broker(1)
  const moved = await new FakeCluster().start(t, 1)
  fake.brokers = moved.brokers
  await cluster.metadata(['events'], { refresh: true })
  assert.equal(before.isOpen, false)
  const after = await cluster.broker(1)
  await after.request('Heartbeat', { groupId: 'g', generationId: 1, memberId: 'm' })
  assert.equal(moved.heard('Heartbeat').length, 1)
})

test('A closed cluster refuses calls and leaves no connection open', async (t) => {
  const fake = await new FakeCluster().start(t, 1)
  const cluster = clusterOf(t, fake.addresses)
  const broker = await cluster.broker(1)
  await cluster.close()
  assert.equal(broker.isOpen, false)
  await assert.rejects(cluster.metadata(['events'], { refresh: true }), {
    code: 'KD_KAFKA_UNREACHABLE',
    retryable: false,
  })
  await assert.rejects(cluster.broker(1), { code: 'KD_KAFKA_UNREACHABLE' })
  await assert.rejects(cluster.coordinator('g'), { code: 'KD_KAFKA_UNREACHABLE' })
})

test('Invalid addresses are refused before the first request', () => {
  assert.throws(() => openCluster({ clientId: 'test', openSocket: openPlain, brokers: ['kafka:'] }), {
    code: 'KD_CONFIG_INVALID',
  })
})

test('Brokers that accept and never answer are reported, and so is the next answer', async (t) => {
  const clock = new HeldClock()
  const fake = await new FakeCluster().start(t, 2)
  const changes: string[] = []
  const cluster = clusterOf(t, fake.addresses, {
    clock,
    requestTimeoutMs: 5_000,
    onAnswersChange: (change) => changes.push(change.isAnswering ? 'answers' : change.error.message),
  })
  await cluster.metadata(['events'])
  assert.deepEqual(changes, ['answers'])
  const beat = async (nodeId: number): Promise<unknown> => {
    const connection = await cluster.broker(nodeId)
    const body = { groupId: 'g', generationId: 1, memberId: 'm' }
    return connection.request('Heartbeat', body).catch((error: unknown) => error)
  }
  const heard = (): number => fake.heard('Heartbeat').length
  fake.answer = ({ api }) => (api === 'Heartbeat' ? undefined : 'pass')
  // One broker does not answer, but another one does after the request began.
  const first = beat(1)
  await until(() => heard() === 1)
  await clock.advance(200)
  await cluster.metadata(['events'], { refresh: true })
  await clock.advance(20_000)
  assert.match(String(await first), /no response to Heartbeat within 5000 ms/)
  assert.deepEqual(changes, ['answers'])
  // No broker answers.
  const second = beat(2)
  await until(() => heard() === 2)
  await clock.advance(1)
  await clock.advance(4_999)
  await second
  assert.deepEqual(changes, ['answers'])
  await clock.advance(2_000)
  assert.equal(changes.length, 2)
  assert.match(String(changes[1]), /no response to Heartbeat within 5000 ms/)
  // A refusal is an answer.
  fake.answer = ({ api }) => (api === 'Heartbeat' ? { errorCode: 27 } : 'pass')
  const third = beat(1)
  await until(() => changes.length === 3)
  assert.equal(changes[2], 'answers')
  await clock.advance(5_000)
  assert.equal(((await third) as { errorCode: number }).errorCode, 27)
})
