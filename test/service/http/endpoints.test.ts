import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { createSecretRedactor } from '../../../config/load/redact.ts'
import type { Config } from '../../../config/types.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { Circuit } from '../../../src/core/circuit.ts'
import { NO_COUNTS } from '../../../src/core/batch.ts'
import type { PartitionStatus } from '../../../src/kafka/source/source-options.ts'
import { findFreePorts } from '../../../src/local-servers/process.ts'
import { startEndpoints, type Endpoints } from '../../../src/service/http/endpoints.ts'
import { Health } from '../../../src/service/health/health.ts'
import type { RunState, TopicFailure } from '../../../src/service/topic/state.ts'
import { EMPTY_SUMMARY } from '../../../src/service/topic/summary.ts'
import { registerProcessMetrics } from '../../../src/service/metrics/process-metrics.ts'
import { TopicMetrics } from '../../../src/service/metrics/topic-metrics.ts'
import type { TopicRun } from '../../../src/service/topic/topic-run.ts'
import { LogLevels } from '../../../src/telemetry/log-levels.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { startMetrics } from '../../../src/telemetry/metrics/metrics.ts'

const STALLED_MS = 60_000

const clock = { nowMs: 1_000_000, now: () => clock.nowMs, sleep: () => Promise.resolve() }
const partitions: PartitionStatus[] = []
const circuits: Circuit[] = []
let state: RunState = 'running'
let failure: TopicFailure | undefined
const topic = {
  name: 'orders',
  topic: 'orders.v1',
  config: { deadLetters: {} },
  status: {
    summary: { ...EMPTY_SUMMARY, commits: 2, version: 7n },
    restarts: 0,
    partitions: () => partitions,
    buffered: () => ({ bytes: 10, bytesMax: 100 }),
    get state() {
      return state
    },
    get failure() {
      return failure
    },
    inFlight: () => ({ bufferedBytes: 10, flushes: [] }),
    groupOffsets: () => Promise.resolve(new Map([[3, 8n]])),
  },
} as unknown as TopicRun

/** Returns a second topic, which runs and otherwise equals `first`. */
function usersOf(first: TopicRun): TopicRun {
  const { restarts, summary } = first.status
  const status = {
    restarts,
    summary,
    state: 'running',
    failure: undefined,
    partitions: () => partitions,
    buffered: () => first.status.buffered(),
    inFlight: () => first.status.inFlight(),
    groupOffsets: () => first.status.groupOffsets(),
  }
  return { ...first, name: 'users', topic: 'users.v1', status: status as unknown as TopicRun['status'] }
}

const COMMIT: PipelineCommit = {
  id: 1,
  version: 7n,
  ranges: [],
  counts: { ...NO_COUNTS, records: 5, rows: 3, deadLetters: 1, tombstones: 1 },
  adds: [],
  attempts: 2,
  conflicts: 1,
  ambiguous: 1,
  schemaChanged: true,
  newestMs: 999_000,
}

let health: Health
let metrics: TopicMetrics
let endpoints: Endpoints
let config: Config
const opened: Endpoints[] = []
const lines: string[] = []

const log = createLogger({
  level: 'info',
  pretty: false,
  destination: { write: (line: string) => void lines.push(line) },
})

beforeEach(async () => {
  const [port = 0] = await findFreePorts(1)
  config = loadConfig({
    object: { http: { port }, kafka: { sasl: { mechanism: 'plain', username: 'me', password: 'hunter2' } } },
  })
  clock.nowMs = 1_000_000
  partitions.length = 0
  circuits.length = 0
  state = 'running'
  failure = undefined
  lines.length = 0
  health = new Health({
    stalledMs: STALLED_MS,
    log,
    clock,
    circuits: () => circuits,
    needsCircuit: () => true,
    hide: createSecretRedactor(config),
  })
  const pipe = await startMetrics({}, true)
  metrics = new TopicMetrics(pipe.meter)
  registerProcessMetrics(pipe.observe, health, () => undefined)
  const { prometheus } = pipe
  assert.ok(prometheus !== undefined, 'metrics can be scraped')
  endpoints = await startEndpoints({ config, health, metrics: prometheus, log, levels: new LogLevels() })
  opened.push(endpoints)
})
after(async () => {
  await Promise.all(opened.map((each) => each.close()))
})

