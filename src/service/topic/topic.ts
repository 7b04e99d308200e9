import { tap, type Observable } from 'rxjs'
import type { Commit } from '../../../operators/commit-offsets.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import type { Contract } from '../../contract/contract.ts'
import type { Budget } from '../../core/credit/budget.ts'
import { Credit } from '../../core/credit/credit.ts'
import { Lane } from '../../core/serial-queue.ts'
import { inFlush } from '../../core/stage/flush-scope.ts'
import { NO_TRACE } from '../../core/flush-trace.ts'
import { groupOffsets } from '../../kafka/client/admin.ts'
import {
  createDeadLetterTopic,
  type DeadLetterOptions,
  type DeadLetterTopic,
} from '../../kafka/dead-letters/dead-letters.ts'
import { createSource } from '../../kafka/source/kafkajs-source.ts'
import type { KafkaSource, SourceOptions } from '../../kafka/source/source-options.ts'
import { pipeline, type Parts, type PipelineConfig } from '../../pipeline.ts'
import { flushTrace } from '../../telemetry/tracing/flush-trace.ts'
import { topicLogger, type Logger } from '../../telemetry/log.ts'
import { openDeadLetters } from '../dead-letters/sinks.ts'
import { GroupOffsets } from './group-offsets.ts'
import { kafkaOptions } from '../connections/kafka-options.ts'
import { startMaintenance } from '../table/maintenance.ts'
import { rowSamples } from './row-samples.ts'
import { observing, type TopicObserver } from './observer.ts'
import { Standings } from './flush-tracker.ts'
import { EMPTY_SUMMARY, withCommit, type Summary } from './summary.ts'
import type { Tables } from '../table/table-pool.ts'
import { openTarget, tablesOf, type Target } from '../table/target.ts'
import { TopicControl } from './control.ts'
import { deadLetterOptions, sourceOptions } from './source-options.ts'
import { formatOf } from './format.ts'
import type { RunState, Standing, TopicFailure } from './state.ts'

/** One topic on its way into its table. */
export interface TopicRun {
  readonly name: string
  readonly topic: string
  readonly config: TopicConfig
  /** Subscribe once; completes when the topic has reached its end or after `stop`, errors when it cannot go on. */
  readonly commits: Observable<Commit>
  /** What was carried so far. */
  readonly summary: () => Summary
  /** Where each assigned partition stands. */
  readonly status: KafkaSource['status']
  /** Bytes of credit taken, of how many. */
  readonly buffered: () => { readonly bytes: number; readonly bytesMax: number }
  /** How it is carried now. */
  readonly state: () => RunState
  /** What it failed with last; absent where it has not failed, or has committed since. */
  readonly failure: () => TopicFailure | undefined
  /** Times that it was begun again after a failure. */
  readonly restarts: () => number
  /** Where its work stands now. */
  readonly standing: () => Standing
  /** The next offset that the Kafka group would read, by partition: asked at most every ten seconds, empty while the brokers do not answer. */
  groupOffsets(): Promise<ReadonlyMap<number, bigint>>
  /** Stops reading until `resume`; its partitions stay with this process, and what was read flows on. */
  pause(): void
  /** Reads on after `pause`. */
  resume(): void
  /** Makes a flush of what is buffered and resolves when it is committed; at once where nothing is. Throws what the topic failed with. */
  flush(): Promise<void>
  /** Packs the table's small files now, after other upkeep that is due in the process. Throws what that failed with. */
  optimize(): Promise<void>
  /** Stops reading; what was read is flushed and committed. */
  stop(): void
  /** Leaves the group and releases everything; after `commits` has ended. */
  close(): Promise<void>
}

/** How a topic is reached; a program that has its records elsewhere brings its own. */
export interface TopicEnds {
  readonly source: (options: SourceOptions) => KafkaSource
  readonly deadLetters: (options: DeadLetterOptions) => DeadLetterTopic
  /** What a Kafka group has read; unknown where absent. */
  readonly groupOffsets?: typeof groupOffsets
}

/** How one topic is opened. */
export interface TopicOptions {
  readonly until: 'stopped' | 'latest'
  readonly log: Logger
  /** A Kafka cluster by default. */
  readonly ends?: TopicEnds
  /** In which upkeep of the table has its turn; one of its own by default. */
  readonly lane?: Lane
  /** In which topics of one table share it; tables of its own by default. */
  readonly tables?: Tables
  /** Who looks at a topic, by its name in Kafka. */
  readonly observe?: (topic: string) => TopicObserver | undefined
  /** In which topics of the process share their bytes; as much as `creditBytes` by default. */
  readonly budget?: Budget
  /** The columns of a table that is not there yet, where no schema says them. */
  readonly inferred?: Contract
}

const KAFKA: TopicEnds = { source: createSource, deadLetters: createDeadLetterTopic, groupOffsets }

