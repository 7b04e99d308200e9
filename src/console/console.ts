import { getHeapStatistics } from 'node:v8'
import type { Config } from '../../config/types.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { PACKAGE_VERSION } from '../delta/protocol/engine.ts'
import type { ListedMember } from '../kafka/members/read-members.ts'
import type { Circuit } from '../core/circuit.ts'
import { nextTrialOf } from '../service/health/condition.ts'
import type { Health } from '../service/health/health.ts'
import type { BudgetUsage } from '../service/metrics/process-metrics.ts'
import type { TopicRun } from '../service/topic/topic-run.ts'
import type { Store } from '../storage/store.ts'
import type { Logger } from '../telemetry/log.ts'
import { PartitionAllowance } from './history/partition-lags.ts'
import { SeriesRing } from './history/series-ring.ts'
import { SAMPLE_EVERY_MS, SAMPLES_MAX, TopicHistory } from './history/topic-history.ts'
import { membersOfTopic } from './look/group-members.ts'
import { Looked } from './look/looked.ts'
import { lookAtTable, type TableLook } from './look/table-health.ts'
import type { ConsoleSnapshot, ServerTrouble } from './snapshot.ts'
import { detailOf } from './views/detail.ts'
import { headlineOf, troubleRankOf } from './views/headline.ts'
import { overviewOf, type ObservedTopic } from './views/overview.ts'

/** Partitions of the process whose lag is kept over time, 240 bytes each. */
const PARTITIONS_MAX = 20_000
/** Time for which a snapshot is given to all who ask for the same topic. */
const SNAPSHOT_MS = 900
/** Topics whose snapshots and tables are kept at once: more than one can look at. */
const VIEWED_MAX = 20
const MEMBERS_EVERY_MS = 10_000
const TABLE_EVERY_MS = 60_000

/** Says where the console gets what it shows. */
export interface ConsoleOptions {
  readonly config: Config
  readonly health: Health
  readonly log: Logger
  /** The byte budget that all topics of the process share, if any. */
  readonly budget?: (() => BudgetUsage | undefined) | undefined
  /** Files of the configuration as the service got them, for commands to copy. */
  readonly configFiles?: readonly string[] | undefined
  /** Opens the store of a table; without it nothing is known of tables. */
  readonly openStore?: ((uri: string) => Promise<Store>) | undefined
  /** Reads the members of the consumer group; without it they are unknown. */
  readonly readMembers?: (() => Promise<readonly ListedMember[]>) | undefined
  readonly clock?: Clock
}

/**
 * Remembers what happened in a process, and describes the process at a moment for the console. It follows the events of
 * topics and is told to take samples; servers are asked only while somebody looks at a topic.
 */
export class ConsoleState {
  readonly #options: ConsoleOptions
  readonly #clock: Clock
  readonly #histories = new Map<string, TopicHistory>()
  readonly #allowance = new PartitionAllowance(PARTITIONS_MAX)
  readonly #rss = new SeriesRing(SAMPLE_EVERY_MS, SAMPLES_MAX)
  readonly #members: Looked<readonly ListedMember[]>
  /** Tables that somebody looks at, by the name of the topic's entry, the last asked for last. */
  readonly #tables = new Map<string, Looked<TableLook>>()
  readonly #snapshots = new Map<string, { readonly text: string; readonly atMs: number }>()

