import assert from 'node:assert/strict'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { messageOf } from '../../../../src/core/errors.ts'
import { connectBroker, type PooledConnection } from '../../../../src/kafka/wire/network/connect.ts'
import type { WireOptions } from '../../../../src/kafka/wire/network/options.ts'
import { HeldClock, settled } from '../../../support/flow/held-clock.ts'
import {
  type AnswerRequest,
  fakeBroker,
  type FakeBroker,
  type FakeBrokerOptions,
  openPlain,
  responseFrame,
  versionsBody,
} from '../support/fake-broker.ts'

const HEARTBEAT = { groupId: 'g', generationId: 1, memberId: 'm' }
const OPTIONS: WireOptions = { clientId: 'test', openSocket: openPlain, random: () => 0.5 }

interface Connected {
  readonly broker: FakeBroker
  readonly connection: PooledConnection
}

async function connected(
  t: TestContext,
  answer: AnswerRequest,
  options: Partial<WireOptions> = {},
  form: FakeBrokerOptions = {},
): Promise<Connected> {
  const broker = await fakeBroker(answer, form)
  t.after(() => broker.stop())
  const address = { host: broker.host, port: broker.port, nodeId: 3 }
  const connection = await connectBroker(address, { ...OPTIONS, ...options })
  t.after(() => connection.close())
  return { broker, connection }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await settled()
}

test('Requests use the newest common version, up to a bound', async (t) => {
  const { broker, connection } = await connected(
    t,
    () => ({ errorCode: 0 }),
    {},
    { answerVersions: () => versionsBody({ Heartbeat: [1, 3], ConsumerGroupHeartbeat: [7, 9] }) },
  )
  assert.equal(connection.nodeId, 3)
  assert.equal(connection.isOpen, true)
  assert.equal(connection.versionOf('Heartbeat'), 3)
  assert.equal(connection.versionOf('ConsumerGroupHeartbeat'), undefined)
  await connection.request('Heartbeat', HEARTBEAT)
  await connection.request('Heartbeat', HEARTBEAT, { versionMax: 2 })
  await connection.request('Heartbeat', HEARTBEAT, { versionMax: 9 })
  assert.deepEqual(
    broker.heard.map(({ version }) => version),
    [3, 2, 3],
  )
  await assert.rejects(connection.request('Heartbeat', HEARTBEAT, { versionMax: 0 }), {
    code: 'KD_SOURCE_FAILED',
    retryable: false,
    message: /a version of Heartbeat up to 0/,
  })
  const beat = { groupId: 'g', memberId: 'm', memberEpoch: 0 }
  await assert.rejects(
    connection.request('ConsumerGroupHeartbeat', beat),
    /a version of ConsumerGroupHeartbeat/,
  )
})

test('A broker that responds to ApiVersions in version 0 gets a second request', async (t) => {
  const asked: number[] = []
  const { connection } = await connected(
    t,
    () => ({ errorCode: 0 }),
    {},
    {
      answerVersions: (request) => {
        asked.push(request.version)
        if (request.version <= 3) return versionsBody()
        return responseFrame(request, { ...versionsBody({ ApiVersions: [0, 3] }), errorCode: 35 }, 0)
      },
    },
  )
  assert.deepEqual(asked, [5, 3])
  assert.equal(connection.versionOf('Heartbeat'), 4)
})

test('Connecting to a broker that accepts connections and never responds fails in time', async (t) => {
  const clock = new HeldClock()
  const broker = await fakeBroker(() => undefined, { answerVersions: () => undefined })
  t.after(() => broker.stop())
  const connecting = connectBroker(broker, { ...OPTIONS, clock, connectTimeoutMs: 2_000 })
  void connecting.catch(() => undefined)
  await until(() => broker.connections === 1 && clock.sleepers > 0)
  while (clock.now() < 4_000) await clock.advance(500)
  await assert.rejects(connecting, {
    code: 'KD_KAFKA_UNREACHABLE',
    message: /no response to ApiVersions within 2000 ms/,
  })
})

