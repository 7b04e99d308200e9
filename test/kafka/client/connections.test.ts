// Goal: every permanent connection problem is reported with its remedy and ends the command instead of being retried.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import kafkajs from 'kafkajs'
import type { AclOperationTypes, AclResourceTypes, Admin } from 'kafkajs'
import { loadConfig } from '../../../config/load/load.ts'
import { exitCodeOf } from '../../../src/service/process/exit-codes.ts'
import { PipelineError, type ErrorCode } from '../../../src/core/errors.ts'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { createKafka, connectAdmin } from '../../../src/kafka/client/client.ts'
import { kafkaOptionsOf } from '../../../src/service/connections/kafka-options.ts'
import type { TopicSummary } from '../../../src/service/topic/summary.ts'
import { runTopics } from '../../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { ALICE, startSecureKafka, type SecureKafka } from '../../support/servers/secure-kafka.ts'

let kafka: SecureKafka
let tokens: TokenEndpoint
before(async () => {
  kafka = await startSecureKafka()
  tokens = await startTokenEndpoint()
})
after(async () => {
  await Promise.all([kafka.stop(), tokens.stop()])
})

const SECRETS = ['wrong-password', 'client-secret']

/** Connects to the brokers as the service does, with options below `kafka`, and throws its errors. */
async function reach(brokers: readonly string[], options: object, timeoutMs = 20_000): Promise<string> {
  const lines: string[] = []
  const config = loadConfig({ object: { kafka: { brokers, connectTimeoutMs: timeoutMs, ...options } } })
  const log = createLogger({
    level: 'debug',
    pretty: false,
    destination: { write: (line) => void lines.push(line) },
  })
  try {
    const reached = kafkaOptionsOf(config.kafka, log)
    const admin = await connectAdmin(await createKafka(reached), reached)
    await admin.disconnect()
  } finally {
    assertNoSecret(lines.join('\n'))
  }
  return lines.join('\n')
}

