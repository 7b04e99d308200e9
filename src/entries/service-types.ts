/** Exports the types that signatures of `kafka-delta/service` name and that programs rarely name themselves. */
export type { LOG_OPTIONS } from '../../config/logging/options.ts'
export type { LogLevel } from '../../config/logging/types.ts'
export type {
  IsSet,
  NodeValue,
  OptionValue,
  OptionValues,
  ResolutionStep,
  SetNames,
} from '../../config/option-values.ts'
export type {
  EnumOption,
  FormatValues,
  Option,
  OptionByFormat,
  OptionFormat,
  OptionTree,
} from '../../config/option.ts'
export type { Simplify } from '../../config/simplify.ts'
export type { PatternConfig } from '../../config/topics/patterns.ts'
export type { OrphanedFiles } from '../../operators/write-parquet.ts'
export type { SerialQueue } from '../core/serial-queue.ts'
export type { CheckpointResult } from '../delta/commit/checkpoint-scheduler.ts'
export type { EndOffsets, EndOffsetsOptions } from '../kafka/fetch/end-offsets.ts'
export type { Isolation } from '../kafka/records/read-records.ts'
export type { MaintenanceRun, MaintenanceTask } from '../service/table/maintenance.ts'
export type { TableLease, TablePool } from '../service/table/table-pool.ts'
export type { TopicConnectors } from '../service/topic/topic.ts'
export type { LogLevels } from '../telemetry/log-levels.ts'
export type { Environment } from '../telemetry/otlp.ts'
export type { TailSamplingOptions } from '../telemetry/tracing/tail-sampling.ts'
export type { PathEvent, PathOption } from '../transforms/path-matches.ts'
