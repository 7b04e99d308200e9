import { tap, type Observable } from 'rxjs'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import type { Contract } from '../../contract/contract.ts'
import type { Budget } from '../../core/credit/budget.ts'
import { Credit } from '../../core/credit/credit.ts'
import { SerialQueue } from '../../core/serial-queue.ts'
import { inFlush } from '../../core/stage/flush-scope.ts'
import { NO_TRACE } from '../../core/flush-trace.ts'
import { readGroupOffsets } from '../../kafka/client/admin.ts'
import {
  createDeadLetterTopic,
  type DeadLetterOptions,
  type DeadLetterTopic,
} from '../../kafka/dead-letters/dead-letters.ts'
import { createSource } from '../../kafka/source/consumer-source.ts'
import type { KafkaSource, SourceOptions } from '../../kafka/source/source-options.ts'
import { pipeline, type PipelineOptions, type PipelineConfig } from '../../pipeline.ts'
import { openFlushTrace } from '../../telemetry/tracing/flush-trace.ts'
import { createTopicLogger, type Logger } from '../../telemetry/log.ts'
import { openDeadLetters } from '../dead-letters/sinks.ts'
import { GroupOffsets } from './group-offsets.ts'
import { kafkaOptionsOf } from '../connections/kafka-options.ts'
import { startTableMaintenance } from '../table/maintenance.ts'
import { sampleRows } from './row-samples.ts'
import { createPipelineTaps, type TopicObserver } from './observer.ts'
import { FlushTracker } from './flush-tracker.ts'
import { EMPTY_SUMMARY, addCommit, type TopicSummary } from './summary.ts'
import type { TablePool } from '../table/table-pool.ts'
import { openTarget, createTablePool, type Target } from '../table/target.ts'
import { TopicControl } from './control.ts'
import { deadLetterOptionsOf, sourceOptionsOf } from './source-options.ts'
import { openTopicFormat } from './format.ts'
import type { RunState, InFlightWork, TopicFailure } from './state.ts'

/** Represents a topic that is carried into its table, and lets callers observe and control it. */
export interface TopicRun {
  readonly name: string
  readonly topic: string
  readonly config: TopicConfig
  /**
   * Emits each commit; subscribe once. Completes when the topic has caught up or after `stop`, errors when it cannot
   * continue.
   */
  readonly commits: Observable<PipelineCommit>
  /** Returns the totals so far. */
  readonly summary: () => TopicSummary
  /** Returns the offsets of each assigned partition. */
  readonly status: KafkaSource['status']
  /** Returns the credit in use and its maximum, in bytes. */
  readonly buffered: () => { readonly bytes: number; readonly bytesMax: number }
  /** Returns the present state. */
  readonly state: () => RunState
  /** Returns the last failure; `undefined` when there was none or the topic has committed since. */
  readonly failure: () => TopicFailure | undefined
  /** Returns the number of restarts after failures. */
  readonly restarts: () => number
  /** Returns where the work in flight is. */
  readonly inFlight: () => InFlightWork
  /**
   * Returns the committed offset of the Kafka group by partition. Asks the brokers at most every ten seconds; empty
   * until they answer.
   */
  groupOffsets(): Promise<ReadonlyMap<number, bigint>>
  /**
   * Stops reading until `resume`; the partitions stay assigned to this process, and records already read continue to
   * the table.
   */
  pause(): void
  /** Resumes reading after `pause`. */
  resume(): void
  /**
   * Flushes what is buffered and resolves when it is committed; resolves at once when nothing is buffered.
   * @throws the error that the topic failed with
   */
  flush(): Promise<void>
  /**
   * Compacts the table's small files now, after other maintenance that is queued in the process.
   * @throws the error of the optimize run
   */
  optimize(): Promise<void>
  /** Stops reading; everything read is flushed and committed. */
  stop(): void
  /** Leaves the consumer group and releases all resources; call it after `commits` has ended. */
  close(): Promise<void>
}

/** Creates the connections of a topic; a program with records from elsewhere provides its own. */
export interface TopicConnectors {
  readonly source: (options: SourceOptions) => KafkaSource
  readonly deadLetters: (options: DeadLetterOptions) => DeadLetterTopic
  /** Reads the committed offsets of a Kafka group; unknown when absent. */
  readonly groupOffsets?: typeof readGroupOffsets
}

