import { SASL_OPTIONS, TLS_OPTIONS } from './login-options.ts'
import type { OptionTree } from '../option.ts'

/** Declares the options below `kafka`: brokers, consumer group and fetches. */
export const KAFKA_OPTIONS = {
  brokers: {
    doc: 'Bootstrap brokers, each `host:port`; the other brokers are discovered through them. In the environment a comma-separated list.',
    format: 'text-list',
    default: ['127.0.0.1:9092'],
    env: 'KAFKA_BOOTSTRAP_SERVERS',
  },
  groupId: {
    doc: 'Consumer group. Processes of the same group share the partitions of a topic. Committed offsets are also written to the group, for lag monitoring; the table decides where reading resumes.',
    format: 'text',
    default: 'kafka-delta',
    env: 'KAFKA_DELTA_GROUP_ID',
  },
  clientId: {
    doc: 'Client ID that brokers use in their logs and for quotas.',
    format: 'text',
    default: 'kafka-delta',
    env: 'KAFKA_DELTA_CLIENT_ID',
  },
  groupInstanceId: {
    doc: 'Name of this process within its consumer group, unique and the same after a restart, such as the name of a pod of a stateful set. With it, a process that restarts within `kafka.sessionTimeoutMs` keeps its partitions and reads on at once, without a rebalance. Without it, the partitions of a process that is killed rest until the session ends.',
    format: 'text',
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_GROUP_INSTANCE_ID',
  },
  groupProtocol: {
    doc: 'Protocol of the consumer group. `classic` works with every broker. `consumer` is the protocol of KIP-848, for brokers of Kafka 4.0 or newer, where the brokers assign the partitions.',
    format: ['classic', 'consumer'],
    default: 'classic',
    env: 'KAFKA_DELTA_GROUP_PROTOCOL',
  },
  isolationLevel: {
    doc: 'Which records of transactions are read: `read_committed` reads those of committed transactions only, `read_uncommitted` reads also those of open and aborted ones.',
    format: ['read_committed', 'read_uncommitted'],
    default: 'read_committed',
    env: 'KAFKA_DELTA_ISOLATION_LEVEL',
  },
  rack: {
    doc: 'Rack or availability zone of this process, as in `broker.rack`. Brokers with a replica selector then serve fetches from the nearest replica.',
    format: 'text',
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_RACK',
  },
  sessionTimeoutMs: {
    doc: 'Time without a heartbeat after which the group coordinator considers this process dead and reassigns its partitions. At least three times `kafka.heartbeatMs`. Raise it if long garbage collections or network outages cause rebalances.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 30_000,
    env: 'KAFKA_DELTA_SESSION_TIMEOUT_MS',
  },
  heartbeatMs: {
    doc: 'Interval between heartbeats to the group coordinator.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 3_000,
    env: 'KAFKA_DELTA_HEARTBEAT_MS',
  },
  fetchBytesMax: {
    doc: 'Maximum size of one fetch response over all its partitions.',
    format: 'whole-number',
    unit: 'bytes',
    default: 8_388_608,
    env: 'KAFKA_DELTA_FETCH_BYTES_MAX',
  },
  fetchBytesPerPartitionMax: {
    doc: 'Maximum size of one partition in a fetch response, which is the size of one batch in the pipeline. A single larger record is still read.',
    format: 'whole-number',
    unit: 'bytes',
    default: 1_048_576,
    env: 'KAFKA_DELTA_FETCH_BYTES_PER_PARTITION_MAX',
  },
  connectTimeoutMs: {
    doc: 'How long the start waits for a broker to answer before it fails.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 30_000,
    env: 'KAFKA_DELTA_CONNECT_TIMEOUT_MS',
  },
  discoverEveryMs: {
    doc: 'Interval at which the brokers are asked for new topics that match a `topics.<name>.pattern`.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 300_000,
    env: 'KAFKA_DELTA_DISCOVER_EVERY_MS',
  },
  ssl: {
    doc: 'Encrypts connections to the brokers with TLS. `kafka.tls` configures the certificates.',
    format: 'flag',
    default: false,
    env: 'KAFKA_DELTA_SSL',
  },
  tls: TLS_OPTIONS,
  sasl: SASL_OPTIONS,
} as const satisfies OptionTree
