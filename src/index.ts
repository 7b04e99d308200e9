/**
 * Exports the public API of the library: the operators, the pipeline made of them, and the types they work with.
 *
 * Operators map streams of batches; compose them in an RxJS `pipe`, with operators of your own in between. What is not
 * named here may change at any time.
 */

// The operators in their order, and those that work row by row.
export { divideBatches, type DivideOptions } from '../operators/divide-batches.ts'
export { decode, type DecodeOptions } from '../operators/decode.ts'
export { transform, type TransformOperatorOptions } from '../operators/transform.ts'
export { validate } from '../operators/validate.ts'
export { mapRows } from '../operators/rows/map-rows.ts'
export { filterRows } from '../operators/rows/filter-rows.ts'
export { tapRows } from '../operators/rows/tap-rows.ts'
export { mergeMapRows } from '../operators/rows/merge-map-rows.ts'
export { mapRowsAsync, type AsyncCall, type MapRowsAsyncOptions } from '../operators/rows/map-rows-async.ts'
export { retryLater } from '../operators/rows/async-calls.ts'
export { scanRows, type ScanRowsOptions, type ScanStep } from '../operators/rows/scan-rows.ts'
export { distinctRows } from '../operators/rows/distinct-rows.ts'
export type { DistinctKey, DistinctRowsOptions } from '../operators/rows/distinct-keys.ts'
export { ROW_SCHEMA, schemaAfter, withRowSchema, type RowOperator } from '../operators/rows/row-operator.ts'
export type { RecordInfo } from '../operators/rows/record-info.ts'
export { enrich } from '../operators/enrich.ts'
export { constrain } from '../operators/constrain.ts'
export {
  compileTableConstraints,
  type CompiledConstraint,
} from './delta/constraints/constraint-violations.ts'
export { partitionBy, type PartitionedRows } from '../operators/partition-by.ts'
export {
  bufferTimeOrCount,
  type BufferOptions,
  type FormedFlush,
  type FlushLimits,
} from '../operators/buffer-time-or-count.ts'
export { toArrow, type ArrowFile, type ArrowFiles, type ArrowTarget } from '../operators/to-arrow.ts'
export {
  layOutForSnapshot,
  writeParquet,
  type DataFiles,
  type FileTarget,
  type ParquetTarget,
} from '../operators/write-parquet.ts'
export {
  appIdOf,
  topicIdAppIdOf,
  commitDelta,
  type CommitDeltaOptions,
  type CommittedFlush,
  type DeadLetterSink,
} from '../operators/commit-delta.ts'
export { commitOffsets, type PipelineCommit, type CommitOffsetsOptions } from '../operators/commit-offsets.ts'

// All of them joined, and the means to write one's own.
export { pipeline, type PipelineOptions, type PipelineConfig } from './pipeline.ts'
export { openThreads, type Threads, type ThreadsOptions } from './threads/threads.ts'
export { batchStage, stage, type StageOptions } from './core/stage/stage.ts'
export {
  checkedOperator,
  noteBatchWaiting,
  type OperatorContractOptions,
} from './core/stage/operator-contract.ts'

// What flows: batches with their provenance, flushes, rows in columns, dead letters.
export type {
  Batch,
  Counts,
  DeadLetter,
  DeadLetterReason,
  Flush,
  OffsetRange,
  Provenance,
  StageTiming,
} from './core/batch.ts'
export type { FlushStages, FlushTrace } from './core/flush-trace.ts'
export { keyOf, valueOf, type Headers, type Raw } from './core/raw.ts'
export { objectsOf, takeRows, type Row, type Rows } from './arrow/rows.ts'
export { rowBytesMin, type Column, type Columns } from './arrow/column.ts'
export { deadLetterOf } from './core/dead-letter.ts'
export { Credit, type CreditReason, type CreditWait } from './core/credit/credit.ts'
export type { FlushCredit } from './core/credit/flush-credit.ts'
export { Budget, type BudgetMember } from './core/credit/budget.ts'
export { currentOf, type Changing } from './core/changing.ts'
export type { Clock } from './core/clock.ts'

// Schemas and contracts.
export type { ArrayType, DataType, MapType, PrimitiveName, StructField, StructType } from './core/schema.ts'
export { loadContract, type Contract } from './contract/contract.ts'
export { readContract } from './contract/file.ts'
export { contractOfTable } from './contract/table-contract.ts'

// Typed rows: a schema as code gives the types of rows, and formats know them.
export { columns, list, mapOf, nullable, struct } from './rows/row-schema.ts'
export type {
  ColumnType,
  FieldType,
  FieldTypes,
  Infer,
  InferInput,
  RowInputOf,
  RowOf,
  RowSchema,
} from './rows/row-types.ts'
export type { Exactly, NoSuchColumn, RowInput } from './rows/row-input.ts'
export { jsonSchema, type RowInputOfJsonSchema, type RowOfJsonSchema } from './rows/json-schema.ts'
export { columnOf, columnsOf, rowsWith } from './rows/build-rows.ts'
export { contractOfColumns, type ContractOf } from './rows/schema-contract.ts'
export { customFormat, type TopicFormat, type TopicSchema } from './library/topic-format.ts'
export {
  avro,
  bytes,
  csv,
  debezium,
  formatWithOwnSchema,
  json,
  protobuf,
  text,
  type AvroFormatSettings,
  type DebeziumFormatSettings,
  type JsonSettings,
  type ProtobufFormatSettings,
  type RegistrySettings,
  type ValueSettings,
} from './library/formats.ts'
export type { DebeziumRow } from './library/debezium-row.ts'