interface Readyz {
  readonly status: string
  readonly components: Readonly<Record<'kafka' | 'stores' | 'registries' | 'topics', object>>
}

async function get(path: string): Promise<{ status: number; text: string; json: () => unknown }> {
  const answer = await fetch(endpoints.url + path)
  const text = await answer.text()
  return { status: answer.status, text, json: () => JSON.parse(text) as unknown }
}

const lagging = (): PartitionStatus => ({ partition: 3, live: true, next: 20n, committed: 9n, end: 25n })

test('A process is alive at once, and ready from the opening of its tables until it stops', async () => {
  assert.equal((await get('/healthz')).status, 200)
  assert.deepEqual(
    [(await get('/readyz')).status, (await get('/readyz')).json()],
    [503, { status: 'starting', components: { kafka: {}, stores: {}, registries: {}, topics: {} } }],
  )
  health.setTopics([topic])
  const since = new Date(1_000_000).toISOString()
  assert.deepEqual(
    [(await get('/readyz')).status, (await get('/readyz')).json()],
    [
      200,
      {
        status: 'ready',
        components: {
          kafka: {},
          stores: {},
          registries: {},
          topics: { orders: { state: 'running', since } },
        },
      },
    ],
  )
  const actuator = (await get('/actuator/health')).json() as {
    status: string
    components: { topics: object }
  }
  assert.equal(actuator.status, 'UP')
  assert.deepEqual(actuator.components.topics, {
    status: 'UP',
    components: { orders: { status: 'UP', details: { state: 'running', since } } },
  })
  health.markStopping()
  assert.equal((await get('/readyz')).status, 503)
  assert.equal((await get('/healthz')).status, 200)
})