  constructor(options: ConsoleOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#members = new Looked({
      look: () => options.readMembers?.() ?? Promise.reject(new Error('The members are not asked for')),
      everyMs: MEMBERS_EVERY_MS,
      onFailure: (error) => this.#logFailure(error, 'The members of the group are unknown'),
      clock: this.#clock,
    })
  }

  /** Bytes of the lags of partitions that are kept, and their number. */
  get kept(): { readonly bytes: number; readonly samples: number } {
    let [bytes, samples] = [0, 0]
    for (const { partitions } of this.#histories.values()) {
      bytes += partitions.bytes
      samples += partitions.samples
    }
    return { bytes, samples }
  }

  /** Follows a topic by its events, until they complete. */
  observe({ name, events }: Pick<TopicRun, 'name' | 'events'>): void {
    const history = new TopicHistory(this.#allowance, this.#clock.now())
    this.#histories.get(name)?.partitions.clear()
    this.#histories.set(name, history)
    events.subscribe((event) => history.onEvent(event, this.#clock.now()))
  }

  /** Takes a sample of the process and its topics; called every two seconds. Forgets topics that are gone. */
  sample(): void {
    const nowMs = this.#clock.now()
    this.#rss.add(process.memoryUsage.rss(), nowMs)
    const { health } = this.#options
    const present = new Set<string>()
    for (const { name, status } of health.topics) {
      present.add(name)
      this.#histories.get(name)?.sample(status, health.progressOf(name), nowMs)
    }
    for (const [name, history] of this.#histories) {
      if (present.has(name)) continue
      history.partitions.clear()
      this.#histories.delete(name)
      this.#tables.delete(name)
    }
  }

  /**
   * Returns the snapshot with the detail of a topic, by the name of its entry or in Kafka, as JSON. All who ask for the same
   * topic within a second get the same text.
   */
  snapshotText(topic: string | undefined): string {
    const nowMs = this.#clock.now()
    const key = topic ?? ''
    const known = this.#snapshots.get(key)
    if (known !== undefined && nowMs - known.atMs < SNAPSHOT_MS && nowMs >= known.atMs) return known.text
    const text = JSON.stringify(this.snapshot(topic))
    this.#snapshots.delete(key)
    this.#snapshots.set(key, { text, atMs: nowMs })
    dropOldest(this.#snapshots)
    return text
  }

  /** Returns the snapshot with the detail of a topic, by the name of its entry or in Kafka; by default of the first one. */
  snapshot(topic: string | undefined): ConsoleSnapshot {
    const { health, config, budget } = this.#options
    const topics = this.#topics()
    const asked =
      topics.find(({ run }) => run.name === topic) ??
      topics.find(({ run }) => run.topic === topic) ??
      topics[0]
    const judged = topics.map(({ run, condition }) => ({ topic: run.topic, condition }))
    const held = budget?.()
    const memory = process.memoryUsage()
    return {
      atMs: this.#clock.now(),
      version: PACKAGE_VERSION,
      node: process.version,
      startedAtMs: Math.round(performance.timeOrigin),
      headline: headlineOf(health.readiness, judged),
      memory: {
        rssBytes: memory.rss,
        heapBytes: memory.heapUsed,
        heapBytesMax: getHeapStatistics().heap_size_limit,
        heldBytes: held?.taken ?? topics.reduce((sum, { run }) => sum + run.status.buffered().bytes, 0),
        heldBytesMax: held?.bytesMax ?? null,
        rss: this.#rss.series(),
      },
      topics: topics.map((each) => overviewOf(each, health, topics.length)),
      detail: asked === undefined ? null : this.#detailOf(asked),
      servers: health.circuits.filter(({ state }) => state !== 'closed').map(troubleOf),
      hasAdmin: config.admin.enabled,
    }
  }

  /** Resolves when no server is being asked. */
  async settled(): Promise<void> {
    await Promise.all([this.#members, ...this.#tables.values()].map((each) => each.settled()))
  }

  /** Returns the topics in the order of the list: those in trouble first, then by lag, longest first. */
  #topics(): readonly ObservedTopic[] {
    const { health } = this.#options
    const observed = health.topics.flatMap((run): ObservedTopic[] => {
      const history = this.#histories.get(run.name)
      if (history === undefined) return []
      const lag = health.progressOf(run.name).totalLag(run.status.partitions())
      return [{ run, history, condition: health.conditionOf(run), lag }]
    })
    return observed.sort(
      (a, b) =>
        troubleRankOf(a.condition) - troubleRankOf(b.condition) ||
        Number((b.lag ?? -1n) - (a.lag ?? -1n)) ||
        (a.run.name < b.run.name ? -1 : 1),
    )
  }

  #detailOf(topic: ObservedTopic): ConsoleSnapshot['detail'] {
    const { health, config, configFiles = [], readMembers } = this.#options
    const members = readMembers === undefined ? undefined : this.#members.value()
    return detailOf(topic, {
      ...{ health, configFiles, groupId: config.kafka.groupId, traceUrl: config.console.traceUrl },
      members: members && membersOfTopic(members, topic.run.topic, topic.history.assigned),
      tableHealth: this.#tableOf(topic.run)?.value()?.health,
    })
  }

  /** Returns the look at a topic's table; none before the table was open, and without a store. */
  #tableOf({ name, config, status }: TopicRun): Looked<TableLook> | undefined {
    const { openStore } = this.#options
    if (openStore === undefined || !status.hasOpened) return undefined
    const { uri, optimize } = config.table
    const look =
      this.#tables.get(name) ??
      new Looked<TableLook>({
        look: async (before) => {
          const store = await openStore(uri)
          try {
            const nowMs = this.#clock.now()
            return await lookAtTable(store, { targetBytes: optimize.targetBytes, nowMs, before })
          } finally {
            await store.close()
          }
        },
        everyMs: TABLE_EVERY_MS,
        onFailure: (error) => this.#logFailure(error, 'The health of the table is unknown', name),
        clock: this.#clock,
      })
    this.#tables.delete(name)
    this.#tables.set(name, look)
    dropOldest(this.#tables)
    return look
  }

  #logFailure(error: unknown, what: string, name?: string): void {
    this.#options.log.debug({ err: error, name }, `${what} to the console; it is asked again`)
  }
}

/** Keeps the newest entries of a map that holds what somebody looks at. */
function dropOldest(viewed: Map<string, unknown>): void {
  for (const key of viewed.keys()) {
    if (viewed.size <= VIEWED_MAX) return
    viewed.delete(key)
  }
}

function troubleOf(circuit: Circuit): ServerTrouble {
  const { kind, name, state, sinceMs, reason } = circuit
  return { kind, name, state, sinceMs, reason: reason ?? null, next: nextTrialOf(circuit) }
}
