import type { OptionTree } from './option.ts'
import { STORAGE_OPTIONS } from './storage-options.ts'

/**
 * Every option outside `topics`: the only place where a name, default, unit or environment variable is written.
 * `docs/configuration.md` is made from it.
 */
export const SERVICE_OPTIONS = {
  kafka: {
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
    ssl: {
      doc: "Speak TLS with the brokers. A private authority is added with Node's own variable `NODE_EXTRA_CA_CERTS`.",
      format: 'flag',
      default: false,
      env: 'KAFKA_DELTA_SSL',
    },
    sasl: {
      mechanism: {
        doc: 'How to log in to the brokers; without it no login is tried.',
        format: ['plain', 'scram-sha-256', 'scram-sha-512'],
        default: null,
        nullable: true,
        env: 'KAFKA_DELTA_SASL_MECHANISM',
      },
      username: {
        doc: 'User of the login.',
        format: 'text',
        default: null,
        nullable: true,
        env: 'KAFKA_DELTA_SASL_USERNAME',
      },
      password: {
        doc: 'Password of the login.',
        format: 'text',
        default: null,
        nullable: true,
        sensitive: true,
        env: 'KAFKA_DELTA_SASL_PASSWORD',
      },
    },
  },
  storage: STORAGE_OPTIONS,
  schemaRegistry: {
    url: {
      doc: "Address of a schema registry with Confluent's REST API, such as `https://registry:8081`. A private authority is added with Node's own variable `NODE_EXTRA_CA_CERTS`.",
      format: 'text',
      default: null,
      nullable: true,
      env: 'SCHEMA_REGISTRY_URL',
    },
    username: {
      doc: 'User of the registry.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'SCHEMA_REGISTRY_USERNAME',
    },
    password: {
      doc: 'Password of the user.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'SCHEMA_REGISTRY_PASSWORD',
    },
  },
  log: {
    level: {
      doc: 'Least severe level that is logged. With `debug` a failing command also prints its stack.',
      format: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      default: 'info',
      env: 'LOG_LEVEL',
    },
  },
  shutdown: {
    deadlineMs: {
      doc: 'Longest time from SIGTERM to the exit. What is not committed by then is read again after the next start. The default leaves a second of the ten that `docker stop` grants.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 9_000,
      env: 'KAFKA_DELTA_SHUTDOWN_DEADLINE_MS',
    },
  },
} as const satisfies OptionTree

