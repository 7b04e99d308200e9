import { isSpanContextValid } from '@opentelemetry/api'
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { PinoPretty } from 'pino-pretty'
import { SENSITIVE_KEYS } from '../../config/load/redact.ts'
import type { LogLevel } from '../../config/logging/types.ts'
import { currentFlushContext, flushContextOfError } from '../core/stage/flush-scope.ts'
import { LogLevels } from './log-levels.ts'

/** Writes structured log lines with levels. */
export type Logger = PinoLogger

/** Configures a log. */
export interface LogOptions {
  readonly level: LogLevel
  /** Writes colours and columns for people instead of JSON. Default: whether stderr is a terminal. */
  readonly pretty?: boolean
  /** Default: stderr, so that stdout can be used for data. */
  readonly destination?: DestinationStream
  /** Hides secrets in complete lines. */
  readonly hide?: (line: string) => string
  /** Changes levels at run time. */
  readonly levels?: LogLevels
}

// Secrets are hidden in the objects of a line down to this depth.
const DEPTH_MAX = 5

/** The levels of each log and of its child loggers. */
const LEVELS = new WeakMap<Logger, LogLevels>()
/** The topic of each logger of a topic. */
const TOPICS = new WeakMap<Logger, string>()

/**
 * Creates a log of JSON lines with `time` (ISO 8601), `level` (name) and `msg`, with `flush` for work on a flush, and with
 * `trace_id` and `span_id` if a span is active; lines with an error have those of the place where it was thrown. Secrets of
 * the configuration are hidden by the names of their options.
 */
export function createLogger(options: LogOptions): Logger {
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true })
  const pretty = options.pretty ?? process.stderr.isTTY
  const { levels = new LogLevels() } = options
  const made = (child: Logger): void => {
    LEVELS.set(child, levels)
    const { topic } = child.bindings()
    if (typeof topic === 'string') TOPICS.set(child, topic)
    levels.add(child)
  }
  const log: Logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths(), censor: '[secret]' },
      mixin: (fields, _level, logger) => ({ ...place(fields), [BOUND_TOPIC]: TOPICS.get(logger as Logger) }),
      mixinMergeStrategy: mergeFields,
      onChild: made,
      ...(options.hide === undefined ? {} : { hooks: { streamWrite: options.hide } }),
    },
    pretty
      ? PinoPretty({ destination, ignore: 'trace_id,span_id', translateTime: 'HH:MM:ss.l' })
      : destination,
  )
  LEVELS.set(log, levels)
  levels.setRoot(log)
  return log
}

/** Returns the levels of a log, or `undefined` for a log that `createLogger` did not create. */
export function logLevelsOf(log: Logger): LogLevels | undefined {
  return LEVELS.get(log)
}

/** Creates the logger of a topic; `level` is the topic's level unless another was set at run time. */
export function createTopicLogger(log: Logger, topic: string, level: LogLevel | undefined): Logger {
  const levels = LEVELS.get(log)
  if (level !== undefined && levels?.current.topics[topic] === undefined) levels?.set(level, topic)
  return log.child({ topic })
}

function secretPaths(): string[] {
  const names = new Set(SENSITIVE_KEYS.map((key) => key.slice(key.lastIndexOf('.') + 1)))
  return [...names, 'authorization'].flatMap((name) =>
    Array.from({ length: DEPTH_MAX }, (_, depth) => '*.'.repeat(depth) + name),
  )
}

/** Carries the topic of a logger from the mixin to the merge of a line's fields; never part of a line. */
const BOUND_TOPIC = Symbol('topic of the logger')

/** Returns the fields of a line, with `topic` only once: pino writes the fields of a logger and those of a call side by side. */
function mergeFields(fields: object, added: { readonly [BOUND_TOPIC]?: string }): object {
  const bound = added[BOUND_TOPIC]
  const isTwice = bound !== undefined && (fields as { readonly topic?: unknown }).topic === bound
  return { ...added, ...fields, ...(isTwice ? { topic: undefined } : {}) }
}

/** Returns the flush and span of a line; for an error those in which it was thrown, also after the flush has ended. */
function place(fields: object): object {
  const error: unknown = (fields as { readonly err?: unknown }).err
  const { flush, span } = flushContextOfError(error) ?? currentFlushContext()
  return {
    ...(flush === undefined ? {} : { flush }),
    ...(span !== undefined && isSpanContextValid(span)
      ? { trace_id: span.traceId, span_id: span.spanId }
      : {}),
  }
}
