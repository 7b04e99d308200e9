import { ROOT_CONTEXT, SpanStatusCode, type Context } from '@opentelemetry/api'
import {
  SamplingDecision,
  type ReadableSpan,
  type Sampler,
  type Span,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { FLUSH_MS } from './flush-trace.ts'

/** How it is decided which traces are kept. */
export interface TailOptions {
  /** Traces that took at least this long are kept: flushes from when they were formed, others as a whole. */
  readonly slowMs: number
  /** Which traces are kept beside those that failed or were slow. */
  readonly sampler: Sampler
  /** Hides secrets in what errors say: answers of servers may repeat what they were sent. */
  readonly hide?: (text: string) => string
  /** Spans that are held of one trace, beside its root and its stages. Default 4,096. */
  readonly traceSpansMax?: number
  /** Spans that are held in all. Default 16,384: about 40 MB. */
  readonly spansMax?: number
  /** Traces that are held. Default 1,024; beyond it the oldest is decided on as it is. */
  readonly tracesMax?: number
}

const TRACE_SPANS_MAX = 4_096
const SPANS_MAX = 16_384
const TRACES_MAX = 1_024
/** Decisions that are remembered for spans that end after their root. */
const DECIDED_MAX = 1_024

/** Why a trace is kept. */
type Kept = 'failed' | 'slow' | 'sampled'

interface Trace {
  readonly rootId: string
  readonly isSampled: boolean
  readonly spans: ReadableSpan[]
  dropped: number
  kept: Kept | undefined
}

/**
 * Decides on a trace when its root ends: those that failed or were slow go on to `next`, and of the rest those that the
 * sampler picks. Until then spans are held, within bounds; beyond them spans are dropped, the deepest first, and the
 * root's attribute `kafka_delta.spans.dropped` says how many. Roots tell why they were kept in `kafka_delta.kept`.
 */
export class TailProcessor implements SpanProcessor {
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

  constructor(next: SpanProcessor, options: TailOptions) {
    this.#next = next
    this.#slowMs = options.slowMs
    this.#sampler = options.sampler
    this.#hide = options.hide
    this.#traceSpansMax = options.traceSpansMax ?? TRACE_SPANS_MAX
    this.#spansMax = options.spansMax ?? SPANS_MAX
    this.#tracesMax = options.tracesMax ?? TRACES_MAX
  }

  /** Spans that are held now. */
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
      // Its root has ended before it, or was never seen.
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
    const flushMs = root.attributes[FLUSH_MS]
    const tookMs = typeof flushMs === 'number' ? flushMs : millisecondsOf(root)
    if (tookMs >= this.#slowMs) return 'slow'
    return trace.isSampled ? 'sampled' : undefined
  }

  // Stages are few and say most: they may take twice the room.
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

/** What an error says stands in the status and in the event of the exception, with its stack. */
function hideIn(span: ReadableSpan, hide: (text: string) => string): void {
  const { status, events } = span
  if (status.message !== undefined) status.message = hide(status.message)
  for (const { attributes } of events) {
    for (const [key, value] of Object.entries(attributes ?? {}))
      if (attributes !== undefined && typeof value === 'string') attributes[key] = hide(value)
  }
}

// At its end, when only the SDK knows yet when that was.
function millisecondsOf({ duration: [seconds, nanos] }: ReadableSpan): number {
  return seconds * 1_000 + nanos / 1_000_000
}
