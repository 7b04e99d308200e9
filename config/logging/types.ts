/** Configures which traces are kept. `slowMs` is in milliseconds. */
export interface TraceConfig {
  readonly slowMs: number
}

/**
 * Configures what is logged about one topic. Without `level` the level of the process applies; without
 * `samplesPerMinute` no rows are logged.
 */
export interface TopicLogConfig {
  readonly level?: LogLevel
  readonly samplesPerMinute?: number
  readonly mask: readonly string[]
}

/** Names a log level, least severe first. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
