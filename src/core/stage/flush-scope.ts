import { context, trace, type SpanContext } from '@opentelemetry/api'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { OffsetRange } from '../batch.ts'
import type { FlushTrace } from '../flush-trace.ts'

/** Identifies the flush and the span in which something happened. */
interface FlushContext {
  /** Name of the flush, from `flushNameOf`. */
  readonly flush?: string
  /** The active span; absent without tracing. */
  readonly span?: SpanContext | undefined
}

const SCOPE = new AsyncLocalStorage<string>()

/** The flush context of errors, which may be logged after the flush has ended. */
const ERROR_CONTEXTS = new WeakMap<object, FlushContext>()

/**
 * Returns the name that identifies a flush in the log and in traces: `events/3@1200` begins with offset 1200 of
 * partition 3 of the topic `events`. The same records read again have the same name.
 */
export function flushNameOf({
  topic,
  partition,
  first,
}: Pick<OffsetRange, 'topic' | 'partition' | 'first'>): string {
  return `${topic}/${partition}@${first}`
}

/** Runs `run` as work on a flush: log lines written meanwhile, also across awaits, carry the name of the flush. */
export function inFlush<T>({ name, context: parent }: FlushTrace, run: () => T): T {
  const traced = (): T => context.with(parent, run)
  return name === undefined ? traced() : SCOPE.run(name, traced)
}

/** Runs `run` as work on the flush `name` within the span that is already active. */
export function inNamedFlush<T>(name: string | undefined, run: () => T): T {
  return name === undefined ? run() : SCOPE.run(name, run)
}

/** Returns the current flush and span. */
export function currentFlushContext(): FlushContext {
  const flush = SCOPE.getStore()
  return { ...(flush === undefined ? {} : { flush }), span: trace.getActiveSpan()?.spanContext() }
}

/** Remembers the flush and span in which an error was thrown; the first call for an error counts. */
export function recordErrorContext(error: unknown, place: FlushContext): void {
  if (typeof error === 'object' && error !== null && !ERROR_CONTEXTS.has(error))
    ERROR_CONTEXTS.set(error, place)
}

/** Returns the flush and span in which an error was thrown, or `undefined` if it was not thrown by work on a flush. */
export function flushContextOfError(error: unknown): FlushContext | undefined {
  return typeof error === 'object' && error !== null ? ERROR_CONTEXTS.get(error) : undefined
}
