import type { AdminConfig, MetricsConfig } from './http/admin-types.ts'
import type { CobDateConfig } from './rows/cob-date.ts'
import type { KafkaConfig } from './kafka/types.ts'
import type { PatternConfig } from './topics/patterns.ts'
import type { MessageConfig } from './messages/types.ts'
import type { CircuitConfig, RetryConfig } from './resilience/types.ts'
import type { SupervisionConfig, TopicSupervisionConfig } from './resilience/supervision-types.ts'
import type { LogLevel, TopicLogConfig, TraceConfig } from './logging/types.ts'
import type { TransformConfig } from './transforms/types.ts'

/**
 * Holds the configuration after loading: validated, complete and deeply frozen. The options are documented in
 * `config/schema.ts`.
 */
export interface Config extends SupervisionConfig {
  readonly kafka: KafkaConfig
  readonly storage: StorageConfig
  /** Set only if its URL is configured. */
  readonly schemaRegistry?: SchemaRegistryConfig
  readonly http: HttpConfig
  readonly circuit: CircuitConfig
  readonly admin: AdminConfig
  readonly metrics: MetricsConfig
  readonly log: { readonly level: LogLevel }
  readonly trace: TraceConfig
  /** Topics by the name of their entry, in the order of the files; topics of a list by `<entry>/<topic>`. */
  readonly topics: Readonly<Record<string, TopicConfig>>
  /** Entries that match topics by a pattern, by name. */
  readonly patterns: Readonly<Record<string, PatternConfig>>
}

/** Configures the HTTP server; without `port` it is not started. */
export interface HttpConfig {
  readonly port?: number
  readonly host: string
  readonly stalledMs: number
}

/** Configures the object stores. */
export interface StorageConfig {
  readonly s3: S3Config
  readonly dynamodb: DynamoConfig
  readonly azure: AzureConfig
  readonly gcs: GcsConfig
}

/**
 * Configures S3. `accessKeyId` and `secretAccessKey` are both set or both absent; if absent, the default AWS
 * credential chain is used.
 */
export interface S3Config {
  readonly endpoint?: string
  readonly region: string
  readonly forcePathStyle: boolean
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
  readonly multipartBytesMin: number
  readonly logStore: 's3' | 'dynamodb'
}

/** Configures DynamoDB. `region` and the credentials default to those of S3. */
export interface DynamoConfig {
  readonly table: string
  readonly endpoint?: string
  readonly region?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
}

/** Configures Azure Blob Storage. At most one of `accountKey`, `sasToken` and `connectionString` is set. */
export interface AzureConfig {
  readonly accountName?: string
  readonly accountKey?: string
  readonly sasToken?: string
  readonly connectionString?: string
  readonly endpoint?: string
}

/**
 * Configures Google Cloud Storage. Without `keyFile`, Google's default credentials are used unless
 * `anonymous` is true.
 */
interface GcsConfig {
  readonly endpoint?: string
  /** Absolute path. */
  readonly keyFile?: string
  readonly anonymous: boolean
}

/** Configures one topic and its table. */
export interface TopicConfig extends MessageConfig, TransformConfig, TopicSupervisionConfig {
  readonly topic: string
  readonly format: FormatName
  /** Candidate formats, instead of `format`. */
  readonly formats?: readonly FormatName[]
  readonly framing: 'none' | 'single-object' | 'container' | 'registry'
  readonly recordsPerMessageMax: number
  readonly subject: string
  readonly avro: AvroConfig
  readonly protobuf: ProtobufConfig
  readonly envelope: 'none' | 'debezium'
  readonly debezium: { readonly fields: readonly string[] }
  readonly csv: CsvConfig
  readonly decompress: 'none' | 'auto' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Maximum size of one decompressed value, in bytes. */
  readonly decompressedBytesMax: number
  /** Absolute path of an existing JSON file. */
  readonly contract?: string
  readonly kafkaColumns: boolean
  /** Derived columns: column name → expression. The syntax is checked, `parseDerivation` parses it. */
  readonly derive: Readonly<Record<string, string>>
  readonly cobDate: CobDateConfig
  /** Program whose row format is reproduced; `none` for our own. */
  readonly compatibility: 'none' | 'kafka-delta-ingest'
  readonly startFrom: 'earliest' | 'latest'
  /** Prefix of the appIds of the partitions' `txn` actions, `<appId>-<partition>`. */
  readonly appId: string
  readonly creditBytes: number
  readonly table: TableConfig
  readonly flush: FlushConfig
  readonly deadLetters: DeadLetterConfig
  readonly log: TopicLogConfig
  readonly retry: RetryConfig
  readonly parquet: ParquetConfig
}

