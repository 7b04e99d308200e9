import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../../src/core/errors.ts'
import {
  FETCH_REACTIONS,
  fetchReactionTo,
  sessionReactionTo,
} from '../../../../src/kafka/fetch/faults/fetch-reactions.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../../../src/kafka/wire/error-codes.ts'
import { FakeCluster, type FakePartition } from '../support/fake-cluster.ts'
import { startReading, until, type FetchReading } from '../support/reading.ts'

interface Setting extends FetchReading {
  readonly cluster: FakeCluster
  readonly partition: FakePartition
}

/** A partition of which one record was read. */
async function reading(options: Parameters<typeof startReading>[1] = {}, version = 17): Promise<Setting> {
  const cluster = new FakeCluster()
  for (const broker of cluster.brokers.values()) broker.fetchVersion = version
  const [partition] = cluster.create('orders', 1).partitions
  assert.ok(partition !== undefined)
  partition.append('0')
  const started = startReading(cluster, options)
  started.fetcher.seek('orders', 0, 0n)
  await until(() => started.fetcher.position('orders', 0) === 1n)
  return { ...started, cluster, partition }
}

async function readsOn({ fetcher, partition, values }: Setting): Promise<void> {
  partition.append('on')
  await until(() => fetcher.position('orders', 0) === partition.end, 'reading goes on')
  assert.equal(values('orders', 0).at(-1), 'on')
  await fetcher.close()
}

const FAILING = Object.entries(FETCH_REACTIONS).filter(([, { kind }]) => kind === 'fail')
const PASSING = (Object.keys(FETCH_REACTIONS) as BrokerErrorName[]).filter(
  (name) => !FAILING.some(([failing]) => failing === name),
)

test('Every transient error code is reported and retried, after a leader lookup if that helps', async () => {
  assert.equal(PASSING.length, 13)
  for (const name of PASSING) {
    const setting = await reading()
    const { cluster, partition, eventsOf } = setting
    const { lookUps } = cluster
    partition.refusals.push(name, name)
    await until(() => partition.refusals.length === 0, name)
    await readsOn(setting)
    assert.deepEqual(
      eventsOf('refused').map(({ topic, partition: index, reason }) => [topic, index, reason]),
      [
        ['orders', 0, name],
        ['orders', 0, name],
      ],
    )
    assert.equal(eventsOf('failed').length, 0)
    if (FETCH_REACTIONS[name]?.kind === 'look-up') assert.ok(cluster.lookUps > lookUps, name)
  }
})

test('Every permanent error code fails the partition with a code of the catalogue', async () => {
  assert.equal(FAILING.length, 5)
  for (const [name, reaction] of FAILING) {
    const { cluster, fetcher, partition, eventsOf } = await reading()
    partition.refusals.push(name as BrokerErrorName)
    await until(() => eventsOf('failed').length === 1, name)
    const [{ error } = assert.fail()] = eventsOf('failed')
    assert.equal(error.code, 'code' in reaction ? reaction.code : undefined)
    assert.deepEqual(error.context, { topic: 'orders', partition: 0, offset: 1n })
    assert.match(error.message, new RegExp(name))
    const fetches = cluster.brokers.get(1)?.fetches.length
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 2))
    assert.equal(cluster.brokers.get(1)?.fetches.length, fetches)
    await fetcher.close()
  }
})

test('A code missing in the table is treated by its flags, and an unknown one fails', () => {
  assert.equal(fetchReactionTo(BROKER_ERRORS.LISTENER_NOT_FOUND.code).kind, 'look-up')
  assert.equal(fetchReactionTo(BROKER_ERRORS.THROTTLING_QUOTA_EXCEEDED.code).kind, 'retry')
  assert.deepEqual(fetchReactionTo(31_000), { kind: 'fail', code: 'KD_SOURCE_FAILED' })
  for (const name of ['POLICY_VIOLATION', 'INVALID_REQUEST', 'INVALID_TOPIC_EXCEPTION'] as const)
    assert.deepEqual(fetchReactionTo(BROKER_ERRORS[name].code), { kind: 'fail', code: 'KD_KAFKA_REFUSED' })
})