test('Connecting to an address that accepts no connections fails in time', async () => {
  const clock = new HeldClock()
  const silent = new Socket()
  const connecting = connectBroker(
    { host: 'nowhere', port: 1 },
    { ...OPTIONS, clock, openSocket: () => silent, connectTimeoutMs: 2_000 },
  )
  void connecting.catch(() => undefined)
  await clock.advance(2_000)
  await assert.rejects(connecting, {
    code: 'KD_KAFKA_UNREACHABLE',
    message: /no connection within 2000 ms \(broker nowhere:1\)/,
  })
  assert.equal(silent.destroyed, true)
})

test('A refused connection, a socket that cannot be opened and a TLS fault have different errors', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const address = { host: '127.0.0.1', port }
  await assert.rejects(connectBroker(address, OPTIONS), {
    code: 'KD_KAFKA_UNREACHABLE',
    message: /ECONNREFUSED/,
  })
  const unopened = (): Socket => {
    throw new Error('no such file')
  }
  await assert.rejects(connectBroker(address, { ...OPTIONS, openSocket: unopened }), {
    code: 'KD_KAFKA_UNREACHABLE',
    message: /no such file/,
  })
  const explainFault = (
    code: string,
  ): { problem: string; remedy: string; isTransient: boolean } | undefined =>
    code === 'ECONNREFUSED' ? { problem: 'a fault', remedy: 'mend it', isTransient: true } : undefined
  await assert.rejects(connectBroker(address, { ...OPTIONS, explainFault }), {
    code: 'KD_KAFKA_TLS_FAILED',
    retryable: true,
    message: /a fault \(ECONNREFUSED\); mend it/,
  })
})

test('A connection that is closed at the first request suggests a missing login', async (t) => {
  const { connection } = await connected(t, ({ socket }) => {
    socket.destroy()
    return undefined
  })
  await assert.rejects(connection.request('Heartbeat', HEARTBEAT), {
    code: 'KD_KAFKA_UNREACHABLE',
    message: /listeners that require a login do this: set kafka.sasl/,
  })
  assert.equal(connection.isOpen, false)
})