/** Describes how one topic is opened. */
export interface OpenTopicOptions {
  readonly until: 'stopped' | 'latest'
  readonly log: Logger
  /** Connects to Kafka by default. */
  readonly connectors?: TopicConnectors
  /** Queue for table maintenance, shared by the topics of a process; by default the topic has its own. */
  readonly maintenanceQueue?: SerialQueue
  /** Pool in which topics of the same table share it; by default the topic has its own. */
  readonly tables?: TablePool
  /** Returns the observer of a topic, by its name in Kafka and the name of its entry in `topics`. */
  readonly observe?: (topic: string, entry: string) => TopicObserver | undefined
  /** Byte budget shared by the topics of a process; by default the topic has `creditBytes` of its own. */
  readonly budget?: Budget
  /** Columns for a table that does not exist yet, when no schema defines them. */
  readonly inferredContract?: Contract
}

/** Maximum of file names in a log line. */
const SHOWN_KEYS_MAX = 10

const KAFKA: TopicConnectors = {
  source: createSource,
  deadLetters: createDeadLetterTopic,
  groupOffsets: readGroupOffsets,
}

/**
 * Opens the table of a topic and connects source, operators and sinks. No record is read before `commits` is
 * subscribed to.
 * @throws the errors of `openTarget` and of opening the format
 */