test('A leader that moves is followed, with a lookup unless the broker names the new leader', async () => {
  for (const version of [17, 11]) {
    const setting = await reading({}, version)
    const { cluster, partition, eventsOf } = setting
    partition.leaderId = 2
    partition.leaderEpoch = 6
    await readsOn(setting)
    assert.deepEqual(
      eventsOf('moved').map(({ nodeId, leaderEpoch }) => [nodeId, leaderEpoch]),
      [
        [1, 5],
        [2, 6],
      ],
    )
    if (version === 17)
      assert.deepEqual(cluster.hints[0], { topic: 'orders', partitionIndex: 0, leaderId: 2, leaderEpoch: 6 })
    else assert.equal(cluster.hints.length, 0)
  }
})

test('Fetches are retried until broker and client agree on the leader epoch', async () => {
  const setting = await reading()
  const { partition, eventsOf } = setting
  // The epoch of the leader increases: the fetch is fenced, and the leader is looked up.
  partition.leaderEpoch = 9
  await until(() => eventsOf('refused').some(({ reason }) => reason === 'FENCED_LEADER_EPOCH'))
  partition.append('1')
  await until(() => setting.fetcher.position('orders', 0) === 2n)
  // A restarted broker briefly has an older epoch.
  partition.leaderEpoch = 8
  await until(() => eventsOf('refused').some(({ reason }) => reason === 'UNKNOWN_LEADER_EPOCH'))
  partition.leaderEpoch = 9
  await readsOn(setting)
})

test('An offset outside of the log fails the partition, and the error states the range of the log', async () => {
  const cluster = new FakeCluster([1])
  const [low, high] = cluster.create('orders', 2).partitions
  assert.ok(low !== undefined && high !== undefined)
  for (const partition of [low, high]) partition.append('0', '1', '2', '3')
  low.logStart = 2n
  const { fetcher, eventsOf } = startReading(cluster)
  fetcher.seek('orders', 0, 1n)
  fetcher.seek('orders', 1, 9n)
  await until(() => eventsOf('failed').length === 2)
  const messages = eventsOf('failed').map(({ partition, error }) => [partition, error.code, error.message])
  assert.deepEqual(
    messages.sort().map(([partition, code]) => [partition, code]),
    [
      [0, 'KD_OFFSETS_VANISHED'],
      [1, 'KD_OFFSETS_VANISHED'],
    ],
  )
  assert.match(String(messages[0]?.[2]), /expected offset 1, got a log from 2 to 4/)
  assert.match(String(messages[1]?.[2]), /expected offset 9, got a log from 0 to 4/)
  // After a new seek they are read.
  fetcher.seek('orders', 0, 2n)
  await until(() => fetcher.position('orders', 0) === 4n)
  await fetcher.close()
})

test('A log that was truncated at a change of the leader fails the partition', async () => {
  const { fetcher, partition, eventsOf, cluster } = await reading()
  partition.diverging = { epoch: 4, endOffset: 0n }
  await until(() => eventsOf('failed').length === 1)
  const [{ error } = assert.fail()] = eventsOf('failed')
  assert.equal(error.code, 'KD_OFFSETS_VANISHED')
  assert.match(error.message, /leader epoch 5, got a log that was truncated at 0/)
  await fetcher.close()
  // Each request contains the epoch of the last record.
  const asked = cluster.brokers
    .get(1)
    ?.fetches.flatMap(({ body }) => body.topics.flatMap(({ partitions }) => partitions))
  assert.deepEqual(
    asked?.map(({ fetchOffset, lastFetchedEpoch }) => [fetchOffset, lastFetchedEpoch]).slice(0, 2),
    [
      [0n, -1],
      [1n, -1],
    ],
  )
})