/** Opens the table of a topic and joins source, operators and sinks; nothing flows before `commits` is subscribed to. */
export async function openTopic(
  name: string,
  config: Config,
  topic: TopicConfig,
  options: TopicOptions,
): Promise<TopicRun> {
  const { until, ends = KAFKA } = options
  const { groupId } = config.kafka
  const log = topicLogger(options.log, topic.topic, topic.log.level)
  const observer = options.observe?.(topic.topic)
  const target = await openTarget(topic, config, warningsTo(log, observer), options.tables, options.inferred)
  const format = await orRelease(target, formatOf(topic, config, target, options.tables?.circuits))
  const observed = observing(observer)
  const deadLetters = await orRelease(target, openSinks(config, topic, target, options))
  const credit = new Credit(topic.creditBytes, undefined, options.budget)
  const source = ends.source(sourceOptions(config, topic, target, { credit, log, until, observed, observer }))
  const { lane = new Lane() } = options
  const maintenance = maintenanceOf(topic, target, { source, log, lane, observer })
  const control = new TopicControl(credit)
  const standings = new Standings(credit)
  const inGroup = new GroupOffsets(() => groupOffsetsOf(config, topic, ends, log))
  let summary = EMPTY_SUMMARY
  const commits = pipeline(
    source.batches,
    {
      ...target,
      source,
      credit,
      deadLetters,
      appId: topic.appId,
      ...rowSamples(topic.log, log),
      format,
      openTrace: (facts) => standings.trace(facts, observed.trace(facts, flushTrace({ ...facts, groupId }))),
      onFenced: fencedTo(log),
    },
    knobsOf(topic, target),
  ).pipe(
    observed.commits(() => source.status()),
    tap((commit) => {
      summary = withCommit(summary, commit)
      noteCommit(commit, log)
      maintenance.committed(commit.version)
    }),
    control.watch(),
  )
  return {
    name,
    topic: topic.topic,
    config: topic,
    commits,
    summary: () => summary,
    status: () => source.status(),
    buffered: () => ({ bytes: credit.taken, bytesMax: credit.bytesMax }),
    ...asked(control, { standings, inGroup, maintenance }),
    stop: () => {
      source.stop()
      void maintenance.stop()
    },
    close: async () => {
      await Promise.all([maintenance.stop(), source.close(), deadLetters.close()])
      credit.close()
      await target.release()
    },
  }
}

/** What may be asked of a topic while it runs. */
function asked(
  control: TopicControl,
  parts: {
    readonly standings: Standings
    readonly inGroup: GroupOffsets
    readonly maintenance: ReturnType<typeof startMaintenance>
  },
): Omit<
  TopicRun,
  'name' | 'topic' | 'config' | 'commits' | 'summary' | 'status' | 'buffered' | 'stop' | 'close'
> {
  return {
    state: () => control.state,
    failure: () => control.failure,
    restarts: () => 0,
    standing: () => parts.standings.now(),
    groupOffsets: () => parts.inGroup.read(),
    pause: () => control.pause(),
    resume: () => control.resume(),
    flush: () => control.flush(),
    optimize: () => parts.maintenance.optimize(),
  }
}

async function groupOffsetsOf(
  { kafka }: Config,
  { topic }: TopicConfig,
  ends: TopicEnds,
  log: Logger,
): Promise<ReadonlyMap<number, bigint>> {
  return (await ends.groupOffsets?.(kafkaOptions(kafka, log), kafka.groupId, topic)) ?? new Map()
}

function maintenanceOf(
  { table: policy }: TopicConfig,
  { store, table }: Target,
  {
    source,
    log,
    lane,
    observer,
  }: {
    readonly source: KafkaSource
    readonly log: Logger
    readonly lane: Lane
    readonly observer: TopicObserver | undefined
  },
): ReturnType<typeof startMaintenance> {
  return startMaintenance({
    store,
    policy,
    version: table.version,
    isOurs: () => source.status().some(({ partition }) => partition === 0),
    lane,
    log: log.child({ table: store.uri }),
    onRun: (run) => observer?.maintenance?.(run),
  })
}

function openSinks(
  config: Config,
  topic: TopicConfig,
  target: Target,
  { ends = KAFKA, tables = tablesOf(config), log }: TopicOptions,
): ReturnType<typeof openDeadLetters> {
  const ofTopic = log.child({ topic: topic.topic })
  return openDeadLetters(topic, {
    tables,
    topic: () => ends.deadLetters(deadLetterOptions(config, topic, target, ofTopic, tables.circuits)),
    log: ofTopic,
  })
}

/** A table whose topic cannot be opened is given back. */
async function orRelease<T>(target: Target, opening: Promise<T>): Promise<T> {
  try {
    return await opening
  } catch (error) {
    await target.release()
    throw error
  }
}

function warningsTo(log: Logger, observer: TopicObserver | undefined): Parameters<typeof openTarget>[2] {
  return {
    onWarning: (warning) => log.warn({ code: warning.code }, warning.message),
    onCheckpoint: (outcome) => observer?.checkpoint?.(outcome),
  }
}

/** Told of a flush that is read again. */
function fencedTo(log: Logger): NonNullable<Parts['onFenced']> {
  return (appIds, unfit) =>
    unfit === undefined
      ? log.warn({ appIds }, 'Another writer holds these offsets; reading on from the table')
      : log.warn({ appIds, unfit }, 'Another writer changed the table; reading again from there')
}

function knobsOf(topic: TopicConfig, { partitionColumns }: Target): PipelineConfig {
  const { mode, maxRate, maxRateRecordsMin: recordsMin } = topic.deadLetters
  return {
    partitionColumns,
    flush: topic.flush,
    parquet: topic.parquet,
    stopAtDeadLetter: mode === 'stop',
    deadLetterLimit: maxRate === undefined ? undefined : { maxRate, recordsMin },
  }
}

function noteCommit(commit: Commit, log: Logger): void {
  if (!log.isLevelEnabled('debug')) return
  const { version, counts, attempts, conflicts, adds, trace = NO_TRACE } = commit
  const fields = { version: String(version), ...counts, files: adds.length, attempts, conflicts }
  inFlush(trace, () => log.debug(fields, 'Committed'))
}