/** Names an encoding of record values. */
type FormatName = 'json' | 'jsonl' | 'avro' | 'protobuf' | 'csv' | 'text' | 'bytes'

/**
 * Holds absolute paths of existing Avro schemas. With format `avro`, `schema` is set for values without
 * framing and `schemas` for single objects.
 */
interface AvroConfig {
  readonly schema?: string
  readonly schemas?: string
  readonly readerSchema?: string
}

/**
 * Holds the Protobuf definitions. `schema` is the absolute path of an existing file; it is set for format
 * `protobuf` without framing.
 */
interface ProtobufConfig {
  readonly schema?: string
  readonly message?: string
}

/** Describes the CSV dialect. `delimiter` and `quote` are one character, or the words `tab` and `none`. */
export interface CsvConfig {
  readonly delimiter: string
  readonly quote: string
  readonly header: boolean
  readonly columns?: readonly string[]
  readonly nullWords: readonly string[]
}

/**
 * Configures a schema registry. User name and password are both set or both absent, and so are certificate
 * and key, as absolute paths.
 */
export interface SchemaRegistryConfig {
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly token?: string
  readonly tls: {
    readonly caFile?: string
    readonly certFile?: string
    readonly keyFile?: string
    readonly keyPassphrase?: string
  }
}

/**
 * Configures what happens to records that cannot become rows; `deadLetterSinksOf` returns where they go.
 * Local paths are absolute.
 */
interface DeadLetterConfig {
  readonly mode: 'dlq' | 'skip' | 'stop'
  readonly to?: 'topic' | 'table' | 'both'
  readonly topic: string
  readonly table?: string
  /** Additional columns: name → valid expression. */
  readonly transforms: Readonly<Record<string, string>>
  readonly replayLedger?: string
  /** Above 0, at most 1. */
  readonly maxRate?: number
  readonly maxRateRecordsMin: number
}

/** Configures the table of a topic. Local paths in `uri` are absolute. */
export interface TableConfig {
  readonly uri: string
  readonly partitionColumns: readonly string[]
  readonly schemaEvolution: 'addNewColumns' | 'rescue' | 'failOnNewColumns' | 'none'
  readonly checkpointInterval: number
  /** Table properties of a new table. */
  readonly properties: Readonly<Record<string, string>>
  /** With `external`, neither `optimize` nor `vacuum` is configured, and expired log files are kept. */
  readonly maintenance: 'service' | 'external'
  readonly optimize: OptimizeConfig
  readonly vacuum: VacuumConfig
}

/** Configures compaction: it runs only if `everyCommits` or `everyMs` is set. */
export interface OptimizeConfig {
  readonly everyCommits?: number
  readonly everyMs?: number
  readonly targetBytes?: number
  /** Columns whose Z-order curve rows are sorted by. */
  readonly zorder?: readonly string[]
}

/** Configures vacuum: it runs only if `everyMs` is set. */
export interface VacuumConfig {
  readonly everyMs?: number
  readonly retentionHours?: number
}

/** Limits a flush; it ends at the limit that is reached first. */
interface FlushConfig {
  readonly count: number
  readonly bytes: number
  readonly ageMs: number
  readonly partitionsMax: number
}

/** Configures the Parquet data files. */
interface ParquetConfig {
  readonly compression: 'zstd' | 'snappy' | 'gzip' | 'none'
  readonly rowGroupRows: number
  readonly rowGroupBytes: number
}
