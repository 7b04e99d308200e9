import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionPool, type PoolOptions } from '../../../src/kafka/wire/connection-pool.ts'
import type { PooledConnection } from '../../../src/kafka/wire/network/connect.ts'
import { HeldClock, settled } from '../../support/flow/held-clock.ts'

interface FakeConnection extends PooledConnection {
  isOpen: boolean
  isIdle: boolean
  lastUsedMs: number
}

function fakeConnection(nodeId: number): FakeConnection {
  const connection: FakeConnection = {
    ...{ nodeId, isOpen: true, isIdle: true, lastUsedMs: 0, address: `kafka-${nodeId}:9092` },
    versionOf: () => undefined,
    request: () => Promise.reject(new Error('not here')),
    close: () => {
      connection.isOpen = false
      return Promise.resolve()
    },
  }
  return connection
}

function poolWith(options: Partial<PoolOptions> = {}): {
  readonly pool: ConnectionPool
  readonly clock: HeldClock
  readonly opened: FakeConnection[]
} {
  const clock = new HeldClock()
  const opened: FakeConnection[] = []
  const connect = (nodeId: number): Promise<PooledConnection> => {
    const connection = fakeConnection(nodeId)
    opened.push(connection)
    return Promise.resolve(connection)
  }
  const backoff = { minBackoffMs: 100, maxBackoffMs: 1_000, random: () => 0.5 }
  return {
    pool: new ConnectionPool({ connectionsMax: 3, backoff, clock, connect, ...options }),
    clock,
    opened,
  }
}

test('A broker has one connection for each purpose, shared by all callers', async () => {
  const { pool, opened } = poolWith()
  const [a, b, c] = await Promise.all([pool.get(1, 'data'), pool.get(1, 'data'), pool.get(1, 'group')])
  assert.equal(a, b)
  assert.notEqual(a, c)
  assert.equal(await pool.get(1, 'data'), a)
  assert.equal(opened.length, 2)
  assert.equal(pool.isOpen(1, 'data'), true)
  assert.equal(pool.isOpen(2, 'data'), false)
})

test('An unreachable broker is tried again with growing backoff', async () => {
  let tries = 0
  const { pool, clock } = poolWith({
    connect: () => {
      tries++
      return Promise.reject(new Error('refused'))
    },
  })
  await assert.rejects(pool.get(1, 'data'), /refused/)
  for (const pauseMs of [100, 200, 400, 800, 1_000, 1_000]) {
    const before = tries
    const next = pool.get(1, 'data')
    void next.catch(() => undefined)
    await clock.advance(pauseMs - 1)
    assert.equal(tries, before)
    await clock.advance(1)
    await assert.rejects(next, /refused/)
    assert.equal(tries, before + 1)
  }
})

test('A long-lived connection is replaced at once, one that broke early after a pause', async () => {
  const { pool, clock, opened } = poolWith()
  const first = await pool.get(1, 'data')
  await clock.advance(1_000)
  await first.close()
  const second = await pool.get(1, 'data')
  assert.notEqual(first, second)
  await second.close()
  const third = pool.get(1, 'data')
  await clock.advance(99)
  assert.equal(opened.length, 2)
  await clock.advance(1)
  await third
  assert.equal(opened.length, 3)
})

test('At the maximum, the connection that was idle the longest is closed', async () => {
  const { pool, opened } = poolWith()
  for (const nodeId of [1, 2, 3]) await pool.get(nodeId, 'data')
  const [one, two, three] = opened as [FakeConnection, FakeConnection, FakeConnection]
  one.isIdle = false
  two.lastUsedMs = 20
  three.lastUsedMs = 10
  await pool.get(4, 'data')
  assert.deepEqual([one.isOpen, two.isOpen, three.isOpen], [true, true, false])
  for (const connection of opened) connection.isIdle = false
  await assert.rejects(pool.get(5, 'data'), {
    code: 'KD_SOURCE_FAILED',
    message: /an idle connection to close among the maximum of 3/,
  })
})

test('A closed pool opens no connection, and closes those that are being opened', async () => {
  const late = fakeConnection(1)
  let finish: (connection: PooledConnection) => void = () => undefined
  const { pool } = poolWith({ connect: () => new Promise((resolve) => (finish = resolve)) })
  const opening = pool.get(1, 'data')
  void opening.catch(() => undefined)
  await settled()
  await pool.close()
  finish(late)
  await assert.rejects(opening, { code: 'KD_KAFKA_UNREACHABLE', retryable: false })
  assert.equal(late.isOpen, false)
  await assert.rejects(pool.get(2, 'data'), { code: 'KD_KAFKA_UNREACHABLE' })
})

test('Closing the pool ends the wait for a backoff', async () => {
  const { pool } = poolWith({ connect: () => Promise.reject(new Error('refused')) })
  await assert.rejects(pool.get(1, 'data'), /refused/)
  const waiting = pool.get(1, 'data')
  void waiting.catch(() => undefined)
  await settled()
  await pool.close()
  await assert.rejects(waiting)
})

test('The connections to a broker that has moved are closed', async () => {
  const { pool, opened } = poolWith()
  await pool.get(1, 'data')
  await pool.get(1, 'group')
  await pool.get(11, 'data')
  await pool.drop(1)
  assert.deepEqual(
    opened.map(({ isOpen }) => isOpen),
    [false, false, true],
  )
})
