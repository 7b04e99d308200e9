import type { OptionTree } from '../option.ts'

/** Declares the options below `trace`: which traces are kept. */
export const TRACE_OPTIONS = {
  slowMs: {
    doc: 'A flush is slow if at least this time passes between its end of buffering and its commit. Traces of slow flushes and of flushes that fail are always kept, whatever the sampler decides. See [tracing](tracing.md).',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 10_000,
    env: 'KAFKA_DELTA_TRACE_SLOW_MS',
  },
} as const satisfies OptionTree

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** Declares the options below `log`: the log of the process. */
export const LOG_OPTIONS = {
  level: {
    doc: 'Minimum severity of log lines. With `debug`, a failing command also prints its stack trace.',
    format: LEVELS,
    default: 'info',
    env: 'LOG_LEVEL',
  },
} as const satisfies OptionTree

/** Declares the options below `log` of an entry of `topics`: what is logged about one topic. */
export const TOPIC_LOG_OPTIONS = {
  level: {
    doc: 'Minimum severity of log lines about this topic. Unset: `log.level`.',
    format: LEVELS,
    default: null,
    nullable: true,
  },
  samplesPerMinute: {
    doc: 'Number of randomly chosen rows that are logged per minute while the log level of this topic is `debug` or `trace`. Values are cut to 64 characters, and fields named by `log.mask` are hidden. At most 600. Unset: no rows are logged.',
    format: 'whole-number',
    unit: 'rows',
    default: null,
    nullable: true,
  },
  mask: {
    doc: 'Fields whose values are hidden in logged rows. A name hides every field of that name at any depth, a [path](transforms.md#paths) with dots hides one field. Fields with names like `password`, `token` or `apiKey` are always hidden.',
    format: 'text-list',
    default: [],
  },
} as const satisfies OptionTree
