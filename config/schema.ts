import { ADMIN_OPTIONS, METRICS_OPTIONS } from './http/admin-options.ts'
import { DEAD_LETTER_OPTIONS } from './dead-letters/options.ts'
import { FORMAT_OPTIONS } from './format/options.ts'
import { CONSOLE_OPTIONS } from './http/console-options.ts'
import { HTTP_OPTIONS } from './http/options.ts'
import { KAFKA_OPTIONS } from './kafka/options.ts'
import { MESSAGE_OPTIONS } from './messages/options.ts'
import type { OptionTree } from './option.ts'
import { REGISTRY_OPTIONS } from './registry/options.ts'
import { CIRCUIT_OPTIONS, RETRY_OPTIONS } from './resilience/options.ts'
import { ROW_OPTIONS } from './rows/options.ts'
import { addSecretFileOptions } from './load/secret-options.ts'
import { STORAGE_OPTIONS } from './storage/options.ts'
import { SUPERVISION_OPTIONS, TOPIC_SUPERVISION_OPTIONS } from './resilience/supervision-options.ts'
import { TABLE_OPTIONS } from './table/options.ts'
import { TOPIC_NAME_OPTIONS } from './topics/options.ts'
import { LOG_OPTIONS, TOPIC_LOG_OPTIONS, TRACE_OPTIONS } from './logging/options.ts'
import { TRANSFORM_OPTIONS } from './transforms/options.ts'

/**
 * Declares every option outside `topics`. Names, defaults, units and environment variables of options are
 * written only here and in the files that this one imports; `docs/configuration.md` is generated from them.
 * Each secret can also be read from a file.
 */
export const SERVICE_OPTIONS = addSecretFileOptions({
  kafka: KAFKA_OPTIONS,
  storage: STORAGE_OPTIONS,
  schemaRegistry: REGISTRY_OPTIONS,
  http: HTTP_OPTIONS,
  console: CONSOLE_OPTIONS,
  circuit: CIRCUIT_OPTIONS,
  admin: ADMIN_OPTIONS,
  metrics: METRICS_OPTIONS,
  log: LOG_OPTIONS,
  trace: TRACE_OPTIONS,
  ...SUPERVISION_OPTIONS,
} as const satisfies OptionTree)

/** Declares every option of one entry of `topics`. Only `table.uri` is required. */
export const TOPIC_OPTIONS = {
  ...TOPIC_NAME_OPTIONS,
  ...FORMAT_OPTIONS,
  ...ROW_OPTIONS,
  ...MESSAGE_OPTIONS,
  ...TRANSFORM_OPTIONS,
  startFrom: {
    doc: "Where to start reading a partition for which the table has no committed offset yet: at its first (`earliest`) or after its last record (`latest`). Kafka's own group offsets are not used.",
    format: ['earliest', 'latest'],
    default: 'earliest',
  },
  /** Prefix of the appIds of the partitions: `<appId>-<partition>`. */
  appId: {
    doc: "Identifies this topic in the table's transaction log: Kafka partition 3 is recorded as `txn` with the appId `<appId>-3`. Topics that write to the same table need different ones. Do not change it for an existing table: ingestion would start again as `startFrom` says, which duplicates or skips rows.",
    format: 'text',
    default: null,
    template: true,
    computed: {
      description: '`<kafka.groupId>-<topic>`',
      compute: ({ groupId, topic }) => `${groupId}-${topic}`,
    },
  },
  acceptTopicId: {
    doc: 'Accepts a topic whose Kafka topic id is not the one that the table holds, and continues after the offsets in the table. By default the topic then stops with `KD_OFFSETS_VANISHED`, because it was deleted and created again. Only for a topic that has the same records at the same offsets, such as a mirrored one or one of a moved cluster; remove it after one start. See [a topic created again](reliability.md#p12-vanished-offsets-fail-closed).',
    format: 'flag',
    default: false,
  },
  onSecondAppId: {
    doc: 'What happens at the start if the table holds offsets of this topic under another `appId`, for example after `kafka.groupId` was changed: each record then becomes a row once for each appId. `warn` logs a warning with both appIds; `refuse` stops the topic with `KD_CONFIG_INVALID` before a record is read; `allow` says nothing, for two services that are meant to write one topic into one table. Offsets of which the table does not say to which topic they belong count only while it holds none under this `appId`.',
    format: ['warn', 'refuse', 'allow'],
    default: 'warn',
  },
  creditBytes: {
    doc: 'Maximum of record bytes of this topic in memory between Kafka and the commit. Reading pauses while they are used up. At least twice `flush.bytes`, so that one flush can fill while another is written.',
    format: 'whole-number',
    unit: 'bytes',
    default: null,
    computed: { description: 'twice `flush.bytes`', compute: ({ flushBytes }) => 2 * flushBytes },
  },
  table: TABLE_OPTIONS,
  flush: {
    count: {
      doc: 'A flush ends at this many records. Smaller flushes commit sooner, larger ones make fewer and larger files. Whichever limit of `flush` is reached first applies.',
      format: 'whole-number',
      unit: 'records',
      default: 100_000,
    },
    bytes: {
      doc: 'A flush ends at this many bytes of records, as received from Kafka. Smaller flushes use less memory.',
      format: 'whole-number',
      unit: 'bytes',
      default: 134_217_728,
    },
    ageMs: {
      doc: 'A flush ends when its first record has waited this long. This is the delay until rows of a quiet topic become visible.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 60_000,
    },
    partitionsMax: {
      doc: 'Maximum of table partitions in one flush, because each of them gets a file of its own. Late data over many partitions then takes several commits. A single fetch with more partitions is still one flush.',
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
      doc: 'Compression codec of the data files.',
      format: ['zstd', 'snappy', 'gzip', 'none'],
      default: 'zstd',
    },
    rowGroupRows: {
      doc: 'Maximum number of rows of a row group. Smaller row groups need less memory to write, larger ones compress better.',
      format: 'whole-number',
      unit: 'rows',
      default: 131_072,
    },
    rowGroupBytes: {
      doc: 'Approximate size at which a row group ends, before compression.',
      format: 'whole-number',
      unit: 'bytes',
      default: 33_554_432,
    },
  },
} as const satisfies OptionTree