test('A topic that is created again fails its partitions, and one that stays missing fails them after a time', async () => {
  const anew = await reading()
  const topic = anew.cluster.topics.get('orders') ?? assert.fail()
  topic.id = 'b'.repeat(32)
  await until(() => anew.eventsOf('failed').length === 1)
  assert.equal(anew.eventsOf('failed')[0]?.error.code, 'KD_OFFSETS_VANISHED')
  assert.match(anew.eventsOf('failed')[0]?.error.message ?? '', /created again/)
  // A seek accepts the new topic.
  anew.fetcher.seek('orders', 0, 0n)
  await until(() => anew.values('orders', 0).length === 2)
  await anew.fetcher.close()

  // A seek with an id does not, before or after the partition failed, and whether the topic has the partition or not.
  const sought = startReading(anew.cluster)
  for (const partitions of [1, 1, 0]) {
    topic.partitions.length = partitions
    sought.fetcher.seek('orders', 0, 0n, -1, 'c'.repeat(32))
    const before = sought.eventsOf('failed').length
    await until(() => sought.eventsOf('failed').length > before)
  }
  for (const { error } of sought.eventsOf('failed')) assert.match(error.message, /created again/)
  assert.deepEqual(sought.values('orders', 0), [])
  await sought.fetcher.close()

  const missing = await reading({ missingMsMax: 500 })
  const other = missing.cluster.create('other', 1).partitions[0] ?? assert.fail()
  missing.fetcher.seek('other', 0, 0n)
  missing.cluster.topics.delete('orders')
  await until(() => missing.eventsOf('failed').length === 1)
  assert.equal(missing.eventsOf('failed')[0]?.error.code, 'KD_TOPIC_MISSING')
  // Other partitions continue.
  other.append('x')
  await until(() => missing.fetcher.position('other', 0) === 1n)
  await missing.fetcher.close()
})

test('A topic that appears late is read', async () => {
  const cluster = new FakeCluster([1])
  const [partition] = cluster.create('orders', 1).partitions
  cluster.hidden.add('orders')
  const { fetcher, eventsOf } = startReading(cluster)
  fetcher.seek('orders', 0, 0n)
  await until(() => cluster.lookUps >= 3)
  cluster.hidden.clear()
  partition?.append('a')
  await until(() => fetcher.position('orders', 0) === 1n)
  assert.equal(eventsOf('failed').length, 0)
  await fetcher.close()
})

test('A session that the broker refuses is replaced by a new one', async () => {
  for (const name of [
    'FETCH_SESSION_ID_NOT_FOUND',
    'INVALID_FETCH_SESSION_EPOCH',
    'FETCH_SESSION_TOPIC_ID_ERROR',
    'UNKNOWN_SERVER_ERROR',
  ] as const) {
    const setting = await reading()
    const { cluster } = setting
    const broker = cluster.brokers.get(1) ?? assert.fail()
    const id = broker.fetches.at(-1)?.body.sessionId ?? 0
    broker.script.push({ errorCode: BROKER_ERRORS[name].code, responses: [] })
    await until(() => broker.script.length === 0)
    await readsOn(setting)
    const renewed = broker.fetches.slice(2).find(({ body }) => body.sessionEpoch === 0)?.body
    assert.equal(renewed?.topics.length, 1, name)
    // The new session ends one that the broker may still have.
    assert.equal(
      renewed.sessionId,
      sessionReactionTo(BROKER_ERRORS[name].code).session === 'new' ? 0 : id,
      name,
    )
  }
})

