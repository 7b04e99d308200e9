/**
 * Exports the service in one call, its configuration, its log and its traces: `kafka-delta/service`.
 */
export { runService, type RunServiceOptions } from '../service/process/service.ts'
export { runTopics, type RunOptions } from '../service/supervision/run-topics.ts'
export type { TopicRun } from '../service/topic/topic-run.ts'
export type { TopicControl } from '../service/topic/control.ts'
export type { TopicStatus } from '../service/topic/status.ts'
export type { TopicEvent, TopicEventHandler, TopicRestart } from '../service/topic/events.ts'
export type {
  InFlightFlush,
  InFlightWork,
  RunState,
  TopicFailure,
  TopicPhase,
} from '../service/topic/state.ts'
export type { TopicSummary } from '../service/topic/summary.ts'
export { createLogger, type Logger, type LogOptions } from '../telemetry/log.ts'
export { startTelemetry, type Telemetry } from '../telemetry/tracing/tracing.ts'
export { loadConfig, type ConfigSources } from '../../config/load/load.ts'
export type { Config, TopicConfig } from '../../config/types.ts'
export type * from './service-types.ts'
