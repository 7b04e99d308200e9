// Goal: no secret of the configuration is in anything that the service lets out: log, traces, metrics, endpoints, errors.
// Method: a run at the lowest level of the log, with servers that refuse it and repeat in their answers what they were
// sent, is looked through for every secret that it was given, as it is and in the forms in which it travels.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startWorker } from '../integrity/support/worker.ts'
import { findFreePorts } from '../../src/local-servers/process.ts'
import { fillTopic } from '../integrity/support/topic.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { PROGRAM } from './support/carry.ts'

const SECRETS = {
  registry: 'registry-hunter-2',
  store: 'store/hunter+3=',
  session: 'session-hunter-4',
  admin: 'admin-hunter-5-long-enough',
  kafka: 'kafka-hunter-6',
} as const

/** Lets everything out of a process end up in one text. */
interface Heard {
  readonly server: Server
  readonly url: string
  readonly bodies: string[]
}

async function listening(
  answer: (request: { headers: object; body: string }) => [number, string],
): Promise<Heard> {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      bodies.push(body)
      const [status, text] = answer({ headers: request.headers, body })
      response.statusCode = status
      response.setHeader('content-type', text.startsWith('<') ? 'application/xml' : 'application/json')
      response.end(text)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { server, bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** What it was sent, logins unpacked, as servers that were made for debugging do. */
function echoOf(headers: object): string {
  const { authorization = '' } = headers as { readonly authorization?: string }
  const basic = /^Basic (.*)$/.exec(authorization)?.[1]
  const login = basic === undefined ? '' : Buffer.from(basic, 'base64').toString()
  return `refused: ${login} ${JSON.stringify(headers).replaceAll('"', '')}`
}

function assertNoSecret(text: string, where: string): void {
  for (const [name, secret] of Object.entries(SECRETS)) {
    const forms = [secret, encodeURIComponent(secret), Buffer.from(`me:${secret}`).toString('base64')]
    for (const form of forms) {
      const at = text.indexOf(form)
      assert.ok(at < 0, `the secret of ${name} in ${where}: …${text.slice(Math.max(0, at - 300), at + 60)}…`)
    }
  }
}

const collected = (): Promise<Heard> => listening(() => [200, '{}'])
const stopped = (heard: Heard): void => {
  heard.server.close()
  heard.server.closeAllConnections()
}

test('Store and registry that refuse and repeat what they were sent: no secret in the log, in traces, metrics or endpoints', async () => {
  const brokers = await kafkaForTests()
  const folder = await mkdtemp(join(tmpdir(), 'secrets-'))
  const collector = await collected()
  const registry = await listening(({ headers }) => [
    403,
    JSON.stringify({ error_code: 40301, message: echoOf(headers) }),
  ])
  const store = await listening(({ headers }) => [
    403,
    `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>${echoOf(headers)} ${SECRETS.store}</Message></Error>`,
  ])
  const [port = 0] = await findFreePorts(1)
  const topic = nameForTests('secrets')
  try {
    await fillTopic({ brokers, topic, records: 10, partitions: 1, badEvery: 0, seed: 1 })
    const config = join(folder, 'config.json')
    const content = {
      kafka: { brokers, groupId: topic },
      log: { level: 'trace' },
      http: { port },
      admin: { enabled: true, token: SECRETS.admin },
      schemaRegistry: { url: registry.url, username: 'me', password: SECRETS.registry },
      storage: {
        s3: {
          endpoint: store.url,
          forcePathStyle: true,
          accessKeyId: 'AKIAEXAMPLE',
          secretAccessKey: SECRETS.store,
          sessionToken: SECRETS.session,
        },
      },
      topics: {
        healthy: { topic, table: { uri: join(folder, 'healthy') } },
        stored: { topic: `${topic}-1`, table: { uri: 's3://lake/stored' } },
        registered: {
          topic: `${topic}-2`,
          format: 'avro',
          framing: 'registry',
          table: { uri: join(folder, 't') },
        },
      },
    }
    await writeFile(config, JSON.stringify(content))
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_METRIC_EXPORT_INTERVAL: '1000' }
    const worker = startWorker(PROGRAM, ['run', '--config', config], env)
    await worker.saw('Serving health, metrics and status')
    const pages: string[] = []
    // Both fail and are said to, while another goes on.
    await worker.saw('KD_REGISTRY_FAILED')
    await worker.saw('KD_STORE_FAILED')
    for (const path of ['/healthz', '/readyz', '/status', '/metrics', '/config', '/version'])
      pages.push(await pageOf(`http://127.0.0.1:${port}${path}`))
    worker.kill('SIGTERM')
    await worker.ended
    const lines = worker.lines.join('\n')
    assert.ok(store.bodies.length > 0, `the store was asked:\n${lines}`)
    assert.ok(registry.bodies.length > 0, `the registry was asked:\n${lines}`)
    assert.match(lines, /AccessDenied|KD_STORE_FAILED/, 'its refusal is in the log')
    assertNoSecret(lines, 'the log')
    assertNoSecret(pages.join('\n'), 'the endpoints')
    assertNoSecret(collector.bodies.join('\n'), 'traces and metrics')
    assert.ok(
      collector.bodies.some((body) => body.includes('resourceSpans')),
      'there were traces',
    )
  } finally {
    for (const heard of [collector, registry, store]) stopped(heard)
    await rm(folder, { recursive: true, force: true })
  }
})

test('Brokers that hang up during a login: no secret in the log or in traces', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'secrets-'))
  const collector = await collected()
  const broker = createTcpServer((socket) =>
    socket.on('error', () => undefined).once('data', () => socket.destroy()),
  )
  await new Promise<void>((done) => broker.listen(0, '127.0.0.1', done))
  try {
    const config = join(folder, 'config.json')
    const sasl = { mechanism: 'plain', username: 'me', password: SECRETS.kafka }
    const content = {
      kafka: {
        brokers: [`127.0.0.1:${(broker.address() as AddressInfo).port}`],
        connectTimeoutMs: 2_000,
        sasl,
      },
      log: { level: 'trace' },
      topics: { events: { table: { uri: join(folder, 'table') }, restart: { attempts: 1 } } },
    }
    await writeFile(config, JSON.stringify(content))
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
    const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'], env)
    const code = await worker.ended
    const lines = worker.lines.join('\n')
    assert.notEqual(code, 0, lines)
    assert.match(lines, /KD_KAFKA_/)
    assertNoSecret(lines, 'the log')
    assertNoSecret(collector.bodies.join('\n'), 'traces and metrics')
  } finally {
    broker.close()
    stopped(collector)
    await rm(folder, { recursive: true, force: true })
  }
})

/** A page, or nothing where the process has ended already. */
async function pageOf(url: string): Promise<string> {
  try {
    return await (await fetch(url)).text()
  } catch {
    return ''
  }
}
