import { ROOT_CONTEXT, SpanStatusCode, type Context } from '@opentelemetry/api'
import {
  SamplingDecision,
  type ReadableSpan,
  type Sampler,
  type Span,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { FLUSH_MS_ATTRIBUTE } from './flush-trace.ts'

/** Configures which traces are kept, and the bounds of held spans. */
export interface TailSamplingOptions {
  /** Traces of at least this duration are kept, in milliseconds; flushes are measured from when they were formed. */
  readonly slowMs: number
  /** Selects the traces that are kept although they neither failed nor were slow. */
  readonly sampler: Sampler
  /** Hides secrets in error messages: servers may repeat parts of a request in their responses. */
  readonly hide?: (text: string) => string
  /** Maximum spans held per trace, beside its root and its stages. Default 4,096. */
  readonly traceSpansMax?: number
  /** Maximum spans held in total. Default 16,384: about 40 MB. */
  readonly spansMax?: number
  /** Maximum traces held. Default 1,024; beyond it the oldest trace is decided early. */
  readonly tracesMax?: number
}

const TRACE_SPANS_MAX = 4_096
const SPANS_MAX = 16_384
const TRACES_MAX = 1_024
/** Maximum decisions remembered for spans that end after their root. */
const DECIDED_MAX = 1_024

/** Names the reason why a trace is kept. */
type Kept = 'failed' | 'slow' | 'sampled'

interface Trace {
  readonly rootId: string
  readonly isSampled: boolean
  readonly spans: ReadableSpan[]
  dropped: number
  kept: Kept | undefined
}

/**
 * Decides when the root span of a trace ends whether the trace is kept: failed and slow traces are passed to `next`, and
 * those that the sampler selects. Until then spans are held within bounds; beyond them nested spans are dropped first, and
 * the attribute `kafka_delta.spans.dropped` of the root has their number. `kafka_delta.kept` has the reason.
 */
export class TailSamplingProcessor implements SpanProcessor {
  readonly #next: SpanProcessor
  readonly #slowMs: number
  readonly #sampler: Sampler
  readonly #hide: ((text: string) => string) | undefined
  readonly #traceSpansMax: number
  readonly #spansMax: number
  readonly #tracesMax: number
  readonly #open = new Map<string, Trace>()
  readonly #decided = new Map<string, boolean>()
  #held = 0

  constructor(next: SpanProcessor, options: TailSamplingOptions) {
    this.#next = next
    this.#slowMs = options.slowMs
    this.#sampler = options.sampler
    this.#hide = options.hide
    this.#traceSpansMax = options.traceSpansMax ?? TRACE_SPANS_MAX
    this.#spansMax = options.spansMax ?? SPANS_MAX
    this.#tracesMax = options.tracesMax ?? TRACES_MAX
  }

  /** Number of spans held. */
  get held(): number {
    return this.#held
  }

  onStart(span: Span, parent: Context): void {
    this.#next.onStart(span, parent)
    if (span.parentSpanContext !== undefined) return
    const { traceId, spanId } = span.spanContext()
    if (this.#open.size >= this.#tracesMax) this.#decideOldest()
    this.#open.set(traceId, {
      rootId: spanId,
      isSampled: this.#samples(span, traceId),
      spans: [],
      dropped: 0,
      kept: undefined,
    })
  }

  onEnding(span: Span): void {
    this.#next.onEnding?.(span)
    const trace = this.#rootedTrace(span)
    if (trace === undefined) return
    trace.kept = this.#reasonOf(span, trace)
    if (trace.kept !== undefined) span.setAttribute('kafka_delta.kept', trace.kept)
    if (trace.dropped > 0) span.setAttribute('kafka_delta.spans.dropped', trace.dropped)
  }

  onEnd(span: ReadableSpan): void {
    if (this.#hide !== undefined && span.status.code === SpanStatusCode.ERROR) hideIn(span, this.#hide)
    const { traceId } = span.spanContext()
    const trace = this.#open.get(traceId)
    if (trace === undefined) {
      // The root ended earlier, or was never seen.
      if (this.#decided.get(traceId) !== false) this.#next.onEnd(span)
    } else if (this.#rootedTrace(span) !== undefined) {
      this.#decide(traceId, trace)
      if (trace.kept !== undefined) this.#next.onEnd(span)
    } else if (this.#hasRoom(span, trace)) {
      trace.spans.push(span)
      this.#held++
    } else trace.dropped++
  }

  forceFlush(): Promise<void> {
    return this.#next.forceFlush()
  }

  async shutdown(): Promise<void> {
    while (this.#open.size > 0) this.#decideOldest()
    await this.#next.shutdown()
  }

  #samples(span: Span, traceId: string): boolean {
    const { name, kind, attributes, links } = span
    const { decision } = this.#sampler.shouldSample(ROOT_CONTEXT, traceId, name, kind, attributes, links)
    return decision === SamplingDecision.RECORD_AND_SAMPLED
  }

  #rootedTrace(span: ReadableSpan): Trace | undefined {
    const { traceId, spanId } = span.spanContext()
    const trace = this.#open.get(traceId)
    return trace?.rootId === spanId ? trace : undefined
  }

  #reasonOf(root: ReadableSpan, trace: Trace): Kept | undefined {
    if (root.status.code === SpanStatusCode.ERROR) return 'failed'
    const flushMs = root.attributes[FLUSH_MS_ATTRIBUTE]
    const tookMs = typeof flushMs === 'number' ? flushMs : millisecondsOf(root)
    if (tookMs >= this.#slowMs) return 'slow'
    return trace.isSampled ? 'sampled' : undefined
  }

  // Stages are few and most informative: they get twice the room.
  #hasRoom({ parentSpanContext }: ReadableSpan, { rootId, spans }: Trace): boolean {
    if (this.#held >= this.#spansMax) return false
    return spans.length < this.#traceSpansMax * (parentSpanContext?.spanId === rootId ? 2 : 1)
  }

  #decideOldest(): void {
    for (const [traceId, trace] of this.#open) {
      if (trace.isSampled) trace.kept ??= 'sampled'
      this.#decide(traceId, trace)
      return
    }
  }

  #decide(traceId: string, { spans, kept }: Trace): void {
    this.#open.delete(traceId)
    this.#held -= spans.length
    this.#decided.set(traceId, kept !== undefined)
    for (const oldest of this.#decided.keys()) {
      if (this.#decided.size <= DECIDED_MAX) break
      this.#decided.delete(oldest)
    }
    if (kept !== undefined) for (const span of spans) this.#next.onEnd(span)
  }
}

/** Hides secrets in the status and in the exception events (message and stack) of a span. */
function hideIn(span: ReadableSpan, hide: (text: string) => string): void {
  const { status, events } = span
  if (status.message !== undefined) status.message = hide(status.message)
  for (const { attributes } of events) {
    for (const [key, value] of Object.entries(attributes ?? {}))
      if (attributes !== undefined && typeof value === 'string') attributes[key] = hide(value)
  }
}

// While a span ends, only the SDK knows its end time.
function millisecondsOf({ duration: [seconds, nanos] }: ReadableSpan): number {
  return seconds * 1_000 + nanos / 1_000_000
}
