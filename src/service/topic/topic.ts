import { tap, type Observable } from 'rxjs'
import { appIdOf } from '../../../operators/commit-delta.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { Closers, closeOnFailure } from '../../core/lifecycle/closers.ts'
import type { Budget } from '../../core/credit/budget.ts'
import { Credit } from '../../core/credit/credit.ts'
import type { TableWriterOptions } from '../../delta/commit/log-writer.ts'
import type { SerialQueue } from '../../core/serial-queue.ts'
import { readGroupOffsets } from '../../kafka/client/admin.ts'
import {
  createDeadLetterTopic,
  type DeadLetterOptions,
  type DeadLetterTopic,
} from '../../kafka/dead-letters/dead-letters.ts'
import type { KafkaOptions } from '../../kafka/client/client.ts'
import type { EndOffsets, EndOffsetsOptions } from '../../kafka/fetch/end-offsets.ts'
import { createSource } from '../../kafka/source/consumer-source.ts'
import type { KafkaSource, SourceOptions } from '../../kafka/source/source-options.ts'
import { openEndOffsets } from '../../kafka/source/watermarks.ts'
import { pipeline, type PipelineConfig } from '../../pipeline.ts'
import type { Threads } from '../../threads/threads.ts'
import { createTopicLogger, type Logger } from '../../telemetry/log.ts'
import { kafkaOptionsOf } from '../connections/kafka-options.ts'
import { openDeadLetters } from '../dead-letters/sinks.ts'
import { joinOperators, joinUserOperators } from '../operators/join.ts'
import { startTableMaintenance, type TableMaintenance } from '../table/maintenance.ts'
import type { TablePool } from '../table/table-pool.ts'
import { openTarget, type Target, type TargetSources } from '../table/target.ts'
import type { TopicEventHandler } from './events.ts'
import { FlushTracker } from './flush-tracker.ts'
import { openTopicFormat } from './format.ts'
import { GroupOffsets } from './group-offsets.ts'
import { sampleRows } from './row-samples.ts'
import { deadLetterOptionsOf, sourceOptionsOf } from './source-options.ts'
import { TopicPipeline } from './topic-pipeline.ts'

/** Creates the connections of a topic; a program with records from elsewhere provides its own. */
export interface TopicConnectors {
  /** Opens the source of a topic. */
  readonly source: (options: SourceOptions) => KafkaSource
  /** Opens the topic of dead letters. */
  readonly deadLetters: (options: DeadLetterOptions) => DeadLetterTopic
  /** Reads the committed offsets of a Kafka group; unknown when absent. */
  readonly groupOffsets?: typeof readGroupOffsets
  /** Keeps the end offsets of topics known that are not read at present; unknown when absent. */
  readonly endOffsets?: (kafka: KafkaOptions, options: EndOffsetsOptions) => Pick<EndOffsets, 'of' | 'close'>
}

/** Connects topics to Kafka. */
export const KAFKA_CONNECTORS: TopicConnectors = {
  source: createSource,
  deadLetters: createDeadLetterTopic,
  groupOffsets: readGroupOffsets,
  endOffsets: openEndOffsets,
}

/** Holds what the topics of a process share. */
export interface TopicServices {
  readonly config: Config
  readonly until: 'stopped' | 'latest'
  readonly log: Logger
  readonly connectors: TopicConnectors
  /** Queue for table maintenance. */
  readonly maintenanceQueue: SerialQueue
  /** Pool in which topics of the same table share it. */
  readonly tables: TablePool
  readonly budget: Budget
  /** Worker threads that all topics share; without them, the main thread does everything. */
  readonly threads?: Threads | undefined
}

/**
 * Opens the table of a topic and connects source, operators and sinks. No record is read before the pipeline runs. `emit`
 * receives the events of the topic; `sources` has the columns for a table that does not exist yet, when no schema defines
 * them, and the code of a user that runs within the pipeline.
 * @throws the errors of `openTarget`, of opening the format and of creating the connections; nothing stays open then
 */