test('A stalled topic makes the process not ready; one log line describes the stall and another its end', async () => {
  health.setTopics([topic])
  partitions.push(lagging())
  health.progressOf('orders').markStarted()
  clock.nowMs += STALLED_MS
  health.check()
  assert.equal((await get('/readyz')).status, 200)
  clock.nowMs += 1
  health.check()
  health.check()
  const { status, components } = (await get('/readyz')).json() as Readyz
  assert.equal(status, 'stalled')
  const { reason, ...rest } = (components.topics as { orders: Record<string, string> }).orders
  assert.equal(rest['since'], new Date(clock.nowMs).toISOString())
  assert.match(`${rest['state']}: ${reason}`, /^stalled: .*neither read nor committed/)
  assert.equal((await get('/actuator/health')).status, 503)
  const stalled = lines.filter((line) => line.includes('makes no progress'))
  assert.deepEqual(
    stalled.map((line) => /"level":"(\w+)"/.exec(line)?.[1]),
    ['error', 'warn'],
    'one line for the topic with its offsets, and one for the readiness',
  )
  assert.match(stalled[0] ?? '', /"partition":3.*"committed":"9".*"standing":\{"bufferedBytes":10/)
  health.progressOf('orders').onEvent({ kind: 'committed', commit: COMMIT, partitions })
  health.check()
  assert.equal((await get('/readyz')).status, 200)
  assert.match(lines.join(''), /no longer stalled/)
})

test('An unavailable server is reported with its reason: all topics that need it wait, and the process is not ready', async () => {
  health.setTopics([topic])
  health.check()
  circuits.push({
    kind: 'store',
    name: 's3://lake',
    state: 'open',
    sinceMs: 1_000_000,
    openedCount: 1,
    retries: 5,
    reason: 'no answer, hunter2 and all',
    code: 'KD_STORE_UNAVAILABLE',
    trialAtMs: 1_060_000,
  })
  partitions.push(lagging())
  clock.nowMs += 10 * STALLED_MS
  const { status, json } = await get('/readyz')
  assert.equal(status, 503)
  assert.deepEqual(json(), {
    status: 'unavailable',
    components: {
      kafka: {},
      stores: {
        's3://lake': {
          state: 'open',
          since: new Date(1_000_000).toISOString(),
          opened: 1,
          retries: 5,
          reason: 'no answer, [secret] and all',
          code: 'KD_STORE_UNAVAILABLE',
          next: `The next trial request is sent at ${new Date(1_060_000).toISOString()}`,
        },
      },
      registries: {},
      topics: {
        orders: {
          state: 'waiting',
          since: new Date(1_000_000).toISOString(),
          waitsFor: ['s3://lake'],
          reason: 's3://lake: no answer, [secret] and all (KD_STORE_UNAVAILABLE)',
          next: `The next trial request is sent at ${new Date(1_060_000).toISOString()}; the topic continues by itself`,
        },
      },
    },
  })
  assert.equal((await get('/healthz')).status, 200)
  assert.match(
    (await get('/metrics')).text,
    /^kafka_delta_circuit_state\{kind="store",name="s3:\/\/lake"\} 2$/m,
  )
  health.check()
  circuits.length = 0
  assert.equal((await get('/readyz')).status, 200, 'the stall timer restarts after the wait')
})

test('A failed topic is reported with its code and without secrets, and of its gauges its bytes disappear', async () => {
  health.setTopics([topic, usersOf(topic)])
  partitions.push(lagging())
  state = 'failed'
  failure = { code: 'KD_OFFSETS_VANISHED', message: 'gone, says hunter2', atMs: 1_000_000, error: undefined }
  const { status, json } = await get('/readyz')
  const { components, ...rest } = json() as Readyz
  assert.deepEqual([status, rest], [200, { status: 'degraded' }])
  const failed = {
    state: 'failed',
    since: new Date(1_000_000).toISOString(),
    reason: 'gone, says [secret] (KD_OFFSETS_VANISHED)',
    next: 'It is not started again: remove the cause (docs/troubleshooting.md) and restart it',
    failure: {
      code: 'KD_OFFSETS_VANISHED',
      message: 'gone, says [secret]',
      at: new Date(1_000_000).toISOString(),
    },
  }
  assert.deepEqual((components.topics as Record<string, unknown>)['orders'], failed)
  const { text } = await get('/metrics')
  assert.match(text, /^kafka_delta_topic_state\{topic="orders.v1",state="failed"\} 1$/m)
  assert.match(text, /^kafka_delta_topic_state\{topic="orders.v1",state="running"\} 0$/m)
  const topicsOf = (metric: string): readonly (string | undefined)[] =>
    [...text.matchAll(new RegExp(`^${metric}\\{topic="([^"]+)"`, 'gm'))].map(([, name]) => name)
  assert.deepEqual(topicsOf('kafka_delta_lag'), ['orders.v1', 'users.v1'])
  assert.deepEqual(topicsOf('kafka_delta_buffered'), ['users.v1'])
  const { components: parts } = (await get('/actuator/health')).json() as {
    components: { topics: { status: string } }
  }
  assert.equal(parts.topics.status, 'DOWN')
})

test('A topic without lag stays ready, however long no record arrives', async () => {
  health.setTopics([topic])
  partitions.push({ ...lagging(), committed: 24n })
  clock.nowMs += 10 * STALLED_MS
  assert.equal((await get('/readyz')).status, 200)
})

test('The status has lag, freshness and the last commit of each topic, and the offsets of each partition', async () => {
  health.setTopics([topic])
  partitions.push(lagging())
  const progress = health.progressOf('orders')
  clock.nowMs += 250
  const stages = { id: 1, startedAtMs: 0, totalMs: 0, ms: {} }
  const flush = { id: 1, provenances: [], counts: COMMIT.counts, bytes: 0, deadLetters: [] }
  progress.onEvent({ kind: 'flush-ended', flush, durationMs: 250, stages })
  progress.onEvent({ kind: 'committed', commit: COMMIT, partitions })
  const { topics } = (await get('/status')).json() as { topics: Record<string, Record<string, unknown>> }
  const { orders = {} } = topics
  assert.equal(orders['lag'], 15)
  assert.equal(orders['tableVersion'], 7)
  assert.deepEqual(orders['lastCommit'], {
    version: 7,
    at: new Date(1_000_250).toISOString(),
    durationMs: 250,
    attempts: 2,
  })
  assert.deepEqual(orders['partitions'], [
    { partition: 3, live: true, next: 20, txn: 9, group: 8, end: 25, lag: 15, lagMs: null },
  ])
})

test('Metrics count records by outcome, and report lag and freshness by topic', async () => {
  health.setTopics([topic])
  partitions.push(lagging())
  const committed = { kind: 'committed', commit: COMMIT, partitions } as const
  health.progressOf('orders').onEvent(committed)
  metrics.handlerOf('orders.v1')(committed)
  const { text } = await get('/metrics')
  const value = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? NaN)
  assert.equal(value(/^kafka_delta_records_total\{[^}]*outcome="row"[^}]*\} (\S+)/m), 3)
  assert.equal(value(/^kafka_delta_records_total\{[^}]*outcome="dead_letter"[^}]*\} (\S+)/m), 1)
  assert.equal(value(/^kafka_delta_commit_attempts_total\{[^}]*\} (\S+)/m), 2)
  assert.equal(value(/^kafka_delta_lag\{[^}]*partition="3"[^}]*\} (\S+)/m), 15)
  assert.equal(value(/^kafka_delta_freshness\{[^}]*\} (\S+)/m), 1)
  assert.equal(value(/^kafka_delta_ready(?:\{[^}]*\})? (\S+)/m), 1)
  assert.equal((await get('/actuator/prometheus')).status, 200)
  const { names } = (await get('/actuator/metrics')).json() as { names: string[] }
  assert.ok(names.includes('kafka_delta_records_total'), names.join(' '))
})

