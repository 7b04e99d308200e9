// A real Prometheus asks a real service every second. Goal: every query of the dashboard has data, every rule can be computed,
// and the alerts that something quick can cause do fire: their pauses are cut, their expressions are those that are shipped.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { findFreePorts } from '../../src/local-servers/process.ts'
import { PROGRAM } from '../e2e/support/carry.ts'
import { fillTopic } from '../integrity/support/topic.ts'
import { startWorker, type Worker } from '../integrity/support/worker.ts'
import { filledIn, panelsOf, type Dashboard } from '../support/dashboard.ts'
import {
  checkMetrics,
  startPrometheus,
  type Alert,
  type PrometheusServer,
} from '../support/servers/prometheus.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'

const root = join(import.meta.dirname, '../..')
const WAIT_MS_MAX = 120_000
const EVERY_MS = 500

const group = nameForTests('watched')
/** Flows, is packed, and meets a commit of somebody else. */
const good = `${group}-good`
/** One record in ten is bad. */
const bad = `${group}-bad`
/** Fails for good: too many of its records are bad. */
const refused = `${group}-refused`
/** Its store is not there. */
const down = `${group}-down`
/** Lags and does not move: its flush is not due before long. */
const stuck = `${group}-stuck`

let folder: string
let service: Worker
let load: Worker
let prometheus: PrometheusServer
let url: string
let isStopping = false

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watched-'))
  const brokers = await kafkaForTests()
  const [port = 0, nobody = 0] = await findFreePorts(2)
  url = `http://127.0.0.1:${port}`
  const fill = (topic: string, records: number, badEvery: number): Promise<unknown> =>
    fillTopic({ brokers, topic, records, badEvery, partitions: 1, seed: 5 })
  await Promise.all([
    fill(bad, 3_000, 10),
    fill(refused, 200, 2),
    ...[down, stuck, good].map((topic) => fill(topic, 100, 0)),
  ])
  const config = join(folder, 'config.json')
  await writeFile(config, JSON.stringify(configOf(brokers, port, nobody)))
  const env = { KAFKA_BOOTSTRAP_SERVERS: brokers.join(',') }
  load = startWorker(PROGRAM, ['load', '--topic', good, '--rate', '200'], env)
  service = startWorker(PROGRAM, ['run', '--config', config])
  const rules = await readFile(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8')
  prometheus = await startPrometheus(`127.0.0.1:${port}`, rules.replaceAll(/^( +)for: \w+$/gm, '$1for: 0s'))
})

after(async () => {
  load.kill('SIGKILL')
  service.kill('SIGKILL')
  await Promise.all([load.ended, service.ended, prometheus.stop()])
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('another writer’s commit is a conflict that is counted', async () => {
  const log = join(folder, 'good', '_delta_log')
  await until('two commits', async () => ((await versionsOf(log)).length > 1 ? [] : ['none yet']))
  for (let isWritten = false; !isWritten;) {
    const next = String((await versionsOf(log)).length).padStart(20, '0')
    const commit = JSON.stringify({ commitInfo: { timestamp: Date.now(), operation: 'ANOTHER' } })
    isWritten = await writeFile(join(log, `${next}.json`), commit, { flag: 'wx' }).then(
      () => true,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      },
    )
  }
  const conflicts = `kafka_delta_commit_conflicts_total{topic="${good}"} > 0`
  await until('a conflict', async () => ((await prometheus.query(conflicts)).length > 0 ? [] : [conflicts]))
})

test('every query of the dashboard has data', async () => {
  const text = await readFile(join(root, 'deploy/grafana/dashboard.json'), 'utf8')
  const queries = panelsOf(JSON.parse(text) as Dashboard).flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ title, expr: filledIn(expr) })),
  )
  assert.ok(queries.length > 40, `there are ${queries.length}`)
  await until('data', async () => {
    const empty: string[] = []
    for (const { title, expr } of queries)
      if ((await prometheus.query(expr)).length === 0) empty.push(`${title}: ${expr}`)
    return empty
  })
})

test('the variables of the dashboard have values', async () => {
  for (const label of ['job', 'instance'])
    assert.ok(
      (await prometheus.query(`count by (${label}) (kafka_delta_ready{${label}!=""})`)).length > 0,
      label,
    )
  const topics = await prometheus.query('count by (topic) (kafka_delta_topic_state)')
  assert.deepEqual(topics.map(({ labels }) => labels['topic']).sort(), [bad, down, good, refused, stuck])
})

