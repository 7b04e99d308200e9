// Goal: docs/states.md is true: a real service in each state says everywhere what the row of that state says.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import kafkajs from 'kafkajs'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { findFreePorts } from '../../src/local-servers/process.ts'
import { isReady, TOPIC_STATES, type Readiness, type TopicState } from '../../src/service/health/readiness.ts'
import { READINESS_FACTS, TOPIC_STATE_FACTS } from '../../src/service/health/states.ts'
import { startWorker, type Worker } from '../integrity/support/worker.ts'
import { faultProxy, type Requested } from '../support/network/fault-proxy.ts'
import { kafkaForTests, nameForTests, s3ForTests } from '../support/servers/servers.ts'
import { PROGRAM } from './support/carry.ts'
import { askUntil, type Said } from './support/said.ts'

const TOKEN = 'a-token-for-tests-0123'

const [brokers, s3] = await Promise.all([kafkaForTests(), s3ForTests()])
const proxy = await faultProxy(s3.endpoint)
const folder = await mkdtemp(join(tmpdir(), 'states-'))
const prefix = nameForTests('states')
const contract = join(folder, 'contract.json')
await writeFile(contract, JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } } }))
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
const producer = kafka.producer()
await producer.connect()
after(async () => {
  await producer.disconnect()
  await proxy.stop()
  await rm(folder, { recursive: true, force: true })
})

const topicOf = (entry: string): string => `${prefix}-${entry}`

async function produce(entry: string, from: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({ value: JSON.stringify({ id: from + i }) }))
  await producer.send({ topic: topicOf(entry), messages })
}

interface Service {
  readonly url: string
  readonly worker: Worker
}

/** Starts a service with these entries; `remote` ones have their tables behind the proxy. */
async function startService(
  name: string,
  entries: Readonly<Record<string, object>>,
  args: readonly string[] = [],
): Promise<Service> {
  const [port = 0] = await findFreePorts(1)
  const topics = Object.entries(entries).map(([entry, options]) => [
    entry,
    {
      topic: topicOf(entry),
      contract,
      flush: { ageMs: 200 },
      deadLetters: { mode: 'skip' },
      table: {
        uri: entry.startsWith('remote') ? `s3://${s3.bucket}/${prefix}/${entry}` : join(folder, entry),
      },
      ...options,
    },
  ])
  const { region, accessKeyId, secretAccessKey } = s3
  const config = {
    kafka: { brokers, groupId: `${prefix}-${name}`, sessionTimeoutMs: 6_000, heartbeatMs: 500 },
    http: { port, stalledMs: 1_500 },
    admin: { enabled: true, token: TOKEN },
    circuit: { failures: 3, openMs: 500 },
    storage: { s3: { region, accessKeyId, secretAccessKey, endpoint: proxy.endpoint, forcePathStyle: true } },
    topics: Object.fromEntries(topics) as object,
  }
  const path = join(folder, `${name}.json`)
  await writeFile(path, JSON.stringify(config))
  return {
    url: `http://127.0.0.1:${port}`,
    worker: startWorker(PROGRAM, ['run', '--config', path, ...args], { KAFKA_BOOTSTRAP_SERVERS: '' }),
  }
}

const seenStates = new Set<TopicState>()
const seenReadiness = new Set<Readiness>()

/** Waits for the state and compares all that the service says with the row of docs/states.md. */
async function meets(
  service: Service,
  entry: string,
  state: TopicState,
  readiness: Readiness,
): Promise<void> {
  const said = await askUntil(
    service.url,
    (each) =>
      each.states[entry] === state &&
      each.inStatus[entry] === state &&
      each.inMetrics[topicOf(entry)]?.includes(state) === true &&
      each.readiness === readiness,
  ).catch((error: unknown) => {
    const lines = service.worker.lines.slice(-15).join('\n')
    throw new Error(`${entry} is not ${state} in a ${readiness} process\n${lines}`, { cause: error })
  })
  compareTopic(said, entry, state)
  compareProcess(said, readiness)
}

function compareTopic(said: Said, entry: string, state: TopicState): void {
  const { isHealthy } = TOPIC_STATE_FACTS[state]
  assert.deepEqual(said.inMetrics[topicOf(entry)], [state])
  assert.equal(said.inActuator[entry], isHealthy ? 'UP' : 'DOWN', `${entry} ${state}`)
  const { since, reason, next } = said.topics[entry] ?? {}
  assert.ok(since !== undefined && Date.parse(since) <= Date.now() + 1_000, `since of ${state}: ${since}`)
  const explained = [reason, next].map((text) => text !== undefined && text.length > 10)
  if (!isHealthy) assert.deepEqual(explained, [true, true], `${state}: ${JSON.stringify(said.topics[entry])}`)
  seenStates.add(state)
}

