// docs/operations.md lists exactly the metrics of the service.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { NO_COUNTS } from '../../../src/core/batch.ts'
import type { Raw } from '../../../src/core/raw.ts'
import { Health } from '../../../src/service/health/health.ts'
import { registerDiskMetrics } from '../../../src/service/metrics/disk-space.ts'
import { createJavaMetrics } from '../../../src/service/metrics/java-metrics.ts'
import type { TopicEvent } from '../../../src/service/topic/events.ts'
import { registerProcessMetrics } from '../../../src/service/metrics/process-metrics.ts'
import { EMPTY_SUMMARY } from '../../../src/service/topic/summary.ts'
import { TopicMetrics } from '../../../src/service/metrics/topic-metrics.ts'
import type { TopicRun } from '../../../src/service/topic/topic-run.ts'
import { Instruments } from '../../../src/telemetry/metrics/instruments.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import {
  JAVA_METRICS,
  METRICS,
  RUNTIME_METRICS,
  type MetricDefinition,
} from '../../../src/telemetry/metrics/catalogue.ts'
import { startMetrics, type MetricsPipeline } from '../../../src/telemetry/metrics/metrics.ts'

const ALL: Readonly<Record<string, MetricDefinition>> = { ...METRICS, ...JAVA_METRICS }
const TOPIC = 'orders.v1'

/** Triggers every event of a topic once. */
async function doAll(pipe: MetricsPipeline): Promise<void> {
  const partitions = [{ partition: 3, live: true, next: 5n, committed: 4n, end: 9n }]
  const health = new Health({
    stalledMs: 1_000,
    log: createLogger({ level: 'silent', pretty: false }),
    circuits: () => [
      { kind: 'store', name: 's3://lake', state: 'open', sinceMs: 0, openedCount: 2, retries: 7 },
    ],
  })
  const run = {
    name: 'orders',
    topic: TOPIC,
    config: { table: { uri: '/' }, deadLetters: {} },
    status: {
      state: 'running',
      failure: undefined,
      restarts: 0,
      summary: { ...EMPTY_SUMMARY, version: 7n },
      partitions: () => partitions,
      buffered: () => ({ bytes: 10, bytesMax: 100 }),
      inFlight: () => ({ bufferedBytes: 0, flushes: [] }),
    },
  } as unknown as TopicRun
  health.setTopics([run])
  registerProcessMetrics(pipe.observe, health, () => ({ taken: 10, bytesMax: 1_000 }))
  new Instruments(pipe.meter).counter('kafka_delta.eventloop.stalls').add(0)
  const progress = health.progressOf('orders')
  const handlers = [new TopicMetrics(pipe.meter).handlerOf(TOPIC), createJavaMetrics(pipe).handlerOf(TOPIC)]
  const emit = (event: TopicEvent): void => {
    progress.onEvent(event)
    for (const handle of handlers) handle(event)
  }
  const raw = {
    topic: TOPIC,
    partition: 3,
    count: 1,
    bytes: new Uint8Array(11),
    valueStart: Int32Array.of(0),
    valueEnd: Int32Array.of(10),
    offsets: BigInt64Array.of(4n),
    timestampsMs: Float64Array.of(1),
  }
  const counts = {
    ...NO_COUNTS,
    records: 5,
    expanded: 1,
    rows: 2,
    deadLetters: 2,
    tombstones: 1,
    filtered: 1,
  }
  emit({ kind: 'read', raw: raw as unknown as Raw })
  const letters = (['contract', 'rule'] as const).map((reason) => ({ reason }))
  const stages = { id: 1, startedAtMs: 0, totalMs: 90, ms: { poll: 20, decode: 40, commitOffsets: 30 } }
  const flush = { id: 1, provenances: [], counts, bytes: 10, deadLetters: letters } as never
  emit({ kind: 'flush-ended', flush, durationMs: 100, stages })
  const range = { topic: TOPIC, partition: 3, follows: undefined, first: 0n, last: 4n }
  const add = { path: 'a', partitionValues: {}, size: 77, modificationTime: 0, dataChange: true }
  const ends = { attempts: 3, conflicts: 2, ambiguous: 1, schemaChanged: true }
  const commit = { id: 1, version: 7n, ranges: [range], counts, adds: [add], newestMs: 1, ...ends }
  emit({ kind: 'committed', commit, partitions })
  emit({ kind: 'maintained', run: { task: 'optimize', outcome: 'done', ms: 50 } })
  emit({ kind: 'checkpointed', outcome: 'written', durationMs: 3 })
  emit({ kind: 'source', event: { kind: 'rebalancing' } })
  emit({ kind: 'source', event: { kind: 'assigned', partitions: [3] } })
  emit({ kind: 'orphaned', files: { keys: ['a', 'b', 'c'], reason: undefined } })
  const space = registerDiskMetrics(pipe.observe, health)
  space.read()
  await space.idle()
}