test('alerts fire for what is wrong, and not for the topic that is well', async () => {
  const wanted = [
    ['KafkaDeltaDeadLetters', { topic: bad }],
    ['KafkaDeltaDeadLetterBurst', { topic: bad }],
    ['KafkaDeltaTopicFailed', { topic: refused }],
    ['KafkaDeltaFlushFailed', { topic: refused }],
    ['KafkaDeltaCircuitOpen', { kind: 'store', name: 's3://lake' }],
    ['KafkaDeltaTopicStalled', { topic: stuck }],
    ['KafkaDeltaNotReady', {}],
  ] as const
  let firing: readonly Alert[] = []
  await until('alerts', async () => {
    firing = await prometheus.firing()
    return wanted.flatMap(([name, labels]) =>
      firing.some((alert) => isAlert(alert, name, labels)) ? [] : [`${name} ${JSON.stringify(labels)}`],
    )
  })
  for (const { annotations } of firing)
    assert.doesNotMatch(JSON.stringify(annotations), /<no value>|<error|undefined/)
  const ofGood = firing.filter(({ labels }) => labels['topic'] === good)
  const ofFailure = /Failed|DeadLetter|Stalled|Paused|Restarting/
  assert.deepEqual(
    ofGood.filter(({ labels }) => ofFailure.test(labels['alertname'] ?? '')),
    [],
  )
})

test('every rule can be evaluated against what the service shows', async () => {
  const rules = await prometheus.rules()
  assert.ok(rules.length > 20, `there are ${rules.length}`)
  assert.deepEqual(
    rules.filter(({ health }) => health !== 'ok'),
    [],
  )
})

test('promtool has nothing to say against what the service shows', async () => {
  await checkMetrics(await (await fetch(`${url}/metrics`)).text())
})

test('a service that is gone is told of', async () => {
  const wanted = ['KafkaDeltaDown', 'KafkaDeltaAbsent']
  const missing = async (): Promise<readonly string[]> => {
    const firing = await prometheus.firing()
    return wanted.filter((name) => !firing.some((alert) => isAlert(alert, name, {})))
  }
  assert.deepEqual(await missing(), wanted, 'they do not fire before')
  isStopping = true
  service.kill('SIGKILL')
  await service.ended
  await until('alerts', missing)
})

function configOf(brokers: readonly string[], port: number, nobody: number): object {
  const topic = (name: string, uri: string, more: object = {}): object => ({
    topic: name,
    contract: resolve(root, 'schemas/user-events.schema.json'),
    flush: { ageMs: 500 },
    retry: { attempts: 2, baseMs: 10, capMs: 20 },
    table: { uri },
    ...more,
  })
  return {
    http: { port, stalledMs: 3_000 },
    kafka: { brokers, groupId: group },
    onFailure: 'stop-topic',
    circuit: { failures: 2, openMs: 1_000 },
    storage: {
      s3: {
        endpoint: `http://127.0.0.1:${nobody}`,
        region: 'us-east-1',
        forcePathStyle: true,
        accessKeyId: 'nobody',
        secretAccessKey: 'nothing',
      },
    },
    topics: {
      good: topic(good, join(folder, 'good'), {
        table: {
          uri: join(folder, 'good'),
          checkpointInterval: 2,
          optimize: { everyMs: 1_000 },
          vacuum: { everyMs: 1_000 },
        },
      }),
      bad: topic(bad, join(folder, 'bad')),
      refused: topic(refused, join(folder, 'refused'), {
        deadLetters: { maxRate: 0.1, maxRateRecordsMin: 10 },
      }),
      down: topic(down, 's3://lake/down'),
      stuck: topic(stuck, join(folder, 'stuck'), { flush: { ageMs: 600_000 } }),
    },
  }
}

/** Waits until nothing is missing any more, while the service runs. */
async function until(what: string, missing: () => Promise<readonly string[]>): Promise<void> {
  let deadline = Date.now() + WAIT_MS_MAX
  if (!isStopping) void service.ended.then(() => (deadline = 0))
  for (;;) {
    const left = await missing()
    if (left.length === 0) return
    if (Date.now() > deadline)
      assert.fail(`no ${what}:\n${left.join('\n')}\n${service.lines.slice(-20).join('\n')}`)
    await new Promise((done) => setTimeout(done, EVERY_MS))
  }
}

async function versionsOf(log: string): Promise<readonly string[]> {
  const names = await readdir(log).catch(() => [])
  return names.filter((name) => /^\d{20}\.json$/.test(name))
}

function isAlert({ labels }: Alert, name: string, wanted: Readonly<Record<string, string>>): boolean {
  return labels['alertname'] === name && Object.entries(wanted).every(([key, value]) => labels[key] === value)
}