test('A whole request that is refused is reported and repeated if it may pass, and fails the partitions otherwise', async () => {
  const refuse = async (name: BrokerErrorName): Promise<Setting> => {
    const setting = await reading()
    const broker = setting.cluster.brokers.get(1) ?? assert.fail()
    broker.script.push({ errorCode: BROKER_ERRORS[name].code, responses: [] })
    await until(() => broker.script.length === 0)
    return setting
  }
  const passing = await refuse('UNKNOWN_SERVER_ERROR')
  await readsOn(passing)
  assert.deepEqual(
    passing.eventsOf('refused').map(({ reason, refusals }) => [reason, refusals]),
    [['UNKNOWN_SERVER_ERROR', 1]],
  )
  for (const name of ['UNSUPPORTED_VERSION', 'INVALID_REQUEST', 'CLUSTER_AUTHORIZATION_FAILED'] as const) {
    const { eventsOf, fetcher } = await refuse(name)
    await until(() => eventsOf('failed').length === 1, name)
    const { error } = eventsOf('failed')[0] ?? assert.fail()
    const code = name === 'CLUSTER_AUTHORIZATION_FAILED' ? 'KD_KAFKA_FORBIDDEN' : 'KD_KAFKA_REFUSED'
    assert.deepEqual([error.code, error.retryable], [code, false])
    assert.match(error.message, new RegExp(`${name} from broker 1`))
    await fetcher.close()
  }
})

test('A response with unrequested partitions starts a new session', async () => {
  const setting = await reading()
  const broker = setting.cluster.brokers.get(1) ?? assert.fail()
  const stranger = { partitionIndex: 7, errorCode: 0, highWatermark: 3n, records: null }
  broker.script.push({ sessionId: 99, responses: [{ topicId: 'c'.repeat(32), partitions: [stranger] }] })
  await until(() => broker.script.length === 0)
  await readsOn(setting)
  assert.equal(broker.fetches.filter(({ body }) => body.sessionEpoch === 0).length, 2)
})

test('A broker that does not respond is reported within the timeout, and read again when it responds', async () => {
  const setting = await reading({ requestTimeoutMs: 300 })
  const { cluster, eventsOf, partition } = setting
  const broker = cluster.brokers.get(1) ?? assert.fail()
  broker.script.push('hang', 'hang', 'break')
  await until(() => eventsOf('broker-failed').length === 3)
  assert.deepEqual(
    eventsOf('broker-failed').map(({ nodeId, error }) => [nodeId, (error as { code?: string }).code]),
    Array.from({ length: 3 }, () => [1, 'KD_KAFKA_UNREACHABLE']),
  )
  assert.ok(broker.fetches.every(({ options }) => (options.timeoutMs ?? Infinity) <= 300))
  await readsOn(setting)
  assert.equal(eventsOf('broker-answers').length, 1)
  assert.equal(partition.end, 2n)
})

test('A failed metadata request is reported and retried', async () => {
  const cluster = new FakeCluster([1])
  cluster.create('orders', 1).partitions[0]?.append('a')
  const failure = (detail: string): Error => new PipelineError('KD_KAFKA_UNREACHABLE', detail)
  cluster.metadataFailures.push(failure('first'), failure('second'))
  const { fetcher, eventsOf } = startReading(cluster)
  fetcher.seek('orders', 0, 0n)
  await until(() => fetcher.position('orders', 0) === 1n)
  assert.deepEqual(
    eventsOf('metadata-failed').map(({ error }) => /first|second/.exec((error as Error).message)?.[0]),
    ['first', 'second'],
  )
  await fetcher.close()
})

const PERMANENT: readonly Error[] = [
  new PipelineError('KD_KAFKA_AUTH_FAILED', 'expected a successful login; check kafka.sasl'),
  new PipelineError('KD_KAFKA_TLS_FAILED', 'the certificate has expired; renew it'),
  new PipelineError('KD_KAFKA_FORBIDDEN', 'expected the right to Describe'),
  new PipelineError('KD_SOURCE_FAILED', 'expected a version of Fetch', {}, { retryable: false }),
  new TypeError('a programming error'),
]

