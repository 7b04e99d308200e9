/** Exports the types that signatures of `kafka-delta` name and that programs rarely name themselves. */
export type { KafkaMetadataField } from '../config/transforms/expression.ts'
export type { Chunk } from '../operators/buffer-time-or-count.ts'
export type { DeadLetterLimit } from '../operators/limit-dead-letters.ts'
export type { AbsentValues } from './arrow/builder.ts'
export type {
  BytesColumn,
  FixedArray,
  FixedColumn,
  ListColumn,
  MapColumn,
  StructColumn,
} from './arrow/column.ts'
export type { DroppedPaths } from './arrow/rows.ts'
export type { SparseValues } from './arrow/column.ts'
export type { CodecName } from './compression/compression.ts'
export type { PlainContract, PlainField, PlainValue } from './contract/columns/plain.ts'
export type { ContractOrigin } from './contract/contract.ts'
export type { JsonSchemaFault, JsonType } from './contract/json-schema/json-schema.ts'
export type { NamedRules, PlainRules, ScalarValue } from './contract/rules/rules.ts'
export type { ExactNumber } from './core/exact.ts'
export type { Origin, RecordsByMessage } from './core/raw.ts'
export type { Pace } from './core/stage/paced.ts'
export type { TlsFiles } from './core/tls/tls-files.ts'
export type { ViolationTest } from './delta/constraints/constraint-violations.ts'
export type { Constraint } from './delta/constraints/constraints.ts'
export type { EncodedFile, EncodedStatistics, FileEncoder, FileEncoding } from './delta/files/encode-file.ts'
export type { StoreOpener } from './delta/files/file-locations.ts'
export type { PartitionColumn } from './delta/files/layout.ts'
export type { Checkpoint, LogSegment } from './delta/log/log-segment.ts'
export type { FileFormat, MetadataAction } from './delta/protocol/actions.ts'
export type { CoerceValue } from './evolution/ingest-values.ts'
export type { ObjectReason, SlowReason } from './formats/format.ts'
export type { SchemaId } from './formats/framing/schema-id.ts'
export type { BatchColumns, ColumnThreads } from './formats/open/read-ahead.ts'
export type { RegisteredSchemas, ThreadFormat } from './formats/open/thread-format.ts'
export type { ReadFiles, SchemaFiles } from './formats/schema-files.ts'
export type { AvroSettings, CsvSettings, DebeziumSettings, ProtobufSettings } from './formats/settings.ts'
export type { MessageSource, SourceColumns, SourceValues } from './formats/sources.ts'
export type { Expression } from './jmespath/expression.ts'
export type { BearerToken, TokenLogin } from './kafka/client/token-login.ts'
export type { DeadLettersWritten } from './kafka/dead-letters/dead-letters.ts'
export type { ReadObstacle } from './kafka/fetch/read-obstacles.ts'
export type { KafkaRecord } from './kafka/source/pack-records.ts'
export type { IndexedColumns } from './parquet/statistics.ts'
export type { Codec, ParquetOptions } from './parquet/writer.ts'
export type { PipelineTransforms } from './pipeline.ts'
export type {
  RegisteredSchema,
  RegistryRetryPolicy,
  SchemaRegistry,
  SchemaRegistryOptions,
} from './registry/registry.ts'
export type { Access, AccessCircuit } from './resilience/access-circuit.ts'
export type { MapInput, MapValue } from './rows/row-schema.ts'
export type {
  Flat,
  HasRowTypes,
  PrimitiveInput,
  PrimitiveText,
  PrimitiveValue,
  TypesOf,
  ValueInputOf,
  ValueOf,
  ValueTypes,
} from './rows/row-types.ts'
export type { TableTopicId } from './service/topic/table-offsets.ts'
export type { EvaluationInput } from './sql/expression/term.ts'
export type { MemoryFault, MemoryRequest } from './storage/memory.ts'
export type { ColumnsAfterOptions, HasTransformationSteps } from './transforms/columns.ts'
export type { ColumnProgram, MessageRows, TransformedRows } from './transforms/columns/column-program.ts'
export type {
  ColumnTransforms,
  CompiledColumns,
  TransformInput,
} from './transforms/columns/column-transforms.ts'
export type { PathMatches } from './transforms/path-matches.ts'
export type { MessageRecord } from './transforms/record.ts'
export type { DestinationTree } from './transforms/reshape.ts'
export type {
  CallFunction,
  CompiledDrop,
  CompiledRename,
  CompiledRule,
  CompiledTransform,
  FILTERED,
  RejectedMessage,
  TransformationSteps,
} from './transforms/transformation.ts'
