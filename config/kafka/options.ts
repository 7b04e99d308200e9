import { SASL_OPTIONS, TLS_OPTIONS } from './login-options.ts'
import type { OptionTree } from '../option.ts'

/** Brokers, group and fetches: options below `kafka`. */
export const KAFKA_OPTIONS = {
  brokers: {
    doc: 'Brokers to ask first, each `host:port`; the others are found through them. In the environment a comma-separated list.',
    format: 'text-list',
    default: ['127.0.0.1:9092'],
    env: 'KAFKA_BOOTSTRAP_SERVERS',
  },
  groupId: {
    doc: 'Consumer group. Processes with the same group share the partitions of a topic; committed offsets are mirrored to it for lag tools.',
    format: 'text',
    default: 'kafka-delta',
    env: 'KAFKA_DELTA_GROUP_ID',
  },
  clientId: {
    doc: 'Name under which brokers log this client and count its quotas.',
    format: 'text',
    default: 'kafka-delta',
    env: 'KAFKA_DELTA_CLIENT_ID',
  },
  sessionTimeoutMs: {
    doc: 'Silence after which the group takes this member for dead and gives its partitions away. At least three times `kafka.heartbeatMs`.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 30_000,
    env: 'KAFKA_DELTA_SESSION_TIMEOUT_MS',
  },
  heartbeatMs: {
    doc: 'Pause between two heartbeats to the group.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 3_000,
    env: 'KAFKA_DELTA_HEARTBEAT_MS',
  },
  fetchBytesMax: {
    doc: 'Most that one fetch response may hold over all its partitions.',
    format: 'whole-number',
    unit: 'bytes',
    default: 8_388_608,
    env: 'KAFKA_DELTA_FETCH_BYTES_MAX',
  },
  fetchBytesPerPartitionMax: {
    doc: 'Most that one fetch response may hold of one partition: the size of one batch in the pipeline. A single larger record still passes.',
    format: 'whole-number',
    unit: 'bytes',
    default: 1_048_576,
    env: 'KAFKA_DELTA_FETCH_BYTES_PER_PARTITION_MAX',
  },
  connectTimeoutMs: {
    doc: 'How long to wait at the start until one of the brokers answers.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 30_000,
    env: 'KAFKA_DELTA_CONNECT_TIMEOUT_MS',
  },
  discoverEveryMs: {
    doc: 'How often the brokers are asked for new topics that match a `topics.<name>.pattern`.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 300_000,
    env: 'KAFKA_DELTA_DISCOVER_EVERY_MS',
  },
  ssl: {
    doc: 'Speak TLS with the brokers; `kafka.tls` says with which certificates.',
    format: 'flag',
    default: false,
    env: 'KAFKA_DELTA_SSL',
  },
  tls: TLS_OPTIONS,
  sasl: SASL_OPTIONS,
} as const satisfies OptionTree