/** Every option of one entry of `topics`. An entry needs only `table.uri`. */
export const TOPIC_OPTIONS = {
  topic: {
    doc: 'Kafka topic to read.',
    format: 'text',
    default: null,
    computed: { text: "the entry's name in `topics`", of: ({ name }) => name },
  },
  format: {
    doc: 'How record values are encoded: JSON objects, Avro records, lines of CSV, UTF-8 text or bytes as they are; the last two go into one column, `value`.',
    format: ['json', 'avro', 'csv', 'text', 'bytes'],
    default: 'json',
  },
  framing: {
    doc: 'What stands in front of a value and names its schema: nothing, the mark and fingerprint of an Avro single object (`single-object`, needs `avro.schemas`), or the zero byte and schema id of a registry (`registry`, needs `schemaRegistry.url`).',
    format: ['none', 'single-object', 'registry'],
    default: 'none',
  },
  subject: {
    doc: 'Subject of the registry whose newest schema gives the columns of a topic without `contract`.',
    format: 'text',
    default: null,
    computed: { text: '`<topic>-value`', of: ({ topic }) => `${topic}-value` },
  },
  avro: {
    schema: {
      doc: 'File with the Avro schema (`.avsc`) of records without a frame. Without `contract`, the table gets its columns from it.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
    schemas: {
      doc: 'Folder of Avro schemas (`*.avsc`) by which single objects are written, found by their fingerprints.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
  },
  csv: {
    delimiter: {
      doc: 'Character between two fields of CSV, or the word `tab`.',
      format: 'text',
      default: ',',
    },
    quote: { doc: 'Character around fields of CSV, or the word `none`.', format: 'text', default: '"' },
    header: {
      doc: 'Whether each value is two lines of CSV, the first with the names of the fields.',
      format: 'flag',
      default: false,
    },
    columns: {
      doc: 'Names of the fields of CSV without a header, in their order. Unset, the columns of the contract or the table.',
      format: 'text-list',
      default: null,
      nullable: true,
    },
    nullWords: {
      doc: 'Fields of CSV that are null where they stand without quotes, beside the empty one.',
      format: 'text-list',
      default: [],
    },
  },
  decompress: {
    doc: 'How each value is compressed by itself, beside the compression of Kafka: `auto` goes by the first bytes (snappy only in a frame) and takes values without a mark as they are.',
    format: ['none', 'auto', 'gzip', 'snappy', 'lz4', 'zstd'],
    default: 'none',
  },
  decompressedBytesMax: {
    doc: 'Most that one value may come to after `decompress`; a larger one is a dead letter. At most 268435456.',
    format: 'whole-number',
    unit: 'bytes',
    default: 16_777_216,
  },
  contract: {
    doc: "File with the JSON Schema that records must meet and from which the table's schema is derived. Unset, the schema of the format is taken where there is one (`avro.schema`, the registry), else that of an existing table. A relative path counts from the folder of the configuration file.",
    format: 'text',
    default: null,
    nullable: true,
    path: true,
  },
  kafkaColumns: {
    doc: 'Add the columns `_kafka_topic`, `_kafka_partition`, `_kafka_offset`, `_kafka_timestamp` and `_kafka_key`.',
    format: 'flag',
    default: false,
  },
  derive: {
    doc: 'Columns taken from a timestamp column: column name → `year(c)`, `month(c)`, `day(c)`, `hour(c)` or `date(c)`, in UTC.',
    format: 'map',
    default: [],
  },
  startFrom: {
    doc: 'Where to begin in partitions of which the table holds nothing yet.',
    format: ['earliest', 'latest'],
    default: 'earliest',
  },
  appId: {
    doc: "Name of this stream in the table's log: the `txn` of partition 3 has the appId `<appId>-3`. Two streams into one table need different ones; changing it makes the stream begin anew.",
    format: 'text',
    default: null,
    computed: { text: '`<kafka.groupId>-<topic>`', of: ({ groupId, topic }) => `${groupId}-${topic}` },
  },
  creditBytes: {
    doc: 'Bytes of records that may be between Kafka and the commit at any time; reading waits while they are used up. At least twice `flush.bytes`, so that one flush can fill while another is written.',
    format: 'whole-number',
    unit: 'bytes',
    default: null,
    computed: { text: 'twice `flush.bytes`', of: ({ flushBytes }) => 2 * flushBytes },
  },
  table: {
    uri: {
      doc: 'Where the table lies: `s3://bucket/prefix`, `abfss://container@account.dfs.core.windows.net/prefix`, `gs://bucket/prefix`, or a path, which counts from the folder of the configuration file. A table that does not exist is created.',
      format: 'text',
      default: null,
      required: true,
      path: true,
    },
    partitionColumns: {
      doc: 'Columns by which a new table is partitioned, in order; an existing table must have the same.',
      format: 'text-list',
      default: [],
    },
    schemaEvolution: {
      doc: 'What becomes of fields that neither contract nor table knows, and of columns of the contract that the table lacks. `addNewColumns` adds them to the table, their types taken from the contract or from the values, and widens columns where the table allows it; `rescue` keeps them, and values that do not fit their column, as JSON in the column `_rescued_data`; `failOnNewColumns` stops; `none` drops and counts them.',
      format: ['addNewColumns', 'rescue', 'failOnNewColumns', 'none'],
      default: 'addNewColumns',
    },
    checkpointInterval: {
      doc: 'A checkpoint is written at every so many versions.',
      format: 'whole-number',
      unit: 'commits',
      default: 10,
    },
    properties: {
      doc: 'Delta table properties of a table that is created, such as `delta.appendOnly`; an existing table keeps its own. One that needs what is not supported is refused by its name.',
      format: 'map',
      default: [],
    },
    optimize: {
      everyCommits: {
        doc: "Pack small files into large ones whenever the table's version passes a multiple of this. It happens beside ingestion, in the process that holds partition 0 of the topic, one table at a time. Unset, not by versions.",
        format: 'whole-number',
        unit: 'commits',
        default: null,
        nullable: true,
      },
      everyMs: {
        doc: 'Pack small files after this time, the first time after a tenth of it. Unset, not by time.',
        format: 'whole-number',
        unit: 'milliseconds',
        default: null,
        nullable: true,
      },
      targetBytes: {
        doc: "Size that a packed file aims at. Unset, the table's `delta.targetFileSize`, or 128 MiB.",
        format: 'whole-number',
        unit: 'bytes',
        default: null,
        nullable: true,
      },
      zorder: {
        doc: 'Columns along whose Z-order curve rows are laid while they are packed; a clustered table is clustered by its own. Rows beyond 64 MiB lie among the temporary files (`TMPDIR`) meanwhile. Unset, rows keep their order.',
        format: 'text-list',
        default: null,
        nullable: true,
      },
    },
    vacuum: {
      everyMs: {
        doc: 'Delete files that no version within the retention needs after this time, the first time after a tenth of it, in the process that holds partition 0 of the topic. Unset, never.',
        format: 'whole-number',
        unit: 'milliseconds',
        default: null,
        nullable: true,
      },
      retentionHours: {
        doc: "Files that left the table within so many hours stay; not less than the table's `delta.deletedFileRetentionDuration`, which is 168 by default and counts where this is unset.",
        format: 'whole-number',
        unit: 'hours',
        default: null,
        nullable: true,
      },
    },
  },
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
  },
  deadLetters: {
    topic: {
      doc: 'Kafka topic for records of which no row can be made.',
      format: 'text',
      default: null,
      computed: { text: '`<topic>-dlq`', of: ({ topic }) => `${topic}-dlq` },
    },
  },
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