test('The configuration is shown without secrets, and cannot be changed', async () => {
  const { text } = await get('/config')
  assert.ok(!text.includes('hunter2'), 'the password is hidden')
  assert.match(text, /"password":"\[secret\]"/)
  assert.deepEqual(Object.keys((await get('/version')).json() as object), ['name', 'version', 'node'])
  assert.equal((await get('/nothing')).status, 404)
  for (const method of ['POST', 'PUT', 'DELETE'])
    assert.equal((await fetch(`${endpoints.url}/status`, { method })).status, 404)
})

test('A port in use is a configuration fault', async () => {
  const parts = { config, health, metrics: () => Promise.resolve(''), log, levels: new LogLevels() }
  await assert.rejects(startEndpoints(parts), { code: 'KD_CONFIG_INVALID', message: /http\.port/ })
})

test('Beyond the loopback address, status and configuration need the admin token; health and metrics do not', async () => {
  const { prometheus } = await startMetrics({}, true)
  assert.ok(prometheus !== undefined, 'metrics can be scraped')
  const token = 'a-token-of-the-administrator'
  for (const admin of [{}, { token }]) {
    const [port = 0] = await findFreePorts(1)
    const bound = loadConfig({ object: { http: { port, host: '0.0.0.0' }, admin } })
    const parts = { health, metrics: prometheus, log, levels: new LogLevels() }
    const open = await startEndpoints({ config: bound, ...parts })
    opened.push(open)
    const statusOf = async (path: string, sent?: string): Promise<number> => {
      const headers = sent === undefined ? {} : { authorization: `Bearer ${sent}` }
      return (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).status
    }
    const refused = 'token' in admin ? 401 : 403
    for (const path of ['/status', '/config']) {
      assert.equal(await statusOf(path), refused, path)
      assert.equal(await statusOf(path, 'another-token-of-somebody'), refused, path)
      assert.equal(await statusOf(path, token), 'token' in admin ? 200 : 403, path)
    }
    for (const path of ['/healthz', '/metrics', '/version', '/actuator/prometheus'])
      assert.equal(await statusOf(path), 200, path)
    assert.equal(await statusOf('/readyz'), health.isReady ? 200 : 503)
  }
})

test('Two entries of one topic have progress of their own', () => {
  const other: TopicRun = { ...topic, name: 'orders-copy' }
  health.setTopics([topic, other])
  partitions.push(lagging())
  health.progressOf('orders').markStarted()
  health.progressOf('orders-copy').markStarted()
  clock.nowMs += STALLED_MS + 1
  health.progressOf('orders').onEvent({ kind: 'committed', commit: COMMIT, partitions })
  assert.deepEqual([health.stateOf(topic), health.stateOf(other)], ['running', 'stalled'])
  health.check()
  assert.equal(lines.filter((line) => line.includes('The topic is stalled')).length, 1)
})
