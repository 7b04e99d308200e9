import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeCluster } from './support/fake-cluster.ts'
import { startReading, until } from './support/reading.ts'

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String(from + i))

test('Partitions of several topics and brokers are read in order, with topic ids and sessions', async () => {
  const cluster = new FakeCluster()
  const orders = cluster.create('orders', 3)
  const [other] = cluster.create('other', 1).partitions
  assert.ok(other !== undefined)
  for (const [index, partition] of orders.partitions.entries()) partition.leaderId = 1 + (index % 2)
  const { fetcher, values, fetched } = startReading(cluster, { partitionBytesMax: 200 })
  for (const index of [0, 1, 2]) fetcher.seek('orders', index, 0n)
  fetcher.seek('other', 0, 0n)
  for (let number = 0; number < 60; number += 3)
    for (const partition of [...orders.partitions, other]) partition.append(...numbers(number, number + 3))
  await until(() => [0, 1, 2].every((index) => fetcher.position('orders', index) === 60n))
  await until(() => fetcher.position('other', 0) === 60n)
  for (const index of [0, 1, 2]) assert.deepEqual(values('orders', index), numbers(0, 60))
  assert.deepEqual(values('other', 0), numbers(0, 60))
  // Each delivery starts at the end of the previous one.
  let next = 0n
  for (const each of fetched.filter(({ topic, partition }) => topic === 'orders' && partition === 0)) {
    assert.equal(each.first, next)
    next = each.last + 1n
    assert.equal(each.highWatermark, 60n)
    assert.equal(each.leaderEpoch, 5)
  }
  await fetcher.close()
  for (const broker of cluster.brokers.values()) {
    assert.equal(broker.inFlightMax, 1)
    const epochs = broker.fetches.map(({ body }) => body.sessionEpoch)
    assert.deepEqual(epochs.slice(0, 3), [0, 1, 2])
    // Closing the fetcher ends the session.
    assert.equal(epochs.at(-1), -1)
    assert.equal(broker.sessions.size, 0)
    assert.equal(broker.fetches[0]?.version, 17)
  }
})

test('Old brokers are read without topic ids and without sessions', async () => {
  for (const version of [4, 6, 7, 11, 12]) {
    const cluster = new FakeCluster([1])
    const [partition] = cluster.create('orders', 1).partitions
    const [broker] = cluster.brokers.values()
    assert.ok(partition !== undefined && broker !== undefined)
    broker.fetchVersion = version
    broker.keepsSessions = version >= 7
    const { fetcher, values } = startReading(cluster)
    fetcher.seek('orders', 0, 1n)
    partition.append('0', '1', '2')
    await until(() => fetcher.position('orders', 0) === 3n)
    partition.append('3')
    await until(() => fetcher.position('orders', 0) === 4n)
    assert.deepEqual(values('orders', 0), ['1', '2', '3'], `version ${version}`)
    await fetcher.close()
  }
})

test('A paused partition delivers nothing and does not delay others; resumed, it continues at its position', async () => {
  const cluster = new FakeCluster([1])
  const [first, second] = cluster.create('orders', 2).partitions
  assert.ok(first !== undefined && second !== undefined)
  const { fetcher, values } = startReading(cluster)
  first.append('a')
  fetcher.seek('orders', 0, 0n)
  fetcher.seek('orders', 1, 0n)
  await until(() => fetcher.position('orders', 0) === 1n)
  fetcher.pause('orders', 0)
  first.append('b')
  second.append('x')
  await until(() => fetcher.position('orders', 1) === 1n)
  second.append('y')
  await until(() => fetcher.position('orders', 1) === 2n)
  assert.deepEqual(values('orders', 0), ['a'])
  fetcher.resume('orders', 0)
  await until(() => fetcher.position('orders', 0) === 2n)
  assert.deepEqual(values('orders', 0), ['a', 'b'])
  await fetcher.close()
})

