import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { PipelineError } from '../../../../src/core/errors.ts'
import {
  logIn,
  type SaslResponse,
  type SaslLogin,
  type SaslTransport,
} from '../../../../src/kafka/wire/sasl/login.ts'

const SECRET = 'open-sesame'

/** A transport that returns these responses in turn, and the messages that it received. */
function wireWith(
  answers: readonly Partial<SaslResponse>[],
  errorCode = 0,
): SaslTransport & { readonly heard: string[] } {
  const heard: string[] = []
  return {
    address: 'broker:1',
    heard,
    handshake: (mechanism) => {
      heard.push(mechanism)
      return Promise.resolve({ errorCode, mechanisms: ['SCRAM-SHA-512'] })
    },
    authenticate: (bytes) => {
      heard.push(Buffer.from(bytes).toString())
      const answer = answers[heard.length - 2] ?? {}
      return Promise.resolve({
        ...{ errorCode: 0, errorMessage: null, authBytes: new Uint8Array(0), sessionLifetimeMs: 0n },
        ...answer,
      })
    },
  }
}

async function refusalOf(login: SaslLogin, wire: SaslTransport): Promise<PipelineError> {
  const error: unknown = await logIn(login, wire).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof PipelineError)
  assert.equal(error.code, 'KD_KAFKA_AUTH_FAILED')
  assert.equal(error.retryable, false)
  assert.ok(!inspect(error, { depth: 9 }).includes(SECRET), 'no secret in the error')
  return error
}

const PLAIN: SaslLogin = { mechanism: 'plain', username: 'alice', password: SECRET }
const BEARER: SaslLogin = {
  token: () => Promise.resolve({ value: SECRET, extensions: { logicalCluster: 'lkc-1' } }),
}

test('PLAIN sends name and password and returns the session lifetime', async () => {
  const wire = wireWith([{ sessionLifetimeMs: 3_600_000n }])
  assert.equal(await logIn(PLAIN, wire), 3_600_000)
  assert.deepEqual(wire.heard, ['PLAIN', `\0alice\0${SECRET}`])
  assert.equal(await logIn(PLAIN, wireWith([])), undefined)
})

test('A token is sent with its extensions', async () => {
  const wire = wireWith([])
  await logIn(BEARER, wire)
  assert.deepEqual(wire.heard, [
    'OAUTHBEARER',
    `n,,\u0001auth=Bearer ${SECRET}\u0001logicalCluster=lkc-1\u0001\u0001`,
  ])
})

test("A refusal contains the broker's message, without secrets", async () => {
  const errorMessage = `no such user with ${SECRET}`
  const plain = await refusalOf(PLAIN, wireWith([{ errorCode: 58, errorMessage }]))
  assert.match(
    plain.message,
    /SASL_AUTHENTICATION_FAILED no such user with \*\*\*; check user, password and mechanism in kafka\.sasl \(broker broker:1\)/,
  )
  const wire = wireWith([
    { authBytes: Buffer.from(`{"status":"invalid_token ${SECRET}"}`) },
    { errorCode: 58 },
  ])
  const bearer = await refusalOf(BEARER, wire)
  assert.match(bearer.message, /\{"status":"invalid_token \*\*\*"\}.*; check client, scope and audience/)
  assert.equal(wire.heard[2], '\u0001')
  // Some brokers also send their final response without an error code.
  await refusalOf(BEARER, wireWith([{ authBytes: Buffer.from('{}') }]))
  const long = await refusalOf(PLAIN, wireWith([{ errorCode: 58, errorMessage: 'x'.repeat(10_000) }]))
  assert.ok(long.message.length < 500)
})

test('The error for an unsupported mechanism lists the supported ones', async () => {
  const error = await refusalOf(PLAIN, wireWith([], 33))
  assert.match(
    error.message,
    /mechanism PLAIN, got: UNSUPPORTED_SASL_MECHANISM; supported: SCRAM-SHA-512.*; set kafka\.sasl\.mechanism/,
  )
  const noLogin = await refusalOf(PLAIN, wireWith([], 34))
  assert.match(noLogin.message, /this listener expects no login: remove kafka\.sasl/)
})

test('An incomplete SCRAM exchange is refused', async () => {
  const login: SaslLogin = { mechanism: 'scram-sha-256', username: 'alice', password: SECRET }
  const nothing = await refusalOf(login, wireWith([]))
  assert.match(nothing.message, /expected a SCRAM exchange/)
  const wrong = await refusalOf(login, wireWith([{ errorCode: 58, errorMessage: 'wrong' }]))
  assert.match(wrong.message, /SASL_AUTHENTICATION_FAILED wrong/)
})

test('Errors of the token source are rethrown', async () => {
  const fault = new PipelineError('KD_KAFKA_UNREACHABLE', 'no token')
  await assert.rejects(logIn({ token: () => Promise.reject(fault) }, wireWith([])), fault)
})
