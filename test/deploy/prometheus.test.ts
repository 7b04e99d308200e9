// A real Prometheus asks a real service every second. Goal: every query of the dashboard has data, every rule can be computed,
// and alerts fire from real faults, which one service has at the same time. Their pauses and some windows are cut; what they
// ask is what is shipped.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { findFreePorts } from '../../src/local-servers/process.ts'
import { PROGRAM } from '../e2e/support/carry.ts'
import { startWorker, type Worker } from '../integrity/support/worker.ts'
import { filledIn, panelsOf, type Dashboard } from '../support/dashboard.ts'
import { scriptedServer } from '../support/network/scripted-http.ts'
import {
  checkMetrics,
  startPrometheus,
  type Alert,
  type PrometheusServer,
} from '../support/servers/prometheus.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import {
  brokenStore,
  sealCheckpoints,
  startOtherWriter,
  startRestlessMember,
  startRobbery,
  startTraffic,
  watchedConfig,
  watchedTopics,
  type Running,
} from './support/watched.ts'

const root = join(import.meta.dirname, '../..')
const WAIT_MS_MAX = 120_000
const EVERY_MS = 500
/** Long enough to be counted as a stall of the event loop. */
const FROZEN_MS = 1_500
const TOKEN = 'token-for-the-verbs-of-tests'

const group = nameForTests('watched')
const topics = watchedTopics(group)

let folder: string
let service: Worker
let prometheus: PrometheusServer
let brokers: readonly string[]
let url: string
let isStopping = false
const running: Running[] = []
/** Alerts that have fired, by name and labels. */
const fired = new Map<string, Alert>()

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watched-'))
  brokers = await kafkaForTests()
  const store = await scriptedServer(brokenStore)
  running.push(store)
  const [port = 0] = await findFreePorts(1)
  url = `http://127.0.0.1:${port}`
  const table = (fault: string): string => join(folder, fault)
  await sealCheckpoints(table('robbed'))
  running.push(startRobbery(table('robbed')), startOtherWriter(table('shared')))
  running.push(await startTraffic(brokers, topics))
  const config = join(folder, 'config.json')
  const at = { brokers, group, port, token: TOKEN, s3: store.endpoint, folder }
  await writeFile(config, JSON.stringify(watchedConfig(topics, at)))
  service = startWorker(PROGRAM, ['run', '--config', config])
  running.push({
    stop: async () => {
      service.kill('SIGKILL')
      await service.ended
    },
  })
  const rules = await readFile(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8')
  prometheus = await startPrometheus(`127.0.0.1:${port}`, hurried(rules))
  running.push(prometheus, watchAlerts())
})

after(async () => {
  await Promise.all(running.reverse().map((each) => each.stop()))
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
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
    await until(label, () => missingIn(`count by (${label}) (kafka_delta_ready{${label}!=""})`))
  await until('topics', async () => {
    const found = await prometheus.query('count by (topic) (kafka_delta_topic_state)')
    return Object.values<string>({ ...topics }).filter(
      (topic) => !found.some(({ labels }) => labels['topic'] === topic),
    )
  })
})

test('alerts fire for what is wrong, and not for the topic that is well', async () => {
  const { bad, refused, down, stuck, late, shared, again, split, robbed } = topics
  await until('files of the split table', async () =>
    missingIn(`kafka_delta_files_total{topic="${split}"} > 300`),
  )
  await pause('split')
  await wantAlerts([
    ['KafkaDeltaDeadLetters', { topic: bad }],
    ['KafkaDeltaDeadLetterBurst', { topic: bad }],
    ['KafkaDeltaTopicFailed', { topic: refused }],
    ['KafkaDeltaFlushFailed', { topic: refused }],
    ['KafkaDeltaCircuitOpen', { kind: 'store', name: 's3://lake' }],
    ['KafkaDeltaTopicWaiting', { topic: down }],
    ['KafkaDeltaLagUnknown', { topic: down }],
    ['KafkaDeltaTopicStalled', { topic: stuck }],
    ['KafkaDeltaLagNotDraining', { topic: late }],
    ['KafkaDeltaNothingCommitted', { topic: late }],
    ['KafkaDeltaLagGrowing', { topic: late }],
    ['KafkaDeltaTableStale', { topic: late }],
    ['KafkaDeltaCommitContention', { topic: shared }],
    ['KafkaDeltaTopicRestarting', { topic: again }],
    ['KafkaDeltaSmallFiles', { topic: split }],
    ['KafkaDeltaTopicPaused', { topic: split }],
    ['KafkaDeltaMaintenanceFailing', { topic: robbed, task: 'optimize' }],
    ['KafkaDeltaCheckpointsFailing', { topic: robbed }],
    ['KafkaDeltaDiskLow', {}],
    ['KafkaDeltaNotReady', {}],
  ])
  for (const { annotations } of fired.values())
    assert.doesNotMatch(JSON.stringify(annotations), /<no value>|<error|undefined/)
  await until('peace for the topic that is well', async () =>
    (await prometheus.firing())
      .filter(({ labels }) => labels['topic'] === topics.good)
      .map(({ labels }) => JSON.stringify(labels)),
  )
})

