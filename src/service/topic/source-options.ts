import { BATCH_BYTES_OVERHEAD } from '../../../operators/buffer-time-or-count.ts'
import { appIdOf } from '../../../operators/commit-delta.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { rowBytesMin } from '../../arrow/column.ts'
import type { Credit } from '../../core/credit/credit.ts'
import { heldBytesOf, type Raw } from '../../core/raw.ts'
import { isTracing } from '../../core/stage/span.ts'
import type { DeadLetterOptions } from '../../kafka/dead-letters/dead-letters.ts'
import type { SourceOptions } from '../../kafka/source/source-options.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import type { Logger } from '../../telemetry/log.ts'
import { kafkaOptionsOf } from '../connections/kafka-options.ts'
import type { TopicEventHandler } from './events.ts'
import { checkOtherAppIds, storedTopicIdOf } from './table-offsets.ts'
import { retryPolicyOf } from '../connections/retry-options.ts'
import type { Target } from '../table/target.ts'

/** Holds what the source of a topic works with. */
interface SourceServices {
  readonly credit: Credit
  readonly log: Logger
  readonly until: 'stopped' | 'latest'
  /** Receives the batches that were read and the events of the source. */
  readonly emit: TopicEventHandler
}

/**
 * Returns the options of a topic's source: it starts where the table says and reads as far ahead as the credit
 * allows.
 */
export function sourceOptionsOf(
  config: Config,
  topic: TopicConfig,
  target: Target,
  { credit, log, until, emit }: SourceServices,
): SourceOptions {
  const { kafka } = config
  const costBytes = costOf(target)
  const { table } = target
  const storedTopicId = storedTopicIdOf(table, topic.appId)
  return {
    ...kafkaOptionsOf(kafka, log),
    groupId: kafka.groupId,
    topic: topic.topic,
    startFrom: topic.startFrom,
    resume: (partition) => table.txn(appIdOf(topic.appId, partition)),
    storedTopicId,
    acceptTopicId: topic.acceptTopicId,
    onTopicConfirmed: (topicId) =>
      checkOtherAppIds(
        { uri: table.uri, txns: () => storedTopicId.lastTxns() },
        { ...topic, topicId, configured: appIdsOf(config, topic) },
        log,
      ),
    credit,
    costBytes: (raw) => {
      emit({ kind: 'read', raw })
      return costBytes(raw)
    },
    until,
    ...fetchSizesOf(kafka, credit.reserved),
    isolation: kafka.isolationLevel,
    groupProtocol: kafka.groupProtocol,
    // Each topic has a member of its own.
    ...(kafka.groupInstanceId === undefined
      ? {}
      : { groupInstanceId: `${kafka.groupInstanceId}.${topic.topic}` }),
    ...(kafka.rack === undefined ? {} : { rackId: kafka.rack }),
    sessionTimeoutMs: kafka.sessionTimeoutMs,
    heartbeatMs: kafka.heartbeatMs,
    tracing: isTracing(),
    onEvent: (event) => emit({ kind: 'source', event }),
  }
}

/** Returns the appIds of the topics that the configuration carries into the same table. */
function appIdsOf(config: Config, { table }: TopicConfig): ReadonlySet<string> {
  const topics = Object.values(config.topics).filter((each) => each.table.uri === table.uri)
  return new Set(topics.map(({ appId }) => appId))
}

const FETCH_BYTES_MIN = 65_536

/**
 * Returns the fetch sizes, bounded by the credit reserved for the topic: at most half of it per fetch and a quarter
 * per partition. So all topics together fetch at most half of the budget ahead of their credit, per broker.
 */
export function fetchSizesOf(
  kafka: Pick<Config['kafka'], 'fetchBytesMax' | 'fetchBytesPerPartitionMax'>,
  reservedBytes: number,
): { readonly fetchBytesMax: number; readonly partitionBytesMax: number } {
  const bytesOf = (share: number): number => Math.max(FETCH_BYTES_MIN, Math.floor(reservedBytes * share))
  const fetchBytesMax = Math.min(kafka.fetchBytesMax, bytesOf(1 / 2))
  const partitionBytesMax = Math.min(kafka.fetchBytesPerPartitionMax, fetchBytesMax, bytesOf(1 / 4))
  return { fetchBytesMax, partitionBytesMax }
}

/**
 * Returns the function that estimates the memory of a batch: its bytes, its objects, and for each row the minimum
 * size of its columns.
 */
function costOf({ table }: Target): (raw: Raw) => number {
  const rowBytes = rowBytesMin(table.schema)
  return (raw) => BATCH_BYTES_OVERHEAD + heldBytesOf(raw) + raw.count * rowBytes
}

/** Returns the options of the dead-letter topic's producer. */
export function deadLetterOptionsOf(
  config: Config,
  topic: TopicConfig,
  { table }: Target,
  log: Logger,
  circuits?: Circuits,
): DeadLetterOptions {
  return {
    ...kafkaOptionsOf(config.kafka, log),
    retryPolicy: retryPolicyOf(topic),
    signal: circuits?.signal,
    topic: topic.deadLetters.topic,
    sourceTopic: topic.topic,
    groupId: config.kafka.groupId,
    tableId: table.metadata.id,
  }
}
