import {
  context,
  isSpanContextValid,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api'
import type { FlushTrace } from '../flush-trace.ts'
import { messageOf, PipelineError } from '../errors.ts'
import { inNamedFlush, recordErrorContext } from './flush-scope.ts'

/** Returns the tracer of kafka-delta, which does nothing until an SDK is set up. */
export function tracer(): Tracer {
  return trace.getTracer('kafka-delta')
}

/** Returns whether spans are recorded; data that only spans use need not be collected otherwise. */
export function isTracing(): boolean {
  // The API's proxy provider has a tracer to delegate to only once an SDK is set up.
  const provider = trace.getTracerProvider() as TracerProvider & Partial<ProxyProvider>
  return provider.getDelegateTracer === undefined || provider.getDelegateTracer('kafka-delta') !== undefined
}

interface ProxyProvider {
  getDelegateTracer(name: string): Tracer | undefined
}

/**
 * Runs `run` in a child span of `parent` and returns its result. The span is active meanwhile, also across awaits, and
 * ends when `run` has returned or thrown or its promise has settled; errors are recorded and thrown again. Without an
 * SDK this costs two calls that do nothing.
 */
export function inSpan<T>(
  parent: Context,
  name: string,
  attributes: Attributes,
  run: (span: Span) => T,
  kind: SpanKind = SpanKind.INTERNAL,
): T {
  // Without explicit times the SDK rounds each start to the millisecond, and a span may seem to end after its parent.
  const span = tracer().startSpan(name, { attributes, kind, startTime: nowMs() }, parent)
  if (!isSpanContextValid(span.spanContext())) return run(span)
  return withOutcome(
    () => context.with(trace.setSpan(parent, span), run, undefined, span),
    (failure) => {
      if (failure !== undefined) recordError(span, failure.error)
      span.end(nowMs())
    },
  )
}

/**
 * Runs `run` and returns its result. Calls `ended` when it has returned or its promise is fulfilled, and with the error,
 * which is thrown again, when it has thrown or its promise is rejected.
 */
function withOutcome<T>(run: () => T, ended: (failure?: { readonly error: unknown }) => void): T {
  let result: T
  try {
    result = run()
  } catch (error) {
    ended({ error })
    throw error
  }
  if (!(result instanceof Promise)) {
    ended()
    return result
  }
  return result.then(
    (value: unknown) => {
      ended()
      return value
    },
    (error: unknown) => {
      ended({ error })
      throw error
    },
  ) as T
}

/** Names of the spans of stages that differ from the name of the stage. */
const SPAN_NAMES: Readonly<Record<string, string>> = {
  partitionBy: 'partition',
  toArrow: 'layout',
  writeParquet: 'parquet',
  deadLetters: 'dead letters',
  commitDelta: 'delta commit',
  commitOffsets: 'offset commit',
}

/** Returns the name of the span of a stage. */
export function spanNameOf(stage: string): string {
  return SPAN_NAMES[stage] ?? stage
}

/**
 * Runs `run` as a stage of a flush and returns its result, as `inSpan` does. Its time is measured, and it runs in a child
 * span of `parent` if the flush is traced.
 */
export function inStage<T>(
  flush: FlushTrace,
  stage: string,
  attributes: Attributes,
  run: (span: Span) => T,
  parent: Context = flush.context,
): T {
  const end = flush.begin?.(stage)
  const measured = end === undefined ? attributes : { ...attributes, 'kafka_delta.stage': stage }
  let span: SpanContext | undefined
  const work = (): T =>
    inSpan(parent, spanNameOf(stage), measured, (own) => {
      span = own.spanContext()
      return run(own)
    })
  return withOutcome(
    () => (flush.name === undefined ? work() : inNamedFlush(flush.name, work)),
    (failure) => {
      end?.()
      if (failure === undefined) return
      recordErrorContext(failure.error, { ...(flush.name === undefined ? {} : { flush: flush.name }), span })
    },
  )
}

/** Adds an event to the active span: `attempt`, numbered from 2, follows after a pause because of `error`. */
export function recordRetry(error: unknown, attempt: number, pauseMs: number): void {
  trace.getActiveSpan()?.addEvent('retry', {
    'kafka_delta.attempt': attempt,
    'kafka_delta.pause_ms': pauseMs,
    'error.type': errorTypeOf(error),
  })
}

function errorTypeOf(error: unknown): string {
  return error instanceof PipelineError ? error.code : error instanceof Error ? error.name : typeof error
}

/** Returns the id of the active trace, which dead letters and log lines carry. */
export function activeTraceId(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext()
  return span !== undefined && isSpanContextValid(span) ? span.traceId : undefined
}

/** Returns the time of the span clock: monotonic milliseconds since the epoch, with fractions. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Marks a span as failed: sets the status, the exception event and `error.type`, which is the KD code if the error has one. */
export function recordError(span: Span, error: unknown): void {
  span.setAttribute('error.type', errorTypeOf(error))
  span.recordException(error instanceof Error ? error : messageOf(error))
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) })
}