test('While a delivery is pending, one more response is buffered and no further request is sent', async () => {
  const cluster = new FakeCluster([1])
  const [partition] = cluster.create('orders', 1).partitions
  const [broker] = cluster.brokers.values()
  assert.ok(partition !== undefined && broker !== undefined)
  const waiting: (() => void)[] = []
  const { fetcher, values, fetched } = startReading(cluster, {
    partitionBytesMax: 1,
    deliver: () => new Promise((resolve) => waiting.push(resolve)),
  })
  for (const number of numbers(0, 10)) partition.append(number)
  fetcher.seek('orders', 0, 0n)
  await until(() => broker.fetches.length === 2 && broker.inFlight === 0)
  // Leaves time for further requests.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 2))
  assert.equal(broker.fetches.length, 2)
  assert.equal(fetched.length, 1)
  for (let done = 0; done < 10; done++) {
    await until(() => waiting.length === 1)
    assert.equal(fetched.length, done + 1)
    waiting.pop()?.()
  }
  assert.deepEqual(values('orders', 0), numbers(0, 10))
  await fetcher.close()
})

test('A seek discards records in flight for the old position, also between two parts of a response', async () => {
  const cluster = new FakeCluster([1])
  const [partition] = cluster.create('orders', 1).partitions
  assert.ok(partition !== undefined)
  for (const number of numbers(0, 10)) partition.append(number)
  const { fetcher, values, fetched } = startReading(cluster, {
    readBytesMax: 1,
    deliver: (each) => {
      if (each.first === 2n && fetched.length === 3) {
        fetcher.seek('orders', 0, 7n)
        assert.equal(each.isCurrent(), false)
      }
      return undefined
    },
  })
  fetcher.seek('orders', 0, 0n)
  await until(() => fetcher.position('orders', 0) === 10n)
  assert.deepEqual(values('orders', 0), ['0', '1', '2', '7', '8', '9'])
  assert.equal(fetched.at(-1)?.isCurrent(), true)
  fetcher.drop('orders', 0)
  assert.equal(fetched.at(-1)?.isCurrent(), false)
  assert.equal(fetcher.position('orders', 0), undefined)
  partition.append('more')
  fetcher.seek('orders', 0, 9n)
  await until(() => fetcher.position('orders', 0) === 11n)
  assert.deepEqual(values('orders', 0).slice(-2), ['9', 'more'])
  await fetcher.close()
})

test('With read_committed, reading stops at the last stable offset, and its changes are reported', async () => {
  const cluster = new FakeCluster([1])
  const [partition] = cluster.create('orders', 1).partitions
  assert.ok(partition !== undefined)
  partition.append('0', '1', '2')
  partition.stable = 2n
  const { fetcher, values, eventsOf } = startReading(cluster)
  fetcher.seek('orders', 0, 0n)
  await until(() => fetcher.position('orders', 0) === 2n)
  assert.deepEqual(fetcher.ends('orders', 0), { logStart: 0n, highWatermark: 3n, lastStableOffset: 2n })
  partition.stable = undefined
  partition.append('3')
  await until(() => fetcher.position('orders', 0) === 4n)
  assert.deepEqual(values('orders', 0), ['0', '1', '2', '3'])
  assert.deepEqual(
    eventsOf('ends').map(({ lastStableOffset }) => lastStableOffset),
    [2n, 4n],
  )
  await fetcher.close()
})

test('A corrupt batch fails its partition after the records before it were delivered, and no other partition', async () => {
  const cluster = new FakeCluster([1])
  const [first, second] = cluster.create('orders', 2).partitions
  assert.ok(first !== undefined && second !== undefined)
  first.append('good')
  first.append('bad')
  const { bytes } = first.entries[1] ?? assert.fail()
  bytes[70] = (bytes[70] ?? 0) ^ 1
  const { fetcher, values, eventsOf } = startReading(cluster)
  fetcher.seek('orders', 0, 0n)
  fetcher.seek('orders', 1, 0n)
  await until(() => eventsOf('failed').length === 1)
  const [{ error } = assert.fail()] = eventsOf('failed')
  assert.equal(error.code, 'KD_RECORDS_CORRUPT')
  assert.deepEqual(error.context, { topic: 'orders', partition: 0, offset: 1n })
  assert.deepEqual(values('orders', 0), ['good'])
  second.append('x')
  await until(() => fetcher.position('orders', 1) === 1n)
  // A seek may skip it.
  first.append('after')
  fetcher.seek('orders', 0, 2n)
  await until(() => fetcher.position('orders', 0) === 3n)
  assert.deepEqual(values('orders', 0), ['good', 'after'])
  await fetcher.close()
})

