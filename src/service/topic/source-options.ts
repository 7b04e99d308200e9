import { BATCH_BYTES_OVERHEAD } from '../../../operators/buffer-time-or-count.ts'
import { appIdOf } from '../../../operators/commit-delta.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { rowBytesMin } from '../../arrow/column.ts'
import type { Credit } from '../../core/credit/credit.ts'
import type { Raw } from '../../core/raw.ts'
import { isTracing } from '../../core/stage/span.ts'
import type { DeadLetterOptions } from '../../kafka/dead-letters/dead-letters.ts'
import type { SourceEvent, SourceOptions } from '../../kafka/source/source-options.ts'
import type { Circuits } from '../../resilience/circuits.ts'
import type { Logger } from '../../telemetry/log.ts'
import { kafkaOptions } from '../connections/kafka-options.ts'
import type { Observing, TopicObserver } from './observer.ts'
import { patienceOf } from '../connections/retry-options.ts'
import type { Target } from '../table/target.ts'

/** How the topic is read: from where its table says, as much ahead as its credit allows. */
export function sourceOptions(
  config: Config,
  topic: TopicConfig,
  target: Target,
  parts: {
    credit: Credit
    log: Logger
    until: 'stopped' | 'latest'
    observed: Observing
    observer: TopicObserver | undefined
  },
): SourceOptions {
  const { kafka } = config
  const { credit, log, until, observed, observer } = parts
  return {
    ...kafkaOptions(kafka, log),
    groupId: kafka.groupId,
    topic: topic.topic,
    startFrom: topic.startFrom,
    resume: (partition) => target.table.txn(appIdOf(topic.appId, partition)),
    credit,
    costBytes: observed.cost(costOf(target)),
    until,
    ...fetchSizes(kafka, credit.kept),
    sessionTimeoutMs: kafka.sessionTimeoutMs,
    heartbeatMs: kafka.heartbeatMs,
    tracing: isTracing(),
    onEvent: (event) => {
      note(event, log)
      observer?.event?.(event)
    },
  }
}

const FETCH_BYTES_MIN = 65_536

/**
 * What is fetched ahead of credit is bounded by what is kept for the topic: half of it for a fetch, a quarter for a batch.
 * So all topics together fetch no more ahead of a broker than half of the budget.
 */
export function fetchSizes(
  kafka: Pick<Config['kafka'], 'fetchBytesMax' | 'fetchBytesPerPartitionMax'>,
  keptBytes: number,
): { readonly fetchBytesMax: number; readonly partitionBytesMax: number } {
  const part = (share: number): number => Math.max(FETCH_BYTES_MIN, Math.floor(keptBytes * share))
  const fetchBytesMax = Math.min(kafka.fetchBytesMax, part(1 / 2))
  const partitionBytesMax = Math.min(kafka.fetchBytesPerPartitionMax, fetchBytesMax, part(1 / 4))
  return { fetchBytesMax, partitionBytesMax }
}

/** What a batch will take: its bytes and objects, and for each row what its columns take at least. */
function costOf({ table }: Target): (raw: Raw) => number {
  const rowBytes = rowBytesMin(table.schema)
  return (raw) => BATCH_BYTES_OVERHEAD + raw.bytes.length + raw.keys.length + raw.count * rowBytes
}

/** How the dead-letter topic is written. */
export function deadLetterOptions(
  config: Config,
  topic: TopicConfig,
  { table }: Target,
  log: Logger,
  circuits?: Circuits,
): DeadLetterOptions {
  return {
    ...kafkaOptions(config.kafka, log),
    patience: patienceOf(topic),
    signal: circuits?.signal,
    topic: topic.deadLetters.topic,
    sourceTopic: topic.topic,
    groupId: config.kafka.groupId,
    tableId: table.metadata.id,
  }
}

function note(event: SourceEvent, log: Logger): void {
  switch (event.kind) {
    case 'assigned':
      log.info({ partitions: event.partitions }, 'Partitions assigned')
      break
    case 'restarting':
      log.warn({ err: event.error }, 'The Kafka consumer restarts')
      break
    case 'repositioned':
      log.warn(
        { partition: event.partition, expected: String(event.expected), got: String(event.got) },
        'The Kafka consumer was elsewhere; sent back',
      )
      break
    case 'offsets-failed':
      log.warn({ err: event.error }, 'Offsets could not be copied to the Kafka group; the table holds them')
      break
    case 'positioned':
    case 'rebalancing':
    case 'credit-waited':
    case 'offsets-committed':
      log.debug(
        {
          ...event,
          next: 'next' in event ? String(event.next) : undefined,
          follows: 'follows' in event ? String(event.follows) : undefined,
        },
        event.kind,
      )
      break
  }
}
