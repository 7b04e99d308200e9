import { isSpanContextValid } from '@opentelemetry/api'
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { PinoPretty } from 'pino-pretty'
import { SENSITIVE_KEYS } from '../../config/load/redact.ts'
import type { LogLevel } from '../../config/logging/types.ts'
import { flushPlace, originOfError } from '../core/stage/flush-scope.ts'
import { LogLevels } from './log-levels.ts'

/** The log: structured lines with a level. */
export type Logger = PinoLogger

/** How the log is set up. */
export interface LogOptions {
  readonly level: LogLevel
  /** People read it: colours and columns, no JSON. Default: whether stderr is a terminal. */
  readonly pretty?: boolean
  /** Default: stderr, so that stdout is free for data. */
  readonly destination?: DestinationStream
  /** Hides secrets in whole lines, wherever they stand in them: `withoutSecrets` of the configuration. */
  readonly hide?: (line: string) => string
  /** By which levels are changed later. */
  readonly levels?: LogLevels
}

// A secret is hidden wherever an object of a line holds it, down to this depth.
const DEPTH_MAX = 5

/** Of every log that was made here, and of the loggers made of it. */
const LEVELS = new WeakMap<Logger, LogLevels>()

/**
 * A log of JSON lines (`time` in ISO 8601, `level` by name, `msg`), with `flush` where it is about a flush, and `trace_id`
 * and `span_id` where a span is active; lines that tell an error have those of where it came from. Secrets of the
 * configuration are hidden by the names of their options.
 */
export function createLogger(options: LogOptions): Logger {
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true })
  const pretty = options.pretty ?? process.stderr.isTTY
  const { levels = new LogLevels() } = options
  const made = (child: Logger): void => {
    LEVELS.set(child, levels)
    levels.made(child)
  }
  const log: Logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths(), censor: '[secret]' },
      mixin: place,
      onChild: made,
      ...(options.hide === undefined ? {} : { hooks: { streamWrite: options.hide } }),
    },
    pretty
      ? PinoPretty({ destination, ignore: 'trace_id,span_id', translateTime: 'HH:MM:ss.l' })
      : destination,
  )
  LEVELS.set(log, levels)
  levels.follow(log)
  return log
}

/** By which the levels of a log are changed; `undefined` for a log of somebody else's. */
export function levelsOf(log: Logger): LogLevels | undefined {
  return LEVELS.get(log)
}

/** The logger of a topic: `level` is its own, unless another was set while the process runs. */
export function topicLogger(log: Logger, topic: string, level: LogLevel | undefined): Logger {
  const levels = LEVELS.get(log)
  if (level !== undefined && levels?.all.topics[topic] === undefined) levels?.set(level, topic)
  return log.child({ topic })
}

function secretPaths(): string[] {
  const names = new Set(SENSITIVE_KEYS.map((key) => key.slice(key.lastIndexOf('.') + 1)))
  return [...names, 'authorization'].flatMap((name) =>
    Array.from({ length: DEPTH_MAX }, (_, depth) => '*.'.repeat(depth) + name),
  )
}

/** Where a line belongs. An error that is logged after its flush has ended still tells of it. */
function place(fields: object): object {
  const error: unknown = (fields as { readonly err?: unknown }).err
  const { flush, span } = originOfError(error) ?? flushPlace()
  return {
    ...(flush === undefined ? {} : { flush }),
    ...(span !== undefined && isSpanContextValid(span)
      ? { trace_id: span.traceId, span_id: span.spanId }
      : {}),
  }
}
