import { isSpanContextValid, trace } from '@opentelemetry/api'
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { PinoPretty } from 'pino-pretty'
import { SENSITIVE_KEYS } from '../../config/redact.ts'
import type { LogLevel } from '../../config/types.ts'

/** The log: structured lines with a level. */
export type Logger = PinoLogger

/** How the log is set up. */
export interface LogOptions {
  readonly level: LogLevel
  /** People read it: colours and columns, no JSON. Default: whether stderr is a terminal. */
  readonly pretty?: boolean
  /** Default: stderr, so that stdout is free for data. */
  readonly destination?: DestinationStream
}

// A secret is hidden wherever an object of a line holds it, down to this depth.
const DEPTH_MAX = 5

/**
 * A log of JSON lines (`time` in ISO 8601, `level` by name, `msg`), with `trace_id` and `span_id` where a span is
 * active. Secrets of the configuration are hidden by the names of their options.
 */
export function createLogger(options: LogOptions): Logger {
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true })
  const pretty = options.pretty ?? process.stderr.isTTY
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths(), censor: '[secret]' },
      mixin: activeSpan,
    },
    pretty
      ? PinoPretty({ destination, ignore: 'trace_id,span_id', translateTime: 'HH:MM:ss.l' })
      : destination,
  )
}

function secretPaths(): string[] {
  const names = new Set(SENSITIVE_KEYS.map((key) => key.slice(key.lastIndexOf('.') + 1)))
  return [...names, 'authorization'].flatMap((name) =>
    Array.from({ length: DEPTH_MAX }, (_, depth) => '*.'.repeat(depth) + name),
  )
}

function activeSpan(): object {
  const span = trace.getActiveSpan()?.spanContext()
  return span !== undefined && isSpanContextValid(span)
    ? { trace_id: span.traceId, span_id: span.spanId }
    : {}
}
