import type {
  ConsoleSnapshot,
  FlushView,
  Headline,
  PartitionView,
  Series,
  TopicDetail,
  TopicOverview,
  Trend,
} from '../../../../src/console/snapshot.ts'

/** The moment of every snapshot: a night in winter. */
export const AT_MS = Date.UTC(2026, 0, 14, 2, 21, 7)
const MIB = 1024 * 1024

function seriesOf(values: (index: number) => number | null, everyMs = 2_000, length = 120): Series {
  return { everyMs, endMs: AT_MS, values: Array.from({ length }, (_, index) => values(index)) }
}

/** Waves that look like a lag between flushes. */
function sawtooth(height: number, period: number): (index: number) => number {
  return (index) => Math.round(((index % period) / period) * height + (index % 7) * height * 0.02)
}

function topicOf(name: string, changes: Partial<TopicOverview> = {}): TopicOverview {
  return {
    name,
    topic: `${name}.v1`,
    table: `s3://lake/${name}`,
    state: 'running',
    isHealthy: true,
    sinceMs: AT_MS - 7_384_000,
    reason: null,
    next: null,
    code: null,
    freshnessMs: 6_240,
    lag: 18_204,
    lagMs: 5_900,
    trend: 'steady' satisfies Trend,
    clearMs: null,
    recordsPerS: 4_012,
    bytesPerS: 2_310_000,
    heldBytes: 21 * MIB,
    heldBytesMax: 256 * MIB,
    bottleneck: null,
    lagSeries: seriesOf(sawtooth(40_000, 15)),
    freshnessSeries: seriesOf(sawtooth(9_000, 15)),
    ...changes,
  }
}

function partitionOf(partition: number, changes: Partial<PartitionView> = {}): PartitionView {
  return {
    partition,
    next: String(91_204_118 + partition * 1_731),
    txn: String(91_199_871 + partition * 1_731),
    end: String(91_204_402 + partition * 1_731),
    lag: 4_530 + partition * 12,
    lagMs: 5_900,
    trend: 'steady',
    clearMs: null,
    lagSeries: seriesOf(sawtooth(9_000 + partition * 400, 6), 10_000, 60),
    unreadable: null,
    ...changes,
  }
}

const STAGES = [
  'poll',
  'wait',
  'decode',
  'validate',
  'enrich',
  'partitionBy',
  'buffer',
  'toArrow',
  'writeParquet',
  'commitDelta',
  'commitOffsets',
]

function flushOf(id: number, slowness = 1): FlushView {
  const ms = [38, 120, 412, 61, 44, 39, 4_100, 58, 702, 188, 21].map((each) => each * slowness)
  const stages = STAGES.map((stage, index) => ({
    stage,
    ms: (ms[index] ?? 0) + ((id * 37 + index * 11) % 23),
  }))
  return {
    id,
    name: `orders-${id}`,
    startedAtMs: AT_MS - (480 - id) * 6_000,
    totalMs: stages.reduce((sum, stage) => sum + stage.ms, 0),
    outcome: 'committed',
    records: 24_000 + ((id * 911) % 3_000),
    bytes: 13_400_000,
    stages,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    traceUrl: 'http://jaeger:16686/trace/0af7651916cd43dd8448eb211c80319c',
  }
}

