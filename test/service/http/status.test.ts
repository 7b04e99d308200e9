// Goal: whatever the state of a topic, its lag is true or said to be unknown, in /status, in metrics and for a stall.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import { NO_COUNTS } from '../../../src/core/batch.ts'
import type { Circuit } from '../../../src/core/circuit.ts'
import type { PartitionStatus } from '../../../src/kafka/source/source-options.ts'
import { Health } from '../../../src/service/health/health.ts'
import { statusReportOf } from '../../../src/service/http/status.ts'
import { IngestMetrics } from '../../../src/service/metrics/ingest-metrics.ts'
import { registerProcessMetrics } from '../../../src/service/metrics/process-metrics.ts'
import { createEventLog } from '../../../src/service/topic/event-log.ts'
import type { TopicEvent } from '../../../src/service/topic/events.ts'
import { failureOf, type TopicPhase } from '../../../src/service/topic/state.ts'
import { TopicStatus } from '../../../src/service/topic/status.ts'
import type { TopicPipeline } from '../../../src/service/topic/topic-pipeline.ts'
import type { TopicRun } from '../../../src/service/topic/topic-run.ts'
import { createLogger } from '../../../src/telemetry/log.ts'

const STALLED_MS = 60_000
const START_MS = 1_700_000_000_000
const OUTAGE: Circuit = {
  ...{ kind: 'store', name: 's3://lake', state: 'open', sinceMs: START_MS },
  ...{ openedCount: 1, retries: 1 },
}

interface Reported {
  readonly state: string
  readonly lag: number | null
  readonly lagMs: number | null
  readonly freshnessMs: number | null
  readonly futureMs: number | null
  readonly movedMsAgo: number
  readonly partitions: readonly Readonly<Record<string, number | boolean | null>>[]
}

/** One topic whose pipeline, table and brokers say what a test wants, watched by the real status, health and metrics. */
class Watched {
  readonly clock = { nowMs: START_MS, now: () => this.clock.nowMs, sleep: () => Promise.resolve() }
  readonly events = new Subject<TopicEvent>()
  readonly lines: string[] = []
  /** What the brokers said last. */
  readonly ends = new Map<number, bigint | undefined>()
  /** What the table held at the last look. */
  readonly stored = new Map<number, bigint>()
  readonly circuits: Circuit[] = []
  /** The positions and the assignment of the source. */
  positions: readonly PartitionStatus[] = []
  assignment: readonly number[] | undefined
  readonly run: TopicRun
  readonly #health: Health
  #pipeline: TopicPipeline | undefined

  constructor() {
    const log = createLogger({
      ...({ level: 'info', pretty: false } as const),
      destination: { write: (line: string) => void this.lines.push(line) },
    })
    const status = new TopicStatus(
      { creditBytes: 1 },
      this.events,
      () => this.#pipeline,
      () => this.ends,
    )
    const config = { deadLetters: {} }
    this.run = { name: 'orders', topic: 'orders.v1', config, status } as unknown as TopicRun
    this.#health = new Health({
      ...{ stalledMs: STALLED_MS, log, clock: this.clock },
      circuits: () => this.circuits,
      needsCircuit: () => true,
    })
    this.#health.setTopics([this.run])
    this.events.subscribe(this.#health.progressOf('orders').onEvent)
    this.events.subscribe(createEventLog(log, this.clock))
  }

  enter(phase: TopicPhase): void {
    const failure = phase === 'failed' ? failureOf(new Error('no'), this.clock.nowMs) : undefined
    this.events.next({ kind: 'phase', phase, failure })
  }

  /** Enters the phase in which the pipeline exists. */
  open(): void {
    this.#pipeline = {
      source: { status: () => this.positions, assignment: () => this.assignment },
      storedOffset: (partition: number) => this.stored.get(partition),
      groupOffsets: { read: () => Promise.resolve(new Map()) },
      credit: { taken: 0, bytesMax: 1 },
      flushes: { inFlight: () => ({ bufferedBytes: 0, flushes: [] }) },
    } as unknown as TopicPipeline
    this.enter('running')
  }

  /** Opens the topic and gives it two partitions, of which the table holds 10 of 10 and 4 of 20 records. */
  openWithPartitions(): void {
    this.open()
    this.assignment = [0, 1]
    this.positions = [positionOf(0, 9n, 10n), positionOf(1, 3n, 20n)]
    for (const { partition, committed } of this.positions) this.stored.set(partition, committed ?? 0n)
    this.events.next({ kind: 'source', event: { kind: 'assigned', partitions: [0, 1] } })
  }

  commit(newest: { readonly newestMs: number | undefined; readonly futureMs?: number }): void {
    const outcome = { attempts: 1, conflicts: 0, ambiguous: 0, schemaChanged: false }
    const commit = { id: 1, version: 1n, ranges: [], counts: NO_COUNTS, adds: [], ...outcome, ...newest }
    this.events.next({ kind: 'committed', commit, partitions: this.positions })
  }

  /** Lets time pass with the periodic checks. */
  pass(ms: number): void {
    this.#health.check()
    this.clock.nowMs += ms
    this.#health.check()
  }

  async report(): Promise<Reported> {
    const { topics } = (await statusReportOf(this.#health, undefined)) as {
      topics: Record<string, Reported>
    }
    return topics['orders'] ?? assert.fail('the topic is reported')
  }

  /** Returns the values of a metric by partition. */
  metric(wanted: string): readonly (readonly [unknown, number])[] {
    const found: (readonly [unknown, number])[] = []
    registerProcessMetrics(
      (name, read) => {
        if (name === wanted) read((value, labels) => found.push([labels?.['partition'], value]))
      },
      this.#health,
      () => undefined,
    )
    return found
  }

  /** Returns the names of the lag metrics that kafka-delta-ingest would send now. */
  statsd(): readonly string[] {
    const sent: string[] = []
    const send = (name: string, _type: string, value: number): void => void sent.push(`${name}:${value}`)
    new IngestMetrics({ send, close: () => Promise.resolve() }).sendLag(this.run.status.partitions())
    return sent
  }
}