test('A connection that is closed later does not', async (t) => {
  const { broker, connection } = await connected(t, () => ({ errorCode: 0 }))
  await connection.request('Heartbeat', HEARTBEAT)
  broker.cut()
  await until(() => !connection.isOpen)
  const error = await connection.request('Heartbeat', HEARTBEAT).catch((thrown: unknown) => thrown)
  assert.match(messageOf(error), /the broker closed the connection \(broker/)
})

test('The wait of a long poll is added to the request timeout', async (t) => {
  const clock = new HeldClock()
  const broker = await fakeBroker(() => undefined)
  t.after(() => broker.stop())
  const connection = await connectBroker(broker, { ...OPTIONS, clock, requestTimeoutMs: 1_000 })
  const fetching = connection.request('Fetch', { maxWaitMs: 500, minBytes: 1, topics: [] })
  void fetching.catch(() => undefined)
  await until(() => broker.heard.length === 1)
  await clock.advance(1_499)
  assert.equal(connection.isOpen, true)
  await clock.advance(1)
  await assert.rejects(fetching, /no response to Fetch within 1500 ms/)
})

test('Silence is told five seconds after a broker should have responded, while it connects and afterwards, but not while members join', async (t) => {
  const clock = new HeldClock()
  const told: string[] = []
  const answers = {
    answered: () => undefined,
    unanswered: (_: number, { message }: Error): void => void told.push(message),
  }
  const unconnected = new Socket()
  const options = { ...OPTIONS, clock, answers }
  const connecting = connectBroker(
    { host: 'nowhere', port: 1 },
    { ...options, openSocket: () => unconnected },
  )
  void connecting.catch(() => undefined)
  await clock.advance(5_000)
  assert.match(told.splice(0).join(), /no connection within 5000 ms \(broker nowhere:1\)/)
  unconnected.destroy()
  await connecting.catch(() => undefined)
  told.length = 0
  const broker = await fakeBroker(() => undefined)
  t.after(() => broker.stop())
  const [reading, joining] = [await connectBroker(broker, options), await connectBroker(broker, options)]
  const asked = [
    reading.request('Fetch', { maxWaitMs: 500, minBytes: 1, topics: [] }),
    joining.request('JoinGroup', {
      ...HEARTBEAT,
      sessionTimeoutMs: 1,
      protocolType: 'consumer',
      protocols: [],
    }),
  ]
  for (const each of asked) void each.catch(() => undefined)
  await until(() => broker.heard.length === 2)
  await clock.advance(5_499)
  assert.deepEqual(told, [])
  await clock.advance(1)
  assert.deepEqual([told.length, told.join().includes('no response to Fetch within 5500 ms')], [1, true])
  await Promise.all([reading.close(), joining.close()])
})

/** A broker that accepts any login; its sessions last ten seconds. */
function broken(log: string[], refuseFrom = Infinity): AnswerRequest {
  let logins = 0
  return (request) => {
    log.push(request.api)
    if (request.api === 'SaslHandshake') return { errorCode: 0, mechanisms: ['PLAIN'] }
    if (request.api !== 'SaslAuthenticate') return { errorCode: 0 }
    return ++logins > refuseFrom
      ? { errorCode: 58, errorMessage: 'expired' }
      : { errorCode: 0, sessionLifetimeMs: 10_000n }
  }
}

test('A session is renewed on the same connection before it expires, with no other request in flight', async (t) => {
  const clock = new HeldClock()
  const log: string[] = []
  const tokens: string[] = []
  const token = (): Promise<{ value: string }> => {
    tokens.push(`token-${tokens.length}`)
    return Promise.resolve({ value: tokens.at(-1) as string })
  }
  const { broker, connection } = await connected(t, broken(log), { clock, login: { token } })
  assert.deepEqual(log.splice(0), ['SaslHandshake', 'SaslAuthenticate'])
  await clock.advance(8_999)
  await connection.request('Heartbeat', HEARTBEAT)
  assert.deepEqual(log.splice(0), ['Heartbeat'])
  await clock.advance(1)
  await Promise.all([1, 2, 3].map(() => connection.request('Heartbeat', HEARTBEAT)))
  assert.deepEqual(log.splice(0), [
    'SaslHandshake',
    'SaslAuthenticate',
    'Heartbeat',
    'Heartbeat',
    'Heartbeat',
  ])
  await clock.advance(8_999)
  await connection.request('Heartbeat', HEARTBEAT)
  assert.deepEqual(log.splice(0), ['Heartbeat'])
  assert.equal(broker.connections, 1)
  const shown = broker.heard
    .filter(({ api }) => api === 'SaslAuthenticate')
    .map(({ body }) => Buffer.from(body['authBytes'] as Uint8Array).toString())
  assert.deepEqual(
    shown.map((text) => /token-\d/.exec(text)?.[0]),
    ['token-0', 'token-1'],
  )
})

test('A refused renewal closes the connection', async (t) => {
  const clock = new HeldClock()
  const login = { mechanism: 'plain', username: 'alice', password: 'open-sesame' } as const
  const { connection } = await connected(t, broken([], 1), { clock, login })
  await clock.advance(9_000)
  await assert.rejects(connection.request('Heartbeat', HEARTBEAT), {
    code: 'KD_KAFKA_AUTH_FAILED',
    message: /expired/,
  })
  assert.equal(connection.isOpen, false)
})

test('Known cluster and node ids are sent to the broker', async (t) => {
  const bodies: unknown[] = []
  const broker = await fakeBroker(() => undefined, {
    answerVersions: ({ body }) => {
      bodies.push(body)
      return versionsBody()
    },
  })
  t.after(() => broker.stop())
  const place = { host: broker.host, port: broker.port }
  await (await connectBroker({ ...place, nodeId: 7, clusterId: 'abc' }, OPTIONS)).close()
  await (await connectBroker(place, { ...OPTIONS, softwareVersion: '1.2.3' })).close()
  const software = { clientSoftwareName: 'kafka-delta', clientSoftwareVersion: '0' }
  assert.deepEqual(bodies, [
    { ...software, clusterId: 'abc', nodeId: 7 },
    { ...software, clientSoftwareVersion: '1.2.3', clusterId: null, nodeId: -1 },
  ])
})