function detailOf(name: string, changes: Partial<TopicDetail> = {}): TopicDetail {
  return {
    name,
    restarts: 0,
    rows: 184_201_332,
    deadLetters: 1_204,
    partitions: [0, 1, 2, 3].map((partition) => partitionOf(partition)),
    stages: STAGES.filter((stage) => stage !== 'wait').map((stage, index) => ({
      stage,
      busy: [0.04, 0.21, 0.05, 0.03, 0.02, 0.08, 0.03, 0.34, 0.09, 0.01][index] ?? 0,
      held: [0.02, 0.06, 0.01, 0, 0, 0.1, 0.02, 0, 0, 0][index] ?? 0,
      idle: [0.94, 0.73, 0.94, 0.97, 0.98, 0.82, 0.95, 0.66, 0.91, 0.99][index] ?? 1,
    })),
    commits: Array.from({ length: 12 }, (_, index) => ({
      version: String(48_211 - index),
      atMs: AT_MS - 2_400 - index * 6_080,
      rows: 24_118 - index * 13,
      deadLetters: index === 3 ? 17 : 0,
      files: 4,
      bytes: 1_940_000 - index * 4_000,
      attempts: index === 5 ? 2 : 1,
      conflicts: index === 5 ? 1 : 0,
      durationMs: 990 + ((index * 71) % 200),
      schemaChanged: index === 8,
      by: 'STREAMING UPDATE by kafka-delta 0.1.0',
    })),
    deadLetterGroups: [
      {
        reason: 'contract',
        cause: '/amount must be number',
        count: 1_180,
        lastAtMs: AT_MS - 65_000,
        sample: { partition: 2, offset: '91199021', message: '/amount must be number, got "12,50"' },
        replayCommand: `kafka-delta dlq replay --config service.json --topic ${name} --reason contract`,
      },
      {
        reason: 'decode',
        cause: 'expected JSON',
        count: 24,
        lastAtMs: AT_MS - 3_600_000,
        sample: {
          partition: 0,
          offset: '91001114',
          message: 'expected JSON: Unterminated string at position 812',
        },
        replayCommand: `kafka-delta dlq replay --config service.json --topic ${name} --reason decode`,
      },
    ],
    group: {
      groupId: 'kafka-delta',
      assigned: [0, 1, 2, 3],
      members: [
        { memberId: 'a', clientId: 'kafka-delta', host: '10.0.3.17', partitions: [0, 1, 2, 3], isSelf: true },
        {
          memberId: 'b',
          clientId: 'kafka-delta',
          host: '10.0.3.18',
          partitions: [4, 5, 6, 9],
          isSelf: false,
        },
      ],
      events: [
        { atMs: AT_MS - 610_000, kind: 'assigned', text: 'assigned 0–3' },
        { atMs: AT_MS - 614_000, kind: 'rebalancing', text: 'the group rebalances' },
        { atMs: AT_MS - 7_384_000, kind: 'assigned', text: 'assigned 0–9' },
      ],
    },
    tableHealth: {
      atMs: AT_MS - 20_000,
      version: '48211',
      files: 1_812,
      bytes: 412_000_000_000,
      sizes: [
        { upToBytes: 1_000_000, files: 38 },
        { upToBytes: 16_000_000, files: 121 },
        { upToBytes: 64_000_000, files: 214 },
        { upToBytes: 256_000_000, files: 1_402 },
        { upToBytes: null, files: 37 },
      ],
      smallShare: 0.088,
      checkpointVersion: '48200',
      checkpointAtMs: AT_MS - 68_000,
      lastOptimizeAtMs: AT_MS - 1_260_000,
      lastVacuumAtMs: AT_MS - 14_400_000,
      schemaChanges: 1,
    },
    flushes: Array.from({ length: 8 }, (_, index) => flushOf(480 - index)),
    maintenance: [
      { task: 'optimize', outcome: 'done', atMs: AT_MS - 1_260_000, durationMs: 18_400 },
      { task: 'vacuum', outcome: 'done', atMs: AT_MS - 14_400_000, durationMs: 9_100 },
    ],
    ...changes,
  }
}

const WELL: Headline = {
  level: 'healthy',
  readiness: 'ready',
  sentence: 'Healthy: 3 topics are read and written, the newest row is 6 s old',
  more: 0,
}

function snapshotOf(changes: Partial<ConsoleSnapshot> = {}): ConsoleSnapshot {
  return {
    atMs: AT_MS,
    version: '0.1.0',
    node: '24.22.3',
    startedAtMs: AT_MS - 7_400_000,
    headline: WELL,
    memory: {
      rssBytes: 241 * MIB,
      heapBytes: 88 * MIB,
      heapBytesMax: 512 * MIB,
      heldBytes: 63 * MIB,
      heldBytesMax: 512 * MIB,
      rss: seriesOf((index) => (215 + ((index * 7) % 31)) * MIB),
    },
    topics: [
      topicOf('orders'),
      topicOf('payments', {
        lag: 2_110,
        freshnessMs: 3_010,
        recordsPerS: 610,
        bytesPerS: 402_000,
        heldBytes: 3 * MIB,
      }),
      topicOf('clicks', {
        lag: null,
        lagMs: null,
        trend: null,
        freshnessMs: null,
        recordsPerS: 0,
        bytesPerS: 0,
        heldBytes: 0,
        lagSeries: seriesOf(() => null),
      }),
    ],
    detail: detailOf('orders'),
    servers: [],
    hasAdmin: true,
    ...changes,
  }
}

/** All topics are well. */
export const HEALTHY = snapshotOf()

const REASON = 'it accepts requests, and has answered none for 48 s'