function positionOf(
  partition: number,
  committed: bigint | undefined,
  end: bigint | undefined,
): PartitionStatus {
  return { partition, live: true, next: (committed ?? -1n) + 1n, committed, end }
}

/** Checks that the lag is unknown everywhere. */
async function assertUnknown(watched: Watched): Promise<void> {
  const { lag, lagMs } = await watched.report()
  assert.deepEqual([lag, lagMs], [null, null])
  assert.deepEqual([watched.metric('kafka_delta.lag'), watched.metric('kafka_delta.lag.time')], [[], []])
  assert.deepEqual(watched.statsd(), [])
}

test('At the start, before the first answer of the brokers, the lag is unknown', async () => {
  const watched = new Watched()
  await assertUnknown(watched)
  watched.enter('opening')
  await assertUnknown(watched)
  assert.equal((await watched.report()).freshnessMs, null)
  watched.open()
  await assertUnknown(watched)
})

test('While a topic waits for its store at the start, only what nobody has written is known not to lag', async () => {
  const watched = new Watched()
  watched.enter('opening')
  watched.circuits.push(OUTAGE)
  watched.ends.set(0, 5n)
  await assertUnknown(watched)
  assert.deepEqual((await watched.report()).partitions, [
    { partition: 0, live: false, next: null, txn: null, group: null, end: 5, lag: null, lagMs: null },
  ])
  watched.ends.set(0, 0n)
  assert.equal((await watched.report()).lag, 0)
})

test('Before the first assignment the lag is that of all partitions, by the last look at the table', async () => {
  const watched = new Watched()
  watched.open()
  watched.stored.set(0, 9n).set(1, 3n)
  watched.ends.set(1, 20n).set(0, 10n)
  assert.equal((await watched.report()).lag, 16)
  assert.deepEqual(watched.metric('kafka_delta.lag'), [
    [0, 0],
    [1, 16],
  ])
  watched.stored.delete(1)
  assert.equal((await watched.report()).lag, null, 'the table holds no offset of one')
  assert.deepEqual(watched.metric('kafka_delta.lag'), [[0, 0]])
  watched.stored.set(1, 3n)
  watched.ends.set(1, undefined)
  assert.equal((await watched.report()).lag, null, 'the end of one partition is unknown')
})

test('Partitions of other members do not count, and a member without partitions does not lag', async () => {
  const watched = new Watched()
  watched.openWithPartitions()
  watched.ends.set(0, 10n).set(1, 20n).set(2, 1_000n)
  assert.equal((await watched.report()).lag, 16)
  watched.assignment = []
  watched.positions = []
  assert.equal((await watched.report()).lag, 0)
  assert.deepEqual(watched.statsd(), ['buffer.lag.num_partitions:0', 'buffer.lag.total:0'])
})

