import { ADMIN_OPTIONS, METRICS_OPTIONS } from './http/admin-options.ts'
import { DEAD_LETTER_OPTIONS } from './dead-letters/options.ts'
import { FORMAT_OPTIONS } from './format/options.ts'
import { HTTP_OPTIONS } from './http/options.ts'
import { KAFKA_OPTIONS } from './kafka/options.ts'
import { MESSAGE_OPTIONS } from './messages/options.ts'
import type { OptionTree } from './option.ts'
import { REGISTRY_OPTIONS } from './registry/options.ts'
import { CIRCUIT_OPTIONS, RETRY_OPTIONS } from './resilience/options.ts'
import { ROW_OPTIONS } from './rows/options.ts'
import { withSecretFiles } from './load/secret-options.ts'
import { STORAGE_OPTIONS } from './storage/options.ts'
import { SUPERVISION_OPTIONS, TOPIC_SUPERVISION_OPTIONS } from './resilience/supervision-options.ts'
import { TABLE_OPTIONS } from './table/options.ts'
import { TOPIC_NAME_OPTIONS } from './topics/options.ts'
import { LOG_OPTIONS, TOPIC_LOG_OPTIONS, TRACE_OPTIONS } from './logging/options.ts'
import { TRANSFORM_OPTIONS } from './transforms/options.ts'

/**
 * Every option outside `topics`. This file and those that it names are the only place where a name, default, unit or
 * environment variable is written; `docs/configuration.md` is made from them. Each secret may come from a file.
 */
export const SERVICE_OPTIONS: OptionTree = withSecretFiles({
  kafka: KAFKA_OPTIONS,
  storage: STORAGE_OPTIONS,
  schemaRegistry: REGISTRY_OPTIONS,
  http: HTTP_OPTIONS,
  circuit: CIRCUIT_OPTIONS,
  admin: ADMIN_OPTIONS,
  metrics: METRICS_OPTIONS,
  log: LOG_OPTIONS,
  trace: TRACE_OPTIONS,
  ...SUPERVISION_OPTIONS,
})

/** Every option of one entry of `topics`. An entry needs only `table.uri`. */
export const TOPIC_OPTIONS = {
  ...TOPIC_NAME_OPTIONS,
  ...FORMAT_OPTIONS,
  ...ROW_OPTIONS,
  ...MESSAGE_OPTIONS,
  ...TRANSFORM_OPTIONS,
  startFrom: {
    doc: 'Where to begin in partitions of which the table holds nothing yet.',
    format: ['earliest', 'latest'],
    default: 'earliest',
  },
  appId: {
    doc: "Name of this stream in the table's log: the `txn` of partition 3 has the appId `<appId>-3`. Two streams into one table need different ones; changing it makes the stream begin anew.",
    format: 'text',
    default: null,
    template: true,
    computed: { text: '`<kafka.groupId>-<topic>`', of: ({ groupId, topic }) => `${groupId}-${topic}` },
  },
  creditBytes: {
    doc: 'Bytes of records that may be between Kafka and the commit at any time; reading waits while they are used up. At least twice `flush.bytes`, so that one flush can fill while another is written.',
    format: 'whole-number',
    unit: 'bytes',
    default: null,
    computed: { text: 'twice `flush.bytes`', of: ({ flushBytes }) => 2 * flushBytes },
  },
  table: TABLE_OPTIONS,
  flush: {
    count: {
      doc: 'Flush when this many records are buffered.',
      format: 'whole-number',
      unit: 'records',
      default: 100_000,
    },
    bytes: {
      doc: 'Flush when the buffered batches came to this many bytes in Kafka.',
      format: 'whole-number',
      unit: 'bytes',
      default: 134_217_728,
    },
    ageMs: {
      doc: 'Flush when the oldest buffered record has waited this long, by the wall clock.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 60_000,
    },
    partitionsMax: {
      doc: 'Flush before rows of more table partitions than this are buffered, since each of them becomes a file of its own: late data then makes more commits, not monstrous ones. One fetch that holds more by itself is one flush.',
      format: 'whole-number',
      unit: 'partitions',
      default: 10_000,
    },
  },
  deadLetters: DEAD_LETTER_OPTIONS,
  ...TOPIC_SUPERVISION_OPTIONS,
  log: TOPIC_LOG_OPTIONS,
  retry: RETRY_OPTIONS,
  parquet: {
    compression: {
      doc: 'Codec of the data files.',
      format: ['zstd', 'snappy', 'gzip', 'none'],
      default: 'zstd',
    },
    rowGroupRows: {
      doc: 'Most rows in one row group.',
      format: 'whole-number',
      unit: 'rows',
      default: 131_072,
    },
    rowGroupBytes: {
      doc: 'A row group ends when its columns, not yet compressed, come to about this size.',
      format: 'whole-number',
      unit: 'bytes',
      default: 33_554_432,
    },
  },
} as const satisfies OptionTree
