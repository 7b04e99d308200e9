/** Which traces are kept. */
export interface TraceConfig {
  readonly slowMs: number
}

/** What is logged of one topic; `level` is that of the process where it is absent, and no rows are logged without `samplesPerMinute`. */
export interface TopicLogConfig {
  readonly level?: LogLevel
  readonly samplesPerMinute?: number
  readonly mask: readonly string[]
}
/** Levels of the log, least severe first. */

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