export async function openTopic(
  topic: TopicConfig,
  services: TopicServices,
  emit: TopicEventHandler,
  sources: TargetSources = {},
): Promise<TopicPipeline> {
  const { extensions = {} } = sources
  const log = createTopicLogger(services.log, topic.topic, topic.log.level)
  const closers = new Closers((error) =>
    log.warn({ err: error }, 'A part of the topic could not be closed; the others are closed'),
  )
  return await closeOnFailure(closers, async () => {
    closers.add(() => extensions.close?.())
    const { config, connectors, tables, until } = services
    const target = await openTopicTarget(topic, services, sources, log, emit)
    closers.add(() => target.release())
    const threads = services.threads?.columns
    const format = await openTopicFormat(topic, config, target, tables.circuits, extensions.format, threads)
    const credit = new Credit(topic.creditBytes, undefined, services.budget)
    closers.add(() => credit.close())
    const deadLetters = await openTopicDeadLetters(topic, target, services)
    closers.add(() => deadLetters.close())
    const source = connectors.source(sourceOptionsOf(config, topic, target, { credit, log, until, emit }))
    closers.addBeside(() => source.close())
    const maintenance = startTopicMaintenance(topic, target, source, services.maintenanceQueue, log, emit)
    closers.addBeside(() => maintenance.stop())
    const flushes = new FlushTracker(config.kafka.groupId, emit)
    const commits = pipeline(
      source.batches,
      {
        source,
        credit,
        format,
        transforms: target.transforms,
        contract: target.contract,
        columns: target.columns,
        rowColumns: target.rowColumns,
        rows: joinOperators([
          joinUserOperators(extensions.rows ?? [], topic.topic),
          sampleRows(topic.log, log),
        ]),
        enrichments: target.enrichments,
        store: target.store,
        table: target.table,
        appId: topic.appId,
        deadLetters,
        threads: services.threads,
        openTrace: (flush) => flushes.open(flush),
        onFenced: (appIds, unfitReason) => emit({ kind: 'fenced', appIds, unfitReason }),
        onOrphaned: (files) => emit({ kind: 'orphaned', files }),
        passesUnknownErrors: true,
      },
      pipelineConfigOf(topic, target),
    )
    return new TopicPipeline({
      source,
      credit,
      flushes,
      groupOffsets: new GroupOffsets(() => groupOffsetsOf(topic, services, log)),
      maintenance,
      storedOffset: (partition) => target.table.knownTxn(appIdOf(topic.appId, partition)),
      commits: emitCommits(emitPaths(commits, target, emit), emit, source, maintenance, flushes),
      closers,
    })
  })
}

function openTopicTarget(
  topic: TopicConfig,
  { config, tables }: TopicServices,
  sources: TargetSources,
  log: Logger,
  emit: TopicEventHandler,
): Promise<Target> {
  const options: TableWriterOptions = {
    onWarning: (warning) => log.warn({ code: warning.code }, warning.message),
    onCheckpoint: (outcome, durationMs) => emit({ kind: 'checkpointed', outcome, durationMs }),
  }
  return openTarget(topic, config, options, tables, sources)
}

/** Emits the paths of the transforms that match no field as events, the last of them when the topic has ended. */
function emitPaths(
  commits: Observable<PipelineCommit>,
  { transforms }: Target,
  emit: TopicEventHandler,
): Observable<PipelineCommit> {
  if (transforms === undefined) return commits
  const { paths } = transforms.transformation
  paths.follow(emit)
  return commits.pipe(tap({ complete: () => paths.finish() }))
}

/** Emits each commit as an event; flushes in flight end with the pipeline. */
function emitCommits(
  commits: Observable<PipelineCommit>,
  emit: TopicEventHandler,
  source: KafkaSource,
  maintenance: TableMaintenance,
  flushes: FlushTracker,
): Observable<PipelineCommit> {
  return commits.pipe(
    tap({
      next: (commit) => {
        emit({ kind: 'committed', commit, partitions: source.status() })
        maintenance.onCommit(commit.version)
      },
      error: (error) => flushes.endAll(error),
      unsubscribe: () => flushes.endAll(new Error('The pipeline was unsubscribed')),
    }),
  )
}

async function groupOffsetsOf(
  { topic }: TopicConfig,
  { config: { kafka }, connectors }: TopicServices,
  log: Logger,
): Promise<ReadonlyMap<number, bigint>> {
  return (await connectors.groupOffsets?.(kafkaOptionsOf(kafka, log), kafka.groupId, topic)) ?? new Map()
}

function startTopicMaintenance(
  { table: policy }: TopicConfig,
  { store, table }: Target,
  source: KafkaSource,
  queue: SerialQueue,
  log: Logger,
  emit: TopicEventHandler,
): TableMaintenance {
  return startTableMaintenance({
    store,
    policy,
    version: table.version,
    checkTable: () => table.txns(),
    isOurTurn: () => source.status().some(({ partition }) => partition === 0),
    queue,
    log: log.child({ table: store.uri }),
    onRun: (run) => emit({ kind: 'maintained', run }),
  })
}

function openTopicDeadLetters(
  topic: TopicConfig,
  target: Target,
  { config, connectors, tables, log }: TopicServices,
): Promise<DeadLetterTopic> {
  const topicLog = log.child({ topic: topic.topic })
  return openDeadLetters(topic, {
    tables,
    openTopic: () =>
      connectors.deadLetters(deadLetterOptionsOf(config, topic, target, topicLog, tables.circuits)),
    log: topicLog,
  })
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
