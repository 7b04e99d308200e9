import type { OptionTree } from '../option.ts'

/** Which traces are kept: options below `trace`. */
export const TRACE_OPTIONS = {
  slowMs: {
    doc: 'A flush that takes at least this long from when it was formed to when it ends is slow: its trace is kept whatever the sampler says, as that of one that failed is. See [tracing](tracing.md).',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 10_000,
    env: 'KAFKA_DELTA_TRACE_SLOW_MS',
  },
} as const satisfies OptionTree

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** The log of the process: options below `log`. */
export const LOG_OPTIONS = {
  level: {
    doc: 'Least severe level that is logged. With `debug` a failing command also prints its stack.',
    format: LEVELS,
    default: 'info',
    env: 'LOG_LEVEL',
  },
} as const satisfies OptionTree

/** What is logged of one topic: options below `log` of an entry of `topics`. */
export const TOPIC_LOG_OPTIONS = {
  level: {
    doc: 'Least severe level of what is logged of this topic. Unset, that of `log.level`.',
    format: LEVELS,
    default: null,
    nullable: true,
  },
  samplesPerMinute: {
    doc: 'While the level of this topic is `debug` or `trace`, so many rows a minute are logged, picked at random: their values are cut to 64 characters, and those that `log.mask` names are hidden. Unset, none.',
    format: 'whole-number',
    unit: 'rows',
    default: null,
    nullable: true,
  },
  mask: {
    doc: 'Fields whose values no logged row shows: a name hides fields of that name wherever they stand, a dotted path one field. Fields that look like secrets by their name (`password`, `token`, `apiKey` and the like) are always hidden.',
    format: 'text-list',
    default: [],
  },
} as const satisfies OptionTree