export async function openTopic(
  name: string,
  config: Config,
  topic: TopicConfig,
  options: OpenTopicOptions,
): Promise<TopicRun> {
  const { until, connectors = KAFKA, maintenanceQueue = new SerialQueue() } = options
  const { tables, inferredContract } = options
  const { groupId } = config.kafka
  const log = createTopicLogger(options.log, topic.topic, topic.log.level)
  const observer = options.observe?.(topic.topic, name)
  const target = await openTarget(topic, config, writerCallbacksOf(log, observer), tables, inferredContract)
  const openingFormat = openTopicFormat(topic, config, target, tables?.circuits)
  const format = await releaseOnFailure(target, openingFormat)
  const taps = createPipelineTaps(observer)
  const deadLetters = await releaseOnFailure(target, openTopicDeadLetters(config, topic, target, options))
  const credit = new Credit(topic.creditBytes, undefined, options.budget)
  const source = connectors.source(
    sourceOptionsOf(config, topic, target, { credit, log, until, taps, observer }),
  )
  const maintenance = startTopicMaintenance(topic, target, { source, log, maintenanceQueue, observer })
  const control = new TopicControl(credit)
  const flushTracker = new FlushTracker(credit)
  const groupOffsets = new GroupOffsets(() => groupOffsetsOf(config, topic, connectors, log))
  let summary = EMPTY_SUMMARY
  const commits = pipeline(
    source.batches,
    {
      ...target,
      source,
      credit,
      deadLetters,
      appId: topic.appId,
      ...sampleRows(topic.log, log),
      format,
      openTrace: (flush) =>
        flushTracker.track(flush, taps.trace(flush, openFlushTrace({ ...flush, groupId }))),
      onFenced: createFencedLogger(log),
      onOrphaned: createOrphanReporter(log, observer),
    },
    pipelineConfigOf(topic, target),
  ).pipe(
    taps.commits(() => source.status()),
    tap((commit) => {
      summary = addCommit(summary, commit)
      logCommit(commit, log)
      maintenance.onCommit(commit.version)
    }),
    control.trackEnd(),
  )
  return {
    name,
    topic: topic.topic,
    config: topic,
    commits,
    summary: () => summary,
    status: () => source.status(),
    buffered: () => ({ bytes: credit.taken, bytesMax: credit.bytesMax }),
    ...topicControlsOf(control, { flushTracker, groupOffsets, maintenance }),
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

/** Returns the members of `TopicRun` that control a running topic or report on it. */
function topicControlsOf(
  control: TopicControl,
  services: {
    readonly flushTracker: FlushTracker
    readonly groupOffsets: GroupOffsets
    readonly maintenance: ReturnType<typeof startTableMaintenance>
  },
): Omit<
  TopicRun,
  'name' | 'topic' | 'config' | 'commits' | 'summary' | 'status' | 'buffered' | 'stop' | 'close'
> {
  return {
    state: () => control.state,
    failure: () => control.failure,
    restarts: () => 0,
    inFlight: () => services.flushTracker.current(),
    groupOffsets: () => services.groupOffsets.read(),
    pause: () => control.pause(),
    resume: () => control.resume(),
    flush: () => control.flush(),
    optimize: () => services.maintenance.optimize(),
  }
}

async function groupOffsetsOf(
  { kafka }: Config,
  { topic }: TopicConfig,
  connectors: TopicConnectors,
  log: Logger,
): Promise<ReadonlyMap<number, bigint>> {
  return (await connectors.groupOffsets?.(kafkaOptionsOf(kafka, log), kafka.groupId, topic)) ?? new Map()
}

function startTopicMaintenance(
  { table: policy }: TopicConfig,
  { store, table }: Target,
  {
    source,
    log,
    maintenanceQueue,
    observer,
  }: {
    readonly source: KafkaSource
    readonly log: Logger
    readonly maintenanceQueue: SerialQueue
    readonly observer: TopicObserver | undefined
  },
): ReturnType<typeof startTableMaintenance> {
  return startTableMaintenance({
    store,
    policy,
    version: table.version,
    isOurTurn: () => source.status().some(({ partition }) => partition === 0),
    queue: maintenanceQueue,
    log: log.child({ table: store.uri }),
    onRun: (run) => observer?.maintenance?.(run),
  })
}

function openTopicDeadLetters(
  config: Config,
  topic: TopicConfig,
  target: Target,
  { connectors = KAFKA, tables = createTablePool(config), log }: OpenTopicOptions,
): ReturnType<typeof openDeadLetters> {
  const topicLog = log.child({ topic: topic.topic })
  return openDeadLetters(topic, {
    tables,
    openTopic: () =>
      connectors.deadLetters(deadLetterOptionsOf(config, topic, target, topicLog, tables.circuits)),
    log: topicLog,
  })
}

/** Releases the table when the rest of the topic cannot be opened. */
async function releaseOnFailure<T>(target: Target, opening: Promise<T>): Promise<T> {
  try {
    return await opening
  } catch (error) {
    await target.release()
    throw error
  }
}

function writerCallbacksOf(
  log: Logger,
  observer: TopicObserver | undefined,
): Parameters<typeof openTarget>[2] {
  return {
    onWarning: (warning) => log.warn({ code: warning.code }, warning.message),
    onCheckpoint: (outcome) => observer?.checkpoint?.(outcome),
  }
}

/** Returns a callback that logs flushes which are dropped and read again. */
function createFencedLogger(log: Logger): NonNullable<PipelineOptions['onFenced']> {
  return (appIds, unfitReason) =>
    unfitReason === undefined
      ? log.warn(
          { appIds },
          'Fenced: another writer has committed these offsets; this flush is dropped and reading continues from the table',
        )
      : log.warn(
          { appIds, unfit: unfitReason },
          'Another writer changed the table so that the rows no longer fit; this flush is dropped and read again',
        )
}

/** Returns a callback that logs and counts the files that a flush without a commit leaves in the store. */
function createOrphanReporter(
  log: Logger,
  observer: TopicObserver | undefined,
): NonNullable<PipelineOptions['onOrphaned']> {
  return ({ keys, reason }) => {
    observer?.orphaned?.(keys.length)
    log.warn(
      { err: reason, files: keys.length, keys: keys.slice(0, SHOWN_KEYS_MAX) },
      'Data files of a flush that was not committed could not be deleted: no version has them, VACUUM deletes them',
    )
  }
}

function pipelineConfigOf(topic: TopicConfig, { partitionColumns }: Target): PipelineConfig {
  const { mode, maxRate, maxRateRecordsMin: recordsMin } = topic.deadLetters
  return {
    partitionColumns,
    flush: topic.flush,
    parquet: topic.parquet,
    stopAtDeadLetter: mode === 'stop',
    deadLetterLimit: maxRate === undefined ? undefined : { maxRate, recordsMin },
  }
}

function logCommit(commit: PipelineCommit, log: Logger): void {
  if (!log.isLevelEnabled('debug')) return
  const { version, counts, attempts, conflicts, adds, trace = NO_TRACE } = commit
  const fields = { version: String(version), ...counts, files: adds.length, attempts, conflicts }
  inFlush(trace, () => log.debug(fields, 'Flush committed'))
}