test('a member of the group that joins and leaves all the time is told of', async () => {
  const restless = await startRestlessMember(brokers, group)
  try {
    await wantAlerts([['KafkaDeltaRebalancing', { topic: topics.good }]])
  } finally {
    await restless.stop()
  }
})

test('a service that is stopped and continued again and again is told of', async () => {
  for (let times = 0; times < 4; times++) {
    service.kill('SIGSTOP')
    await sleep(FROZEN_MS)
    service.kill('SIGCONT')
    await sleep(EVERY_MS)
  }
  await wantAlerts([['KafkaDeltaEventLoopBlocked', {}]])
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
  const present = async (): Promise<readonly string[]> => {
    const firing = await prometheus.firing()
    return wanted.filter((name) => firing.some((alert) => isAlert(alert, name, {})))
  }
  await until('end of alerts', present)
  isStopping = true
  service.kill('SIGKILL')
  await service.ended
  await until('alerts', async () => {
    const fire = await present()
    return wanted.filter((name) => !fire.includes(name))
  })
})

interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}
interface Rule {
  readonly alert?: string
  for?: string
  expr: string
}

/** What is changed in the expression of a rule: time goes by faster, and disks of any size are small. */
const HURRIED: Readonly<Record<string, readonly [RegExp, string]>> = {
  KafkaDeltaLagGrowing: [/\b30m\b/g, '5s'],
  KafkaDeltaNothingCommitted: [/\b10m\b/g, '5s'],
  KafkaDeltaCommitContention: [/\b15m\b/g, '5s'],
  KafkaDeltaDiskLow: [/< 1e9/, '< 1e18'],
}

/** The rules without their pauses. */
function hurried(text: string): string {
  const rules = parse(text) as Rules
  for (const rule of rules.groups.flatMap((each) => each.rules)) {
    if (rule.for !== undefined) rule.for = '0s'
    const [before, after] = HURRIED[rule.alert ?? ''] ?? []
    if (before === undefined || after === undefined) continue
    assert.match(rule.expr, before, rule.alert)
    rule.expr = rule.expr.replaceAll(new RegExp(before, 'g'), after)
  }
  return stringify(rules)
}

/** Notes alerts as they fire: some do so for a short time only. */
function watchAlerts(): Running {
  const timer = setInterval(() => {
    prometheus.firing().then(
      (alerts) => {
        for (const alert of alerts) fired.set(JSON.stringify(alert.labels), alert)
      },
      () => undefined,
    )
  }, EVERY_MS)
  return {
    stop: () => {
      clearInterval(timer)
      return Promise.resolve()
    },
  }
}

async function wantAlerts(
  wanted: readonly (readonly [string, Readonly<Record<string, string>>])[],
): Promise<void> {
  await until('alerts', () =>
    Promise.resolve(
      wanted
        .filter(([name, labels]) => ![...fired.values()].some((alert) => isAlert(alert, name, labels)))
        .map(([name, labels]) => `${name} ${JSON.stringify(labels)}`),
    ),
  )
}

async function pause(entry: string): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { status } = await fetch(`${url}/admin/topics/${entry}/pause`, { method: 'POST', headers })
  assert.equal(status, 200)
}

async function missingIn(expr: string): Promise<readonly string[]> {
  return (await prometheus.query(expr)).length > 0 ? [] : [expr]
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
    await sleep(EVERY_MS)
  }
}

function isAlert({ labels }: Alert, name: string, wanted: Readonly<Record<string, string>>): boolean {
  return labels['alertname'] === name && Object.entries(wanted).every(([key, value]) => labels[key] === value)
}