/** Asserts that it fails with this code and remedy, as a configuration error. */
async function refused(reaching: Promise<unknown>, code: ErrorCode, advice: RegExp): Promise<void> {
  const error = await reaching.then(
    () => assert.fail('it was let in'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof PipelineError, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, advice)
  assert.equal(exitCodeOf(error), code === 'KD_KAFKA_UNREACHABLE' ? 4 : 2)
  assertNoSecret(error.message)
}

function assertNoSecret(text: string): void {
  for (const secret of [...SECRETS, ALICE.password]) assert.ok(!text.includes(secret), `a secret in: ${text}`)
}

const at = (listener: string): string[] => [kafka.server.brokerOf(listener)]
const tls = (more: object = {}): object => ({ ssl: true, tls: { caFile: kafka.caFile, ...more } })
const plain = (more: object = {}): object => ({ sasl: { mechanism: 'plain', ...ALICE, ...more } })
const scram = (more: object = {}): object => ({ sasl: { mechanism: 'scram-sha-512', ...ALICE, ...more } })
const own = ({ certFile, keyFile }: SecureKafka['client']): object => ({ certFile, keyFile })

describe('TLS', () => {
  it('a broker with a configured authority is reached, with a client certificate if it requires one', async () => {
    await reach(at('TLS'), tls())
    await reach(at('MTLS'), tls(own(kafka.client)))
  })

  it('a certificate for another name is accepted under that name, and with a warning if none is checked', async () => {
    await reach(at('OTHERNAME'), tls({ serverName: 'elsewhere.example' }))
    assert.match(
      await reach(at('OTHERNAME'), tls({ insecureSkipVerify: true })),
      /can read and change records/,
    )
  })

  const FAULTS: [string, () => Promise<unknown>, RegExp][] = [
    ['an expired certificate', () => reach(at('EXPIRED'), tls()), /certificate has expired.*renew it/],
    ['an unknown authority', () => reach(at('TLS'), tls({ caFile: kafka.otherCaFile })), /authority.*caFile/],
    ['no authority named', () => reach(at('TLS'), { ssl: true }), /authority.*caFile/],
    ['a wrong host name', () => reach(at('OTHERNAME'), tls()), /another host name.*serverName/],
    ['no client certificate', () => reach(at('MTLS'), tls()), /requires a client certificate.*certFile/],
    [
      'an expired client certificate',
      () => reach(at('MTLS'), tls(own(kafka.expiredClient))),
      /this client's certificate has expired.*certFile/,
    ],
    ['no TLS on a port of TLS', () => reach(at('TLS'), {}), /uses TLS.*kafka\.ssl/],
    ['TLS on a port without', () => reach(kafka.server.brokers, tls()), /port without TLS.*kafka\.ssl/],
  ]
  for (const [what, reaching, advice] of FAULTS) {
    it(`${what} is named`, () => refused(reaching(), 'KD_KAFKA_TLS_FAILED', advice))
  }

  it('a file without a certificate is a configuration error', async () => {
    const caFile = import.meta.filename
    await assert.rejects(reach(at('TLS'), tls({ certFile: caFile, keyFile: caFile })), {
      code: 'KD_CONFIG_INVALID',
    })
  })
})

describe('SASL', () => {
  it('users of PLAIN over TLS and of both kinds of SCRAM log in', async () => {
    await reach(at('PLAIN'), { ...tls(), ...plain() })
    await reach(at('SCRAM'), scram())
    await reach(at('SCRAM'), scram({ mechanism: 'scram-sha-256' }))
  })

  const wrong = { password: 'wrong-password' }
  const FAULTS: [string, () => Promise<unknown>, RegExp][] = [
    [
      'a wrong password of PLAIN',
      () => reach(at('PLAIN'), { ...tls(), ...plain(wrong) }),
      /Invalid username/,
    ],
    ['a wrong password of SCRAM', () => reach(at('SCRAM'), scram(wrong)), /invalid credentials.*kafka\.sasl/],
    ['a mechanism not taken', () => reach(at('SCRAM'), plain()), /does not support kafka\.sasl\.mechanism/],
    ['no login where one is wanted', () => reach(at('SCRAM'), {}), /requires a login.*kafka\.sasl/],
    ['a login where none is wanted', () => reach(kafka.server.brokers, plain()), /expects no login/],
  ]
  for (const [what, reaching, advice] of FAULTS) {
    it(`${what} is named`, () => refused(reaching(), 'KD_KAFKA_AUTH_FAILED', advice))
  }
})

describe('OAUTHBEARER', () => {
  const oauth = (more: object = {}): object => ({
    sasl: {
      mechanism: 'oauthbearer',
      oauth: { tokenUrl: tokens.url, clientId: 'us', clientSecret: 'client-secret', scope: 'kafka', ...more },
    },
  })

  it('a token is requested with the client credentials, and once for several connections', async () => {
    const asked = tokens.asked.length
    await reach(at('OAUTH'), oauth())
    assert.equal(tokens.asked.length, asked + 1)
    assert.equal(
      tokens.asked.at(-1),
      `Basic ${Buffer.from('us:client-secret').toString('base64')} grant_type=client_credentials&scope=kafka`,
    )
  })

  it('a token that the brokers refuse is named', () =>
    refused(reach(at('OAUTH'), oauth({ scope: 'expired' })), 'KD_KAFKA_AUTH_FAILED', /invalid_token/))

  it('a token endpoint that refuses the client is named', () =>
    refused(
      reach(at('OAUTH'), oauth({ scope: 'refused' })),
      'KD_KAFKA_AUTH_FAILED',
      /invalid_client.*kafka\.sasl\.oauth/,
    ))

  it('a token endpoint that does not answer is tried until the timeout', () =>
    refused(
      reach(at('OAUTH'), oauth({ tokenUrl: 'http://127.0.0.1:2/token' }), 1_000),
      'KD_KAFKA_UNREACHABLE',
      /ECONNREFUSED/,
    ))
})

describe('brokers', () => {
  it('that cannot be reached are tried until the timeout, and may be reachable later', () =>
    refused(reach(['127.0.0.1:1'], {}, 1_000), 'KD_KAFKA_UNREACHABLE', /127\.0\.0\.1:1/))

  it('are reached through any of the bootstrap brokers', async () => {
    await reach(['127.0.0.1:1', ...kafka.server.brokers], {})
  })

  it('that refuse the client are skipped if another accepts it', async () => {
    await reach([...at('EXPIRED'), ...at('TLS')], tls())
  })
})

describe('rights', () => {
  const name = `rights-${Date.now()}`
  const { AclOperationTypes: Operation, AclResourceTypes: Resource } = kafkajs
  let admin: Admin
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kafka-delta-rights-'))
    const client = new kafkajs.Kafka({ brokers: kafka.server.brokers, logLevel: kafkajs.logLevel.NOTHING })
    admin = client.admin()
    await admin.connect()
    await createTopic({ brokers: kafka.server.brokers, clientId: 'test' }, name, { partitions: 1 })
    const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await producer.connect()
    await producer.send({ topic: name, messages: [{ value: '{"id":1}' }, { value: 'no JSON' }] })
    await producer.disconnect()
  })
  after(async () => {
    await admin.disconnect()
    await rm(folder, { recursive: true, force: true })
  })

  const grant = (resourceType: AclResourceTypes, resourceName: string, ...operations: AclOperationTypes[]) =>
    admin.createAcls({
      acl: operations.map((operation) => ({
        resourceType,
        resourceName,
        resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED,
        principal: 'User:alice',
        host: '*',
        operation,
        permissionType: kafkajs.AclPermissionTypes.ALLOW,
      })),
    })

  /** Ingests the topic as alice until it has caught up. */
  async function carry(topic = name): Promise<TopicSummary | undefined> {
    const contract = join(folder, 'contract.json')
    await writeFile(contract, '{"type":"object","properties":{"id":{"type":"integer"}}}')
    const summaries = await runTopics(
      loadConfig({
        object: {
          kafka: { brokers: at('SCRAM'), groupId: name, ...scram() },
          topics: { one: { topic, contract, table: { uri: join(folder, 'table') } } },
        },
      }),
      { until: 'latest', log: createLogger({ level: 'silent' }) },
    )
    return summaries['one']
  }

  // Each test grants the right for which the previous one was refused.
  it('a missing topic and a topic without the right to describe it are named', async () => {
    await refused(carry(), 'KD_KAFKA_FORBIDDEN', new RegExp(`Describe and Read topic "${name}"`))
    await grant(Resource.TOPIC, 'rights-', Operation.DESCRIBE)
    await assert.rejects(carry('rights-missing'), { code: 'KD_TOPIC_MISSING' })
  })

  it('a group without a right is named', () =>
    refused(carry(), 'KD_KAFKA_FORBIDDEN', new RegExp(`Describe and Read group "${name}"`)))

  it('a topic with the right to describe but not to read is named', async () => {
    await grant(Resource.GROUP, 'rights-', Operation.DESCRIBE, Operation.READ)
    await refused(carry(), 'KD_KAFKA_FORBIDDEN', new RegExp(`Describe and Read topic "${name}"`))
  })

  it('a dead letter topic without the right to create it is named', async () => {
    await grant(Resource.TOPIC, 'rights-', Operation.READ)
    await refused(carry(), 'KD_KAFKA_FORBIDDEN', new RegExp(`[Cc]reate.* topic "${name}-dlq"`))
  })

  it('a dead letter topic without the right to write is named', async () => {
    await grant(Resource.TOPIC, 'rights-', Operation.CREATE)
    await grant(Resource.TRANSACTIONAL_ID, 'rights-', Operation.DESCRIBE, Operation.WRITE)
    await refused(carry(), 'KD_KAFKA_FORBIDDEN', new RegExp(`Write topic "${name}-dlq"`))
  })

  it('a transactional id without a right is named, and with all rights the topic is ingested', async () => {
    const everything = { principal: 'User:alice', host: '*', operation: Operation.ANY }
    const filter = {
      ...everything,
      resourceName: 'rights-',
      permissionType: kafkajs.AclPermissionTypes.ALLOW,
    }
    const patterned = { ...filter, resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED }
    await admin.deleteAcls({ filters: [{ ...patterned, resourceType: Resource.TRANSACTIONAL_ID }] })
    await refused(carry(), 'KD_KAFKA_FORBIDDEN', /Write transactional id "rights-.*-dlq-/)
    await grant(Resource.TRANSACTIONAL_ID, 'rights-', Operation.DESCRIBE, Operation.WRITE)
    await grant(Resource.TOPIC, 'rights-', Operation.WRITE)
    const summary = await carry()
    assert.deepEqual([summary?.counts.rows, summary?.counts.deadLetters], [1, 1])
  })
})

interface TokenEndpoint {
  readonly url: string
  /** Credentials and form of each request. */
  readonly asked: readonly string[]
  stop(): Promise<void>
}

/** Serves unsigned tokens for the user alice: a valid one, an expired one or none, by the scope. */
async function startTokenEndpoint(): Promise<TokenEndpoint> {
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    let form = ''
    request.on('data', (part: Buffer) => (form += part.toString()))
    request.on('end', () => {
      asked.push(`${request.headers.authorization ?? ''} ${form}`)
      if (form.includes('refused')) {
        response.writeHead(401).end('{"error":"invalid_client","error_description":"client-secret is wrong"}')
        return
      }
      const seconds = form.includes('expired') ? -100 : 600
      response.end(JSON.stringify({ access_token: unsignedToken(seconds), expires_in: 600 }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/token?tenant=x`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function unsignedToken(seconds: number): string {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ sub: ALICE.username, iat: now, exp: now + seconds })}.`
}
