import type { AdminConfig, MetricsConfig } from './http/admin-types.ts'
import type { CobDateConfig } from './rows/cob-date.ts'
import type { KafkaConfig } from './kafka/types.ts'
import type { PatternConfig } from './topics/patterns.ts'
import type { MessageConfig } from './messages/types.ts'
import type { CircuitConfig, RetryConfig } from './resilience/types.ts'
import type { SupervisionConfig, TopicSupervisionConfig } from './resilience/supervision-types.ts'
import type { LogLevel, TopicLogConfig, TraceConfig } from './logging/types.ts'
import type { TransformConfig } from './transforms/types.ts'

/** The configuration after loading: checked, complete, deeply frozen. What each option means stands in `config/schema.ts`. */
export interface Config extends SupervisionConfig {
  readonly kafka: KafkaConfig
  readonly storage: StorageConfig
  /** There where its address is. */
  readonly schemaRegistry?: SchemaRegistryConfig
  readonly http: HttpConfig
  readonly circuit: CircuitConfig
  readonly admin: AdminConfig
  readonly metrics: MetricsConfig
  readonly log: { readonly level: LogLevel }
  readonly trace: TraceConfig
  /** By the entry's name, in the order of the files; one of a list of topics by `<entry>/<topic>`. */
  readonly topics: Readonly<Record<string, TopicConfig>>
  /** Entries whose topics are found by asking the brokers, by name. */
  readonly patterns: Readonly<Record<string, PatternConfig>>
}

/** Where the endpoints listen; without `port` there are none. */
export interface HttpConfig {
  readonly port?: number
  readonly host: string
  readonly stalledMs: number
}

/** Options of the object stores. */
export interface StorageConfig {
  readonly s3: S3Config
  readonly dynamodb: DynamoConfig
  readonly azure: AzureConfig
  readonly gcs: GcsConfig
}

/** `accessKeyId` and `secretAccessKey` are both there or both absent: then the SDK's standard chain is asked. */
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

/** `region` and the keys are those of S3 where they are absent. */
export interface DynamoConfig {
  readonly table: string
  readonly endpoint?: string
  readonly region?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
}

/** At most one of `accountKey`, `sasToken` and `connectionString` is there. */
export interface AzureConfig {
  readonly accountName?: string
  readonly accountKey?: string
  readonly sasToken?: string
  readonly connectionString?: string
  readonly endpoint?: string
}

/** Without `keyFile` the standard chain of Google is asked, unless `anonymous` is set. */
export interface GcsConfig {
  readonly endpoint?: string
  /** Absolute path. */
  readonly keyFile?: string
  readonly anonymous: boolean
}

/** One topic and its table. */
export interface TopicConfig extends MessageConfig, TransformConfig, TopicSupervisionConfig {
  readonly topic: string
  readonly format: FormatName
  /** In place of `format` where values may have one of several. */
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
  /** Bytes that one value may come to. */
  readonly decompressedBytesMax: number
  /** Absolute path of a file that exists and holds JSON. */
  readonly contract?: string
  readonly kafkaColumns: boolean
  /** Column name → expression; the syntax is checked, `parseDerivation` takes it apart. */
  readonly derive: Readonly<Record<string, string>>
  readonly cobDate: CobDateConfig
  /** Whose way of making rows is followed; `none` is our own. */
  readonly compatibility: 'none' | 'kafka-delta-ingest'
  readonly startFrom: 'earliest' | 'latest'
  /** The `txn` of a partition has the appId `<appId>-<partition>`. */
  readonly appId: string
  readonly creditBytes: number
  readonly table: TableConfig
  readonly flush: FlushConfig
  readonly deadLetters: DeadLetterConfig
  readonly log: TopicLogConfig
  readonly retry: RetryConfig
  readonly parquet: ParquetConfig
}

/** How values may be encoded. */
export type FormatName = 'json' | 'jsonl' | 'avro' | 'protobuf' | 'csv' | 'text' | 'bytes'

/** Absolute paths of what exists. Where Avro is the format, `schema` is there for values without a frame, `schemas` for single objects. */
export interface AvroConfig {
  readonly schema?: string
  readonly schemas?: string
  readonly readerSchema?: string
}

/** `schema` is the absolute path of a file that exists; there where Protobuf comes without a frame. */
export interface ProtobufConfig {
  readonly schema?: string
  readonly message?: string
}

/** How lines of CSV are written. `delimiter` and `quote` are one character, or the words `tab` and `none`. */
export interface CsvConfig {
  readonly delimiter: string
  readonly quote: string
  readonly header: boolean
  readonly columns?: readonly string[]
  readonly nullWords: readonly string[]
}

/** A schema registry; user and password are both there or both absent, and so are certificate and key, as absolute paths. */
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

/** What becomes of records of which no row can be made; `deadLetterSinks` says where they go. Local paths are absolute. */
export interface DeadLetterConfig {
  readonly mode: 'dlq' | 'skip' | 'stop'
  readonly to?: 'topic' | 'table' | 'both'
  readonly topic: string
  readonly table?: string
  /** Column → expression that parses. */
  readonly transforms: Readonly<Record<string, string>>
  readonly marks?: string
  /** Above 0, at most 1. */
  readonly maxRate?: number
  readonly maxRateRecordsMin: number
}

/** Local paths in `uri` are absolute. */
export interface TableConfig {
  readonly uri: string
  readonly partitionColumns: readonly string[]
  readonly schemaEvolution: 'addNewColumns' | 'rescue' | 'failOnNewColumns' | 'none'
  readonly checkpointInterval: number
  /** Delta table properties of a table that we create. */
  readonly properties: Readonly<Record<string, string>>
  /** With `external` neither `optimize` nor `vacuum` has a policy, and expired log files stay. */
  readonly maintenance: 'service' | 'external'
  readonly optimize: OptimizeConfig
  readonly vacuum: VacuumConfig
}

/** When small files are packed, and how; never where neither `everyCommits` nor `everyMs` is there. */
export interface OptimizeConfig {
  readonly everyCommits?: number
  readonly everyMs?: number
  readonly targetBytes?: number
  /** Columns along whose Z-order curve rows are laid; none are. */
  readonly zorder?: readonly string[]
}

/** When files that no version needs are deleted; never without `everyMs`. */
export interface VacuumConfig {
  readonly everyMs?: number
  readonly retentionHours?: number
}

/** Whatever comes first flushes. */
export interface FlushConfig {
  readonly count: number
  readonly bytes: number
  readonly ageMs: number
  readonly partitionsMax: number
}

/** How data files are written. */
export interface ParquetConfig {
  readonly compression: 'zstd' | 'snappy' | 'gzip' | 'none'
  readonly rowGroupRows: number
  readonly rowGroupBytes: number
}