test('The lag of a topic that is paused grows with the topic, and it is not stalled', async () => {
  const watched = new Watched()
  watched.openWithPartitions()
  watched.commit({ newestMs: START_MS - 1_000 })
  watched.events.next({ kind: 'paused' })
  watched.ends.set(0, 110n)
  watched.pass(5_000)
  const before = await watched.report()
  watched.ends.set(0, 210n)
  watched.pass(2 * STALLED_MS)
  const { state, lag, lagMs, freshnessMs } = await watched.report()
  assert.deepEqual([before.lag, state, lag], [116, 'paused', 216])
  assert.deepEqual([lagMs, freshnessMs], [5_000 + 2 * STALLED_MS, 6_000 + 2 * STALLED_MS])
  watched.events.next({ kind: 'resumed' })
  watched.pass(STALLED_MS + 1)
  assert.equal((await watched.report()).state, 'stalled')
})

test('During a rebalance the lag is that of the last assignment and the last look at the table', async () => {
  const watched = new Watched()
  watched.openWithPartitions()
  watched.ends.set(0, 10n).set(1, 21n)
  watched.positions = [positionOf(0, 9n, 10n), { ...positionOf(1, 3n, undefined), live: false, next: 0n }]
  assert.equal((await watched.report()).lag, 17)
  assert.deepEqual(watched.statsd(), [], 'it is unknown how far was read')
  watched.positions = []
  assert.equal((await watched.report()).lag, 17, 'all partitions are lost')
})

test('While no broker answers, the lag is unknown once the end offsets are old, also after the session is lost', async () => {
  const watched = new Watched()
  watched.openWithPartitions()
  watched.positions = watched.positions.map((each) => ({ ...each, end: undefined }))
  await assertUnknown(watched)
  assert.deepEqual(
    (await watched.report()).partitions.map(({ next, txn, end }) => [next, txn, end]),
    [
      [10, 9, null],
      [4, 3, null],
    ],
  )
  watched.positions = []
  await assertUnknown(watched)
  watched.pass(2 * STALLED_MS)
  assert.equal((await watched.report()).state, 'running', 'it is not known to be behind')
})

test('A topic that restarts or has failed lags by what its partitions lack, and the age of that grows', async () => {
  const watched = new Watched()
  watched.openWithPartitions()
  watched.commit({ newestMs: START_MS })
  watched.enter('restarting')
  watched.ends.set(0, 15n).set(1, 20n).set(2, 7n)
  assert.equal((await watched.report()).lag, 21)
  watched.enter('opening')
  // The source of the next pipeline has no assignment yet.
  watched.positions = []
  watched.assignment = undefined
  watched.open()
  assert.equal((await watched.report()).lag, 21)
  watched.enter('failed')
  watched.pass(5_000)
  watched.ends.set(1, 30n)
  watched.pass(60_000)
  const { state, lag, lagMs, freshnessMs } = await watched.report()
  assert.deepEqual([state, lag, lagMs, freshnessMs], ['failed', 31, 65_000, 65_000])
  assert.deepEqual(watched.metric('kafka_delta.lag'), [
    [0, 5],
    [1, 26],
  ])
  assert.deepEqual(watched.metric('kafka_delta.lag.time'), [
    [0, 65],
    [1, 65],
  ])
  assert.deepEqual(watched.metric('kafka_delta.freshness'), [[undefined, 65]])
})

test('A topic that failed before its table was open has an unknown lag', async () => {
  const watched = new Watched()
  watched.enter('opening')
  watched.enter('failed')
  watched.ends.set(0, 5n)
  await assertUnknown(watched)
})

test('Records from the future are told by a field and one warning an hour, and do not make a table fresh', async () => {
  const watched = new Watched()
  watched.openWithPartitions()
  watched.commit({ newestMs: undefined, futureMs: START_MS + 7_200_000 })
  watched.commit({ newestMs: START_MS - 1_000, futureMs: START_MS + 7_200_000 })
  const { futureMs, freshnessMs } = await watched.report()
  assert.deepEqual([futureMs, freshnessMs], [7_200_000, 1_000])
  const warnings = (): number => watched.lines.filter((line) => line.includes('from the future')).length
  assert.equal(warnings(), 1)
  watched.clock.nowMs += 3_600_000
  watched.commit({ newestMs: undefined })
  assert.equal(warnings(), 1)
  watched.commit({ newestMs: undefined, futureMs: START_MS + 7_200_000 })
  assert.equal(warnings(), 2)
})
