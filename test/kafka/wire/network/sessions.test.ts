// Goal: a connection survives the end of its session, and a cluster a restart of its broker.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../../../../src/core/clock.ts'
import { PipelineError } from '../../../../src/core/errors.ts'
import { connectBroker, type PooledConnection } from '../../../../src/kafka/wire/network/connect.ts'
import type { WireOptions } from '../../../../src/kafka/wire/network/options.ts'
import { openCluster } from '../../../../src/kafka/wire/open-cluster.ts'
import { type KafkaServer, startKafka } from '../../../../src/local-servers/kafka.ts'
import { openPlain } from '../support/fake-broker.ts'

const SESSION_MS = 3_000
const LOGIN = { mechanism: 'plain', username: 'alice', password: 'open-sesame' } as const

let kafka: KafkaServer
before(async () => {
  kafka = await startKafka({
    listeners: [
      {
        name: 'PLAIN',
        protocol: 'SASL_PLAINTEXT',
        config: {
          'sasl.enabled.mechanisms': 'PLAIN',
          'plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${LOGIN.username}="${LOGIN.password}";`,
          'connections.max.reauth.ms': String(SESSION_MS),
        },
      },
    ],
  })
})
after(() => kafka.stop())

async function connectionWith(options: Partial<WireOptions> = {}): Promise<PooledConnection> {
  const [host = '', port = ''] = kafka.brokerOf('PLAIN').split(':')
  const address = { host, port: Number(port) }
  return connectBroker(address, { clientId: 'test', openSocket: openPlain, login: LOGIN, ...options })
}

test('A connection survives the end of its session only with a renewal', async () => {
  // With a stopped clock the client never renews the session.
  const still = await connectionWith({ clock: { ...systemClock, now: () => 0 } })
  const renewed = await connectionWith()
  try {
    for (let round = 0; round < 2; round++) {
      await systemClock.sleep(SESSION_MS + 500)
      await renewed.request('Metadata', { topics: [] })
    }
    assert.equal(renewed.isOpen, true)
    await assert.rejects(still.request('Metadata', { topics: [] }), { code: 'KD_KAFKA_UNREACHABLE' })
  } finally {
    await still.close()
    await renewed.close()
  }
})

test('A cluster continues when its broker is killed and restarted', async (t) => {
  const cluster = openCluster({ clientId: 'test', openSocket: openPlain, brokers: kafka.brokers })
  t.after(() => cluster.close())
  const before = await cluster.broker(1)
  const [group] = await Promise.all([cluster.coordinator('g'), before.request('Metadata', { topics: [] })])
  await kafka.halt()
  await assert.rejects(before.request('Metadata', { topics: [] }), {
    code: 'KD_KAFKA_UNREACHABLE',
    retryable: true,
  })
  await assert.rejects(cluster.broker(1), { code: 'KD_KAFKA_UNREACHABLE', retryable: true })
  const [found] = await Promise.all([untilThere(() => cluster.coordinator('g')), kafka.resume()])
  assert.notEqual(found, group)
  const { brokers } = await cluster.metadata([], { refresh: true })
  assert.equal(brokers.length, 1)
  await (await untilThere(() => cluster.broker(1))).request('Metadata', { topics: [] })
})

/** Retries while a broker is down, as a reader does. */
async function untilThere<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof PipelineError && error.retryable)) throw error
    }
  }
}
