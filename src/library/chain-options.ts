import type { FlushLimits } from '../../operators/buffer-time-or-count.ts'
import type { DeadLetterSink } from '../../operators/commit-delta.ts'
import type { Config, TableConfig, TopicConfig } from '../../config/types.ts'
import type { Row } from '../arrow/rows.ts'
import type { Budget } from '../core/credit/budget.ts'
import type { Enrichment } from '../enrichments/enrichment.ts'
import type { SchemaEvolution } from '../evolution/policy.ts'
import type { Circuits } from '../resilience/circuit-registry.ts'
import type { Store } from '../storage/store.ts'
import type { Logger } from '../telemetry/log.ts'
import type { TopicFormat } from './topic-format.ts'

/** Makes every part of a configuration optional, at any depth. */
export type PartialConfig<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Name in keyof T]?: PartialConfig<T[Name]> | undefined }
    : T

/** Describes the table of a chain: where it is, and the options that its topic has for it in the configuration. */
export interface ChainTable extends PartialConfig<TableConfig> {
  /** Location, such as `./lake/events` or `s3://lake/events`. */
  readonly uri?: string
  /** A store in place of `uri`. It stays open when the chain ends. */
  readonly store?: Store
}

/** Describes the topic that a chain reads, without a table. What is absent has the default of the service. */
export interface ChainSourceOptions<T extends object = Row> {
  /** Bootstrap brokers, each `host:port`. */
  readonly brokers: readonly string[]
  readonly topic: string
  /** Decodes the values of the topic; its columns are those of the rows that the first operator takes. */
  readonly format: TopicFormat<T>
  /**
   * Consumer group; by default one of this topic and table. Chains of the same group share the partitions of the topic, so
   * chains that write the topic into different tables need different groups.
   */
  readonly groupId?: string | undefined
  /** Prefix under which the table holds the offsets of the topic. Do not change it for an existing table. */
  readonly appId?: string | undefined
  /** `latest` completes at the end offsets that partitions have at the start; default `stopped`. */
  readonly until?: 'stopped' | 'latest' | undefined
  /** Start of partitions without an offset in the table; default `earliest`. */
  readonly startFrom?: 'earliest' | 'latest' | undefined
  /** Limits of one commit. */
  readonly flush?: Partial<FlushLimits> | undefined
  /** Bytes of records between Kafka and the commit; default twice `flush.bytes`. */
  readonly creditBytes?: number | undefined
  /**
   * Kafka topic of the dead letters (default `<topic>-dlq`), a sink of one's own, or the options `deadLetters` of the
   * configuration.
   */
  readonly deadLetters?: string | DeadLetterSink | PartialConfig<TopicConfig['deadLetters']> | undefined
  /** Policy for fields that the table has no column for; default `addNewColumns`. */
  readonly schemaEvolution?: SchemaEvolution | undefined
  /** Columns that are added to rows after the operators. */
  readonly enrichments?: readonly Enrichment[] | undefined
  /** Further options `kafka.*` of the configuration, such as `sasl` and `tls`. */
  readonly kafka?: PartialConfig<Config['kafka']> | undefined
  /** Options `storage.*` of the configuration. */
  readonly storage?: PartialConfig<Config['storage']> | undefined
  /** Options `schemaRegistry.*` of the configuration. */
  readonly schemaRegistry?: PartialConfig<NonNullable<Config['schemaRegistry']>> | undefined
  /** Further options of a topic in the configuration, such as `parquet` and `retry`. */
  readonly topicOptions?: PartialConfig<TopicConfig> | undefined
  /** Bytes that all chains of the process may hold; by default a quarter of the memory, shared by all chains. */
  readonly budget?: Budget | undefined
  /** Circuits of stores that fail; by default each subscription has its own. */
  readonly circuits?: Circuits | undefined
  /** Log of `createLogger`; by default warnings and errors are written to stderr. */
  readonly log?: Logger | undefined
  /** Aborting it stops reading; everything read is committed, then the chain completes. */
  readonly signal?: AbortSignal | undefined
}

/** Describes a chain from a topic into a table. What is absent has the default of the service. */
export interface KafkaToDeltaOptions<T extends object = Row> extends ChainSourceOptions<T> {
  /** Location of the table, a store, or both with the options of the table. It is created if it does not exist. */
  readonly table: string | Store | ChainTable
}