/** The object store does not answer, and one topic grows. */
export const DEGRADED = snapshotOf({
  headline: {
    level: 'degraded',
    readiness: 'degraded',
    sentence: `Degraded: orders.v1 waits for s3://lake, because ${REASON}`,
    topic: 'orders.v1',
    state: 'waiting',
    sinceMs: AT_MS - 48_000,
    reason: REASON,
    next: 'A request without an answer is repeated after its time-out; the topic continues by itself',
    code: 'KD_STORE_UNAVAILABLE',
    guideUrl:
      'https://github.com/kafka-delta/kafka-delta/blob/main/docs/troubleshooting.md#kd_store_unavailable',
    more: 1,
  },
  servers: [
    {
      kind: 'store',
      name: 's3://lake',
      state: 'open',
      sinceMs: AT_MS - 48_000,
      reason: REASON,
      next: 'The next trial request is sent at 02:21:30',
    },
  ],
  topics: [
    topicOf('orders', {
      state: 'waiting',
      isHealthy: false,
      sinceMs: AT_MS - 48_000,
      reason: `s3://lake: ${REASON}`,
      next: 'The topic continues by itself',
      code: 'KD_STORE_UNAVAILABLE',
      lag: 241_880,
      freshnessMs: 54_300,
      lagMs: 53_000,
      trend: 'growing',
      bottleneck: 'writeParquet',
      lagSeries: seriesOf((index) =>
        index < 96 ? sawtooth(40_000, 15)(index) : 40_000 + (index - 96) * 8_400,
      ),
    }),
    topicOf('payments', {
      state: 'waiting',
      isHealthy: false,
      lag: 9_410,
      trend: 'growing',
      reason: `s3://lake: ${REASON}`,
    }),
    topicOf('clicks', {
      lag: 88_000,
      trend: 'draining',
      clearMs: 95_000,
      lagSeries: seriesOf((index) => 300_000 - index * 1_800),
    }),
  ],
  detail: detailOf('orders', {
    partitions: [0, 1, 2, 3].map((partition) =>
      partitionOf(partition, {
        trend: 'growing',
        lag: 60_470,
        lagMs: 53_000,
        unreadable: null,
        lagSeries: seriesOf(
          (index) => (index < 48 ? sawtooth(9_000, 6)(index) : 9_000 + (index - 48) * 4_300),
          10_000,
          60,
        ),
      }),
    ),
    flushes: [
      { ...flushOf(481, 1.7), outcome: 'failed' },
      ...Array.from({ length: 7 }, (_, index) => flushOf(480 - index)),
    ],
  }),
})

/** Nothing runs any more. */
export const STOPPED = snapshotOf({
  headline: {
    level: 'stopped',
    readiness: 'failed',
    sentence:
      'Stopped: orders.v1 failed, because the contract does not fit the table: column amount: expected double, as the table has it, got string',
    topic: 'orders.v1',
    state: 'failed',
    sinceMs: AT_MS - 300_000,
    reason: 'The contract does not fit the table',
    next: 'It is not started again: remove the cause and restart it',
    code: 'KD_SCHEMA_MISMATCH',
    guideUrl:
      'https://github.com/kafka-delta/kafka-delta/blob/main/docs/troubleshooting.md#kd_schema_mismatch',
    more: 0,
  },
  topics: [
    topicOf('orders', { state: 'failed', isHealthy: false, trend: null, lag: null, freshnessMs: null }),
  ],
  hasAdmin: false,
})

/** A service that has only just started. */
export const EMPTY = snapshotOf({
  headline: { level: 'degraded', readiness: 'starting', sentence: 'Starting: no topic runs yet', more: 0 },
  topics: [],
  detail: null,
})

/** Names and messages that try to be HTML. */
export const HOSTILE_TEXT =
  "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
export const HOSTILE = snapshotOf({
  headline: { ...WELL, level: 'degraded', sentence: `Degraded: ${HOSTILE_TEXT}` },
  topics: [
    topicOf(HOSTILE_TEXT, { topic: HOSTILE_TEXT, reason: HOSTILE_TEXT, state: 'waiting', isHealthy: false }),
  ],
  detail: detailOf(HOSTILE_TEXT, {
    deadLetterGroups: [
      {
        reason: 'decode',
        cause: HOSTILE_TEXT,
        count: 1,
        lastAtMs: AT_MS,
        sample: { partition: 0, offset: '1', message: HOSTILE_TEXT },
        replayCommand: HOSTILE_TEXT,
      },
    ],
  }),
})

/** 200 topics, the first of them with 100 partitions. */
export const MANY = snapshotOf({
  topics: Array.from({ length: 200 }, (_, index) => topicOf(`topic-${String(index).padStart(3, '0')}`)),
  detail: detailOf('topic-000', {
    partitions: Array.from({ length: 100 }, (_, partition) => partitionOf(partition)),
  }),
})