async function scraped(): Promise<string> {
  const pipe = await startMetrics({}, true)
  await doAll(pipe)
  // The runtime reports its event loop only after a few turns.
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setTimeout(resolve, 20))
  const text = await pipe.prometheus?.()
  await pipe.shutdown()
  return text ?? ''
}

function prometheusName(name: string, kind: MetricDefinition['kind']): string {
  const flat = name.replaceAll('.', '_')
  return (kind === 'counter' || kind === 'total') && !flat.endsWith('_total') ? `${flat}_total` : flat
}

test('The service reports exactly the metrics of the catalogue, with their names, kinds and labels', async () => {
  const text = await scraped()
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  )
  for (const [name, { kind, labels, bounds }] of Object.entries(ALL)) {
    const flat = prometheusName(name, kind)
    const isSummary = bounds?.length === 0
    const type = kind === 'total' ? 'counter' : isSummary ? 'summary' : kind
    assert.equal(types.get(flat), type, name)
    const line = new RegExp(`^${flat}(?:_count)?(?:\\{([^}]*)\\})? `, 'm').exec(text)
    const told = [...(line?.[1] ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label)
    assert.deepEqual(told.sort(), labels.map((label) => label.replaceAll('.', '_')).sort(), name)
  }
  const known = new Set(Object.entries(ALL).map(([name, { kind }]) => prometheusName(name, kind)))
  const others = [...types.keys()].filter((name) => !known.has(name) && name !== 'target_info')
  const runtime = RUNTIME_METRICS.map((name) => name.replaceAll('.', '_'))
  assert.deepEqual(
    others.map((name) => name.replace(/_total$/, '')).filter((name) => !runtime.includes(name)),
    [],
  )
  // Garbage collection may or may not run meanwhile.
  const missing = runtime.filter((name) => !others.includes(name) && !others.includes(`${name}_total`))
  assert.deepEqual(
    missing.filter((name) => name !== 'v8js_gc_duration'),
    [],
  )
})

test('Both sides of the record equation are reported, and the Java connector’s metrics count the same flush', async () => {
  const text = await scraped()
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
      (all, [, value]) => all + Number(value),
      0,
    )
  assert.equal(sum('kafka_delta_commit_records_total'), 6)
  assert.equal(sum('kafka_delta_records_total'), 6)
  assert.equal(sum('kafka_delta_dead_letters_total'), 2)
  assert.equal(sum('kafka_connector_records_processed_total'), 6)
  assert.equal(sum('kafka_connector_delta_writes_total'), 1)
  assert.equal(sum('kafka_connector_batch_flush_duration_count'), 1)
  assert.equal(sum('kafka_connector_schema_validation_failures'), 1, 'what a rule refused fits the schema')
  assert.equal(sum('kafka_connector_optimization_runs_total'), 1)
  assert.equal(sum('kafka_delta_puts_ambiguous_total'), 1)
  assert.equal(sum('kafka_delta_schema_changes_total'), 1)
  assert.equal(sum('kafka_delta_files_orphaned_total'), 3)
  assert.equal(sum('kafka_delta_stage_duration_sum'), 0.09)
  assert.equal(sum('kafka_delta_rebalances_total'), 1)
})

test('The tables of docs/operations.md have every metric with its labels, and no other', () => {
  const text = readFileSync('docs/operations.md', 'utf8')
  const rows = [...text.matchAll(/^\| `((?:messaging|kafka_|process|nodejs|v8js)[\w.]*)` +\| ([^|]*)\|/gm)]
  const told = Object.fromEntries(
    rows.map(([, name = '', labels = '']) => [
      name,
      [...labels.matchAll(/`([^`]+)`/g)].map(([, label]) => label),
    ]),
  )
  assert.equal(rows.length, Object.keys(told).length, 'each once')
  const runtime = Object.fromEntries(RUNTIME_METRICS.map((name) => [name, told[name]]))
  const ours = Object.fromEntries(Object.entries(ALL).map(([name, { labels }]) => [name, [...labels]]))
  assert.deepEqual(told, { ...runtime, ...ours })
})

test('Metrics are created only from the catalogue, but for those of code of users', () => {
  const makers = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .filter((path) =>
      /\.create(?:Observable)?(?:Counter|Histogram|Gauge|UpDownCounter)\(/.test(
        readFileSync(join('src', path), 'utf8'),
      ),
    )
  assert.deepEqual(makers, [
    join('service', 'operators', 'topic-meter.ts'),
    join('telemetry', 'metrics', 'instruments.ts'),
  ])
})
