import { context, trace, type SpanContext } from '@opentelemetry/api'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { OffsetRange } from '../batch.ts'
import type { FlushTrace } from '../flush-trace.ts'

/** Where in a flush something happened. */
export interface FlushPlace {
  /** See `flushName`. */
  readonly flush?: string
  /** The span that was active; absent where nothing is traced. */
  readonly span?: SpanContext | undefined
}

const SCOPE = new AsyncLocalStorage<string>()

/** Where errors came from, for those who log them later. */
const ORIGINS = new WeakMap<object, FlushPlace>()

/**
 * What tells a flush from all others, in the log and in traces: `events/3@1200` begins with offset 1200 of partition 3 of
 * the topic `events`. The same records read again have the same name.
 */
export function flushName({
  topic,
  partition,
  first,
}: Pick<OffsetRange, 'topic' | 'partition' | 'first'>): string {
  return `${topic}/${partition}@${first}`
}

/** Runs `run` as work on a flush: lines that are logged meanwhile, also across awaits, tell which. */
export function inFlush<T>({ name, context: parent }: FlushTrace, run: () => T): T {
  const traced = (): T => context.with(parent, run)
  return name === undefined ? traced() : SCOPE.run(name, traced)
}

/** The same within the span that is active: for stages. */
export function namedFlush<T>(name: string | undefined, run: () => T): T {
  return name === undefined ? run() : SCOPE.run(name, run)
}

/** Where we are: in which flush and in which span. */
export function flushPlace(): FlushPlace {
  const flush = SCOPE.getStore()
  return { ...(flush === undefined ? {} : { flush }), span: trace.getActiveSpan()?.spanContext() }
}

/** Remembers where an error came from; the first place counts. */
export function noteOrigin(error: unknown, place: FlushPlace): void {
  if (typeof error === 'object' && error !== null && !ORIGINS.has(error)) ORIGINS.set(error, place)
}

/** Where an error came from, if it came from work on a flush. */
export function originOfError(error: unknown): FlushPlace | undefined {
  return typeof error === 'object' && error !== null ? ORIGINS.get(error) : undefined
}
