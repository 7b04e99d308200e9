// Goal: a real broker accepts valid logins of every kind, and the errors of refused ones state the reason.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { connect as connectSecure, type ConnectionOptions } from 'node:tls'
import { inspect } from 'node:util'
import { type ErrorCode, PipelineError } from '../../../../src/core/errors.ts'
import { connectBroker } from '../../../../src/kafka/wire/network/connect.ts'
import type { WireOptions } from '../../../../src/kafka/wire/network/options.ts'
import type { PasswordLogin, SaslLogin } from '../../../../src/kafka/wire/sasl/login.ts'
import { ALICE, startSecureKafka, type SecureKafka } from '../../../support/servers/secure-kafka.ts'
import { openPlain } from '../support/fake-broker.ts'
import { socketsOfService } from '../support/sockets.ts'

let kafka: SecureKafka
before(async () => {
  kafka = await startSecureKafka()
})
after(async () => {
  await kafka.stop()
})

interface Way {
  readonly tls?: ConnectionOptions
  readonly login?: SaslLogin
  readonly options?: Partial<WireOptions>
}

/** Connects to a listener and sends a request that needs a login. */
async function reach(listener: string, { tls, login, options }: Way = {}): Promise<void> {
  const [host = '', port = ''] = kafka.server.brokerOf(listener).split(':')
  const connection = await connectBroker(
    { host, port: Number(port) },
    {
      clientId: 'test',
      ...socketsOfService(tls),
      ...(login === undefined ? {} : { login }),
      ...options,
    },
  )
  try {
    const metadata = await connection.request('Metadata', { topics: [], allowAutoTopicCreation: false })
    assert.equal(metadata.brokers.length, 1)
  } finally {
    await connection.close()
  }
}

const WRONG = 'wrong-password'

async function refused(reaching: Promise<void>, code: ErrorCode, pattern: RegExp): Promise<void> {
  const error: unknown = await reaching.then(
    () => assert.fail('it was let in'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof PipelineError, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, pattern)
  const shown = inspect(error, { depth: 9 })
  for (const secret of [WRONG, ALICE.password]) assert.ok(!shown.includes(secret), shown)
}

/** Options that trust the broker's authority. */
function trusting(more: ConnectionOptions = {}): ConnectionOptions {
  return { ca: readFileSync(kafka.caFile), ...more }
}

function clientCertificate({ certFile, keyFile }: SecureKafka['client']): ConnectionOptions {
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) }
}

describe('TLS', () => {
  it('a broker with a certificate of a trusted authority is accepted', () =>
    reach('TLS', { tls: trusting() }))

  it('a socket that shares its receive buffer works', () => {
    const openSocket: WireOptions['openSocket'] = ({ host, port, onConnect, onread }) => {
      const options = { host, port, onread, ...trusting() }
      return connectSecure(options, onConnect)
    }
    return reach('TLS', { options: { openSocket } })
  })

  it('a client with a shared receive buffer reports that the port uses TLS', () =>
    refused(
      reach('TLS', { options: { openSocket: openPlain } }),
      'KD_KAFKA_TLS_FAILED',
      /this port uses TLS/,
    ))

  it('a client with a certificate is accepted by a listener that requires one', () =>
    reach('MTLS', { tls: trusting(clientCertificate(kafka.client)) }))

  it('a client without one is refused', () =>
    refused(reach('MTLS', { tls: trusting() }), 'KD_KAFKA_TLS_FAILED', /certificate/))

  it('a client whose certificate has expired is refused', () =>
    refused(
      reach('MTLS', { tls: trusting(clientCertificate(kafka.expiredClient)) }),
      'KD_KAFKA_TLS_FAILED',
      /certificate/,
    ))

  it('an untrusted authority is reported', () =>
    refused(
      reach('TLS', { tls: { ca: readFileSync(kafka.otherCaFile) } }),
      'KD_KAFKA_TLS_FAILED',
      /authority/,
    ))

  it('an expired certificate is reported', () =>
    refused(reach('EXPIRED', { tls: trusting() }), 'KD_KAFKA_TLS_FAILED', /expired/))

  it('a certificate of another host is reported', () =>
    refused(reach('OTHERNAME', { tls: trusting() }), 'KD_KAFKA_TLS_FAILED', /another host name/))

  it('a client without TLS reports that the port uses it', () =>
    refused(reach('TLS'), 'KD_KAFKA_TLS_FAILED', /this port uses TLS/))

  it('a client with TLS reports that the port does not use it', () =>
    refused(
      reach('SCRAM', { tls: trusting() }),
      'KD_KAFKA_TLS_FAILED',
      /closed the connection|does not answer in TLS/,
    ))
})

describe('Passwords', () => {
  const ways: readonly (readonly [PasswordLogin['mechanism'], string, boolean])[] = [
    ['plain', 'PLAIN', true],
    ['scram-sha-256', 'SCRAM', false],
    ['scram-sha-512', 'SCRAM', false],
  ]
  for (const [mechanism, listener, isSecure] of ways) {
    const tls = (): Way => (isSecure ? { tls: trusting() } : {})

    it(`${mechanism} accepts the right password`, () =>
      reach(listener, { ...tls(), login: { mechanism, ...ALICE } }))

    it(`${mechanism} refuses a wrong password`, () =>
      refused(
        reach(listener, { ...tls(), login: { mechanism, ...ALICE, password: WRONG } }),
        'KD_KAFKA_AUTH_FAILED',
        /SASL_AUTHENTICATION_FAILED/,
      ))

    it(`${mechanism} refuses an unknown user`, () =>
      refused(
        reach(listener, { ...tls(), login: { mechanism, username: 'mallory', password: WRONG } }),
        'KD_KAFKA_AUTH_FAILED',
        /SASL_AUTHENTICATION_FAILED/,
      ))
  }

  it('the error for an unsupported mechanism lists the supported ones', () =>
    refused(
      reach('SCRAM', { login: { mechanism: 'plain', ...ALICE } }),
      'KD_KAFKA_AUTH_FAILED',
      /UNSUPPORTED_SASL_MECHANISM; supported: SCRAM-SHA/,
    ))

  it('a login at a listener without logins is refused', () =>
    refused(
      reach('TLS', { tls: trusting(), login: { mechanism: 'plain', ...ALICE } }),
      'KD_KAFKA_AUTH_FAILED',
      /ILLEGAL_SASL_STATE/,
    ))

  it('a missing login is suggested when a listener closes the connection', () =>
    refused(reach('SCRAM'), 'KD_KAFKA_UNREACHABLE', /listeners that require a login do this/))
})

describe('Tokens', () => {
  /** An unsigned token for alice that is valid for some seconds. */
  const tokenFor = (seconds: number): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = Math.floor(Date.now() / 1000)
    return `${part({ alg: 'none' })}.${part({ sub: ALICE.username, iat: now - 100, exp: now + seconds })}.`
  }

  it('a valid token is accepted', () =>
    reach('OAUTH', { login: { token: () => Promise.resolve({ value: tokenFor(600) }) } }))

  it('an expired token is refused', () =>
    refused(
      reach('OAUTH', { login: { token: () => Promise.resolve({ value: tokenFor(-60) }) } }),
      'KD_KAFKA_AUTH_FAILED',
      /invalid_token/,
    ))
})
