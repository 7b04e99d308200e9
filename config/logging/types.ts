import type { OptionValues } from '../option-values.ts'
import type { LOG_OPTIONS, TOPIC_LOG_OPTIONS, TRACE_OPTIONS } from './options.ts'

/** Configures which traces are kept. */
export type TraceConfig = OptionValues<typeof TRACE_OPTIONS>

/**
 * Configures what is logged about one topic. Without `level` the level of the process applies; without
 * `samplesPerMinute` no rows are logged.
 */
export type TopicLogConfig = OptionValues<typeof TOPIC_LOG_OPTIONS>

/** Names a log level, least severe first. */
export type LogLevel = OptionValues<typeof LOG_OPTIONS>['level']
