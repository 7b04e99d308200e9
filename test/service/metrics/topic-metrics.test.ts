// Goal: the metrics of hundreds of topics stay small.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_COUNTS } from '../../../src/core/batch.ts'
import type { Raw } from '../../../src/core/raw.ts'
import { Health } from '../../../src/service/health/health.ts'
import { registerProcessMetrics } from '../../../src/service/metrics/process-metrics.ts'
import { TopicMetrics } from '../../../src/service/metrics/topic-metrics.ts'
import { EMPTY_SUMMARY } from '../../../src/service/topic/summary.ts'
import type { TopicEventHandler } from '../../../src/service/topic/events.ts'
import type { TopicRun } from '../../../src/service/topic/topic-run.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { startMetrics } from '../../../src/telemetry/metrics/metrics.ts'

const TOPICS = 200
const PARTITIONS = 6
const STAGES =
  'poll decode transform validate enrich constrain partitionBy bufferTimeOrCount toArrow writeParquet writeDeadLetters commitDelta commitOffsets'

function runOf(topic: string): TopicRun {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
    ...{ partition, live: true, next: 5_000n, committed: 4_000n, end: 9_000n },
  }))
  const status = {
    ...{ state: 'running', failure: undefined, restarts: 0, unmatchedPaths: 0 },
    summary: { ...EMPTY_SUMMARY, version: 7n },
    partitions: () => partitions,
    buffered: () => ({ bytes: 10_000, bytesMax: 100_000 }),
    inFlight: () => ({ bufferedBytes: 0, flushes: [] }),
  }
  return { name: topic, topic, config: { deadLetters: {} }, status } as unknown as TopicRun
}

/** Reports a flush with every stage, and everything around it. */
function reportFlush(topic: string, handle: TopicEventHandler): void {
  const offsets = BigInt64Array.of(4n)
  const values = { bytes: new Uint8Array(11), valueStart: Int32Array.of(0), valueEnd: Int32Array.of(10) }
  const raw = { topic, partition: 3, count: 1, ...values, offsets }
  handle({ kind: 'read', raw: raw as unknown as Raw })
  const ms = Object.fromEntries(STAGES.split(' ').map((stage) => [stage, 12.345]))
  const flush = { counts: NO_COUNTS, deadLetters: [{ reason: 'contract' }, { reason: 'decode' }] } as never
  handle({
    kind: 'flush-ended',
    flush,
    durationMs: 123.4,
    stages: { id: 1, startedAtMs: 0, totalMs: 90, ms },
  })
  const add = { path: 'a', partitionValues: {}, size: 77_000, modificationTime: 0, dataChange: true }
  const ends = { attempts: 1, conflicts: 0, ambiguous: 0, schemaChanged: false }
  const commit = {
    id: 1,
    version: 7n,
    ranges: [],
    counts: { ...NO_COUNTS, slow: { value: 3 } },
    adds: [add],
    newestMs: 1,
    ...ends,
  }
  handle({ kind: 'committed', commit, partitions: [] })
  handle({ kind: 'maintained', run: { task: 'optimize', outcome: 'done', ms: 50 } })
}

/** Returns the metrics of 200 topics of six partitions, as Prometheus reads them. */
async function scrapeTopics(isBusy: boolean): Promise<string> {
  const pipe = await startMetrics({}, true)
  const health = new Health({ stalledMs: 1_000, log: createLogger({ level: 'silent', pretty: false }) })
  const metrics = new TopicMetrics(pipe.meter)
  const names = Array.from({ length: TOPICS }, (_, index) => `shop.orders-${index}`)
  health.setTopics(names.map(runOf))
  registerProcessMetrics(pipe.observe, health, () => undefined)
  for (const name of names) {
    const handle = metrics.handlerOf(name)
    if (isBusy) reportFlush(name, handle)
  }
  const text = (await pipe.prometheus?.()) ?? ''
  await pipe.shutdown()
  return text
}

function seriesOf(text: string, topic: string): readonly string[] {
  return text.split('\n').filter((line) => line.includes(`="${topic}"`))
}

test('A topic has a bounded number of series, fewer while it is idle', async () => {
  const idle = seriesOf(await scrapeTopics(false), 'shop.orders-7')
  assert.ok(idle.length <= 45, `${idle.length}`)
  // The first of these events may be the only one: without a 0 before it, no rate shows it.
  for (const rare of ['puts_ambiguous', 'files_orphaned', 'schema_changes'])
    assert.ok(idle.includes(`kafka_delta_${rare}_total{topic="shop.orders-7"} 0`), rare)
  const text = await scrapeTopics(true)
  const busy = seriesOf(text, 'shop.orders-7')
  assert.ok(busy.length <= 110, `${busy.length}`)
  assert.ok(busy.includes('kafka_delta_slow_rows_total{topic="shop.orders-7",reason="value"} 3'))
  assert.ok(busy.includes('kafka_delta_slow_rows_total{topic="shop.orders-7",reason="path"} 0'))
  assert.ok(text.length <= 1_800_000, `${text.length}`)
  // What serializes metrics one by one states the resource once, and nothing between them.
  assert.equal(text.match(/^target_info/gm)?.length, 1)
  assert.doesNotMatch(text, /no registered metrics/)
})