// A chain in one call.
export { kafkaToDelta, type KafkaToDelta } from './library/kafka-to-delta.ts'
export { fanOut, type FanOutOptions, type Route, type RouteCommit } from './library/fan-out.ts'
export { restartFailures, type RestartOptions } from './library/restart-failures.ts'
export type {
  ChainSourceOptions,
  ChainTable,
  KafkaToDeltaOptions,
  PartialConfig,
} from './library/chain-options.ts'

// Formats and enrichments: functions and objects of these shapes can take the place of ours.
export { jsonFormat } from './formats/json/format.ts'
export { openFormat, type FormatChoice } from './formats/open/open.ts'
export type {
  ColumnFault,
  Decoded,
  Format,
  FormatOptions,
  MessageColumns,
  WriterSchema,
} from './formats/format.ts'
export { derivedColumn } from './enrichments/derived-column.ts'
export { lookupColumns, type LookupOptions, type ReferenceTable } from './enrichments/lookup-columns.ts'
export { kafkaColumns } from './enrichments/kafka-columns.ts'
export type { Enrichment, Reject } from './enrichments/enrichment.ts'

// Rules, filters and transforms of messages.
export {
  compileTransforms,
  type RuleOption,
  type TransformOption,
  type TransformOptions,
} from './transforms/compile.ts'
export { columnsAfter } from './transforms/columns.ts'
export type { Lookup } from './transforms/functions.ts'
export type { Transformation } from './transforms/transformation.ts'

// Columns that follow the messages and the table.
export type { ValidatedMessages } from './evolution/batch-validation.ts'
export { RowColumns, type RowColumnsOptions } from './evolution/row-columns.ts'
export { RESCUED_DATA, type SchemaEvolution } from './evolution/policy.ts'

// Kafka.
export { createSource } from './kafka/source/consumer-source.ts'
export type {
  KafkaSource,
  PartitionStatus,
  SourceEvent,
  SourceOptions,
  StoredTopicId,
} from './kafka/source/source-options.ts'
export type { Source } from './kafka/source/source.ts'
export { storedTopicIdOf } from './service/topic/table-offsets.ts'
export type { KafkaOptions, Log } from './kafka/client/client.ts'
export {
  createDeadLetterTopic,
  type DeadLetterOptions,
  type DeadLetterTopic,
} from './kafka/dead-letters/dead-letters.ts'
export { pack } from './kafka/source/pack-records.ts'

// Delta tables.
export { createTable, tableExists, type NewTable } from './delta/maintenance/create.ts'
export { openTableWriter, type TableWriterOptions } from './delta/commit/log-writer.ts'
export { loadSnapshot, type Snapshot } from './delta/log/snapshot.ts'
export { readRowLines, type RowLinesOptions } from './delta/rewrite/row-lines.ts'
export { layoutOf, type Layout } from './delta/files/layout.ts'
export type { Append, CommitOutcome, TableWriter } from './delta/commit/table-writer.ts'
export type { TableShape } from './delta/protocol/table-shape.ts'
export type { Add, Metadata, Protocol, Txn } from './delta/protocol/actions.ts'

// Stores.
export { openStore, type StoreOptions } from './storage/open/open.ts'
export { MemoryStore, type MemoryOptions } from './storage/memory.ts'
export { LocalStore } from './storage/local/local.ts'
export type { S3StoreOptions } from './storage/s3/s3-options.ts'
export type { AzureAccess, AzureStoreOptions } from './storage/azure/azure-options.ts'
export type { DynamoOptions } from './storage/dynamodb/dynamodb-options.ts'
export type { GcsStoreOptions } from './storage/gcs/gcs-options.ts'
export type { PutIfAbsentOutcome, Store, StoredObject } from './storage/store.ts'

// Servers that fail: their circuits, and how hard is tried.
export { Circuits, type CircuitsContext } from './resilience/circuit-registry.ts'
export type { CircuitBreaker, CircuitOptions } from './resilience/circuit-breaker.ts'
export { GuardedStore, type GuardOptions } from './storage/guarded.ts'
export type { StoreRetryPolicy, StoreRequestOptions } from './storage/requests.ts'
export type { RetryPolicy } from './resilience/retries.ts'
export type { Circuit, CircuitState } from './core/circuit.ts'

// Code of a user in the service.
export {
  defineOperators,
  type OperatorsContext,
  type OperatorsDefinition,
  type OperatorsFunction,
  type OperatorsInput,
  type TopicOperators,
} from './service/operators/define.ts'
export type { ExtensionFormat } from './service/operators/extensions.ts'

// The errors of everything.
export {
  ERROR_CATALOGUE,
  PipelineError,
  messageOf,
  type ErrorCode,
  type ErrorContext,
} from './core/errors.ts'

export type * from './public-types.ts'