function compareProcess(said: Said, readiness: Readiness): void {
  const ready = READINESS_FACTS[readiness].isReady
  assert.equal(isReady(readiness), ready)
  assert.equal(said.code, ready ? 200 : 503)
  assert.equal(said.alive, 200)
  assert.equal(said.readyMetric, ready ? 1 : 0)
  assert.equal(said.actuator, ready ? 'UP' : 'DOWN')
  seenReadiness.add(readiness)
}

const isPutOfCommit = ({ method, url }: Requested): boolean => method === 'PUT' && url.includes('_delta_log')

async function verb(service: Service, path: string): Promise<void> {
  const response = await fetch(`${service.url}/admin/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
  })
  assert.ok(response.ok, await response.text())
}

test('a process with topics in different states says each of them', async () => {
  for (const entry of ['steady', 'remote', 'refused', 'halted'])
    await createTopic({ brokers, clientId: 'test' }, topicOf(entry), { partitions: 1 })
  for (const entry of ['steady', 'remote', 'refused', 'halted']) await produce(entry, 0, 10)
  // The folder of a table that is no folder cannot become one.
  await mkdir(join(folder, 'other'))
  await writeFile(
    join(folder, 'other', 'contract.json'),
    '{"type":"object","properties":{"id":{"type":"null"}}}',
  )
  await proxy.set('hang')
  const service = await startService('many', {
    steady: {},
    remote: {},
    refused: { contract: join(folder, 'other', 'contract.json') },
    halted: {},
  })
  try {
    await meets(service, 'remote', 'opening', 'starting')
    // Breaks off the requests that hang.
    await proxy.set('unavailable')
    await proxy.set('pass')
    await meets(service, 'remote', 'running', 'degraded')
    await meets(service, 'steady', 'running', 'degraded')
    await meets(service, 'refused', 'failed', 'degraded')
    await verb(service, 'topics/halted/pause')
    await meets(service, 'halted', 'paused', 'degraded')
    await proxy.set('hang', isPutOfCommit)
    await produce('remote', 10, 10)
    await meets(service, 'remote', 'stalled', 'stalled')
    await proxy.set('refuse')
    await meets(service, 'remote', 'waiting', 'degraded')
    await produce('remote', 20, 10)
    service.worker.kill('SIGTERM')
    const said = await askUntil(service.url, ({ readiness }) => readiness === 'stopping')
    compareProcess(said, 'stopping')
  } finally {
    await proxy.set('pass')
    service.worker.kill('SIGTERM')
    await service.worker.ended
  }
})

test('a process that catches up says which topic has ended and which one waits', async () => {
  for (const entry of ['short', 'remote-late'])
    await createTopic({ brokers, clientId: 'test' }, topicOf(entry), { partitions: 1 })
  await produce('short', 0, 10)
  await produce('remote-late', 0, 10)
  await proxy.set('refuse')
  const service = await startService('latest', { short: {}, 'remote-late': {} }, ['--until', 'latest'])
  try {
    await meets(service, 'short', 'ended', 'unavailable')
    await meets(service, 'remote-late', 'waiting', 'unavailable')
    await proxy.set('pass')
    assert.equal(await service.worker.ended, 0, service.worker.lines.slice(-10).join('\n'))
  } finally {
    await proxy.set('pass')
    service.worker.kill('SIGKILL')
  }
})

test('a process is ready while its only topic runs, and has failed while that topic restarts', async () => {
  await createTopic({ brokers, clientId: 'test' }, topicOf('alone'), { partitions: 1 })
  const service = await startService('alone', { alone: {} })
  const admin = kafka.admin()
  try {
    await meets(service, 'alone', 'running', 'ready')
    await admin.connect()
    await admin.deleteTopics({ topics: [topicOf('alone')] })
    await meets(service, 'alone', 'restarting', 'failed')
  } finally {
    await admin.disconnect()
    service.worker.kill('SIGTERM')
    await service.worker.ended
  }
})

test('each state of the page was met', () => {
  assert.deepEqual([...seenStates].sort(), [...TOPIC_STATES].sort())
  assert.deepEqual([...seenReadiness].sort(), Object.keys(READINESS_FACTS).sort())
})