test('A broker that answers with later offsets only, again and again, fails the partition at the offset that is missing', async () => {
  for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
    const cluster = new FakeCluster([1])
    const [partition = assert.fail()] = cluster.create('orders', 1).partitions
    partition.append('good')
    partition.append('moved')
    const { bytes } = partition.entries[1] ?? assert.fail()
    // No checksum covers the offset.
    bytes.writeBigInt64BE(1_000n, 0)
    const { fetcher, values, eventsOf } = startReading(cluster, { isolation })
    fetcher.seek('orders', 0, 0n)
    await until(() => eventsOf('failed').length === 1)
    const [{ error } = assert.fail()] = eventsOf('failed')
    assert.equal(error.code, 'KD_RECORDS_CORRUPT')
    assert.deepEqual(error.context, { topic: 'orders', partition: 0, offset: 1n })
    assert.deepEqual(values('orders', 0), ['good'])
    await fetcher.close()
  }
})

test('A rejected delivery fails its partition', async () => {
  const cluster = new FakeCluster([1])
  cluster.create('orders', 1).partitions[0]?.append('a')
  const { fetcher, eventsOf } = startReading(cluster, { deliver: () => Promise.reject(new Error('no room')) })
  fetcher.seek('orders', 0, 0n)
  await until(() => eventsOf('failed').length === 1)
  assert.match(eventsOf('failed')[0]?.error.message ?? '', /no room/)
  await fetcher.close()
})

test('A closed fetcher delivers nothing more', async () => {
  const cluster = new FakeCluster([1])
  const [partition] = cluster.create('orders', 1).partitions
  const { fetcher, fetched } = startReading(cluster)
  fetcher.seek('orders', 0, 0n)
  await until(() => (cluster.brokers.get(1)?.fetches.length ?? 0) > 0)
  await fetcher.close()
  partition?.append('late')
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 2))
  assert.equal(fetched.length, 0)
})

test('A partition that cannot be read says why and since when: its broker, its leader or itself', async () => {
  const cluster = new FakeCluster([1, 2])
  const [first, second] = cluster.create('orders', 2).partitions
  assert.ok(first !== undefined && second !== undefined)
  second.leaderId = 2
  const broken = cluster.brokers.get(2)
  assert.ok(broken !== undefined)
  const { fetcher } = startReading(cluster)
  const reasonOf = (partition: number): string => fetcher.obstacle('orders', partition)?.reason ?? ''
  for (const index of [0, 1]) fetcher.seek('orders', index, 0n)
  await until(() => broken.fetches.length > 1)
  assert.deepEqual([fetcher.obstacle('orders', 0), fetcher.obstacle('orders', 1)], [undefined, undefined])
  // A broker that keeps a request is silent long before the request times out.
  broken.script.push('hang')
  await until(() => reasonOf(1) === 'broker 2 does not answer')
  assert.equal(fetcher.obstacle('orders', 0), undefined)
  broken.script.push(...Array<'break'>(100_000).fill('break'))
  await until(() => reasonOf(1).includes('the connection broke'))
  assert.match(reasonOf(1), /^broker 2 does not answer: .*the connection broke/)
  second.leaderId = -1
  second.leaderEpoch++
  await until(() => reasonOf(1) === 'it has no leader')
  broken.script.length = 0
  second.leaderId = 2
  second.leaderEpoch++
  await until(() => fetcher.obstacle('orders', 1) === undefined)
  first.refusals.push(...Array<'KAFKA_STORAGE_ERROR'>(3).fill('KAFKA_STORAGE_ERROR'))
  await until(() => reasonOf(0) === 'broker 1 answers KAFKA_STORAGE_ERROR')
  await until(() => fetcher.obstacle('orders', 0) === undefined)
  await fetcher.close()
})
