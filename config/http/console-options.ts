import type { OptionTree } from '../option.ts'

/** Declares the options below `console`: what the console at `/` links to. */
export const CONSOLE_OPTIONS = {
  traceUrl: {
    doc: 'Address of a trace in the pages of Jaeger or another store of traces, with `{traceId}` in the place of its id, such as `http://jaeger:16686/trace/{traceId}`: the flushes in the [console](console.md) then link to their traces.',
    format: 'text',
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_CONSOLE_TRACE_URL',
  },
} as const satisfies OptionTree