test('An error that cannot pass fails the partitions of its broker at once, with its code and message', async () => {
  for (const error of PERMANENT) {
    const setting = await reading()
    const { cluster, fetcher, eventsOf } = setting
    const other = cluster.create('other', 1).partitions[0] ?? assert.fail()
    other.leaderId = 2
    fetcher.seek('other', 0, 0n)
    fetcher.pause('orders', 0)
    fetcher.resume('orders', 0)
    cluster.brokers.get(1)?.script.push(error)
    await until(() => eventsOf('failed').length === 1, error.message)
    const [failed] = eventsOf('failed')
    assert.equal(failed?.topic, 'orders')
    if (error instanceof PipelineError) assert.equal(failed.error, error)
    else assert.deepEqual([failed.error.code, failed.error.cause], ['KD_SOURCE_FAILED', error])
    assert.equal(eventsOf('broker-failed').length, 0)
    // Partitions of other brokers are read on.
    other.append('x')
    await until(() => fetcher.position('other', 0) === 1n)
    await fetcher.close()
  }
})

test('A lookup of leaders or of a range that cannot succeed fails the partitions', async () => {
  for (const error of PERMANENT) {
    const { cluster, fetcher, partition, eventsOf } = await reading()
    cluster.metadataFailures.push(error)
    partition.refusals.push('NOT_LEADER_OR_FOLLOWER')
    await until(() => eventsOf('failed').length === 1, error.message)
    if (error instanceof PipelineError) assert.equal(eventsOf('failed')[0]?.error, error)
    assert.equal(eventsOf('metadata-failed').length, 0)
    await fetcher.close()
  }
  const { cluster, fetcher, partition, eventsOf } = await reading()
  cluster.brokers.get(1)?.offsetRefusals.push('TOPIC_AUTHORIZATION_FAILED')
  partition.refusals.push('OFFSET_OUT_OF_RANGE')
  await until(() => eventsOf('failed').length === 1)
  assert.equal(eventsOf('failed')[0]?.error.code, 'KD_KAFKA_FORBIDDEN')
  await fetcher.close()
})

test('Refusals are counted while they last', async () => {
  const setting = await reading()
  setting.partition.refusals.push('KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR')
  await until(() => setting.partition.refusals.length === 0)
  setting.partition.append('1')
  await until(() => setting.fetcher.position('orders', 0) === 2n)
  setting.partition.refusals.push('KAFKA_STORAGE_ERROR')
  await until(() => setting.partition.refusals.length === 0)
  await readsOn(setting)
  assert.deepEqual(
    setting.eventsOf('refused').map(({ refusals }) => refusals),
    [1, 2, 1],
  )
})

test('The preferred replica is read until it returns an error, fails or its time is over', async () => {
  const setting = await reading({ rackId: 'here', replicaMsMax: 3_000 })
  const { cluster, partition, fetcher, eventsOf } = setting
  const [leader, replica] = [cluster.brokers.get(1) ?? assert.fail(), cluster.brokers.get(2) ?? assert.fail()]
  assert.equal(leader.fetches[0]?.body.rackId, 'here')
  partition.preferred = 2
  await until(() => replica.fetches.length > 0)
  partition.append('1')
  await until(() => fetcher.position('orders', 0) === 2n)
  // The replica lags behind: only the leader knows the range.
  const asked = leader.fetches.length
  partition.refusals.push('OFFSET_OUT_OF_RANGE')
  await until(() => leader.fetches.length > asked)
  await until(() => eventsOf('moved').filter(({ nodeId }) => nodeId === 2).length >= 2)
  replica.script.push('break')
  await until(() => eventsOf('broker-failed').some(({ nodeId }) => nodeId === 2))
  await until(() => eventsOf('moved').filter(({ nodeId }) => nodeId === 2).length >= 3)
  // After its time the leader is read again.
  const before = leader.fetches.length
  await until(() => leader.fetches.length > before)
  assert.equal(eventsOf('failed').length, 0)
  partition.preferred = undefined
  await readsOn(setting)
})
