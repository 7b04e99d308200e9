import {
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
} from '@opentelemetry/api'
import type { Counts, Provenance, StageTiming } from '../../core/batch.ts'
import type { FlushStages, FlushTrace } from '../../core/flush-trace.ts'
import { flushNameOf } from '../../core/stage/flush-scope.ts'
import { StageTimer } from '../../core/stage/flush-stages.ts'
import { isTracing, recordError, spanNameOf, tracer } from '../../core/stage/span.ts'
import { LINKS_MAX, spanLinkOf, sampleEvenly } from './traceparent.ts'

/** Maximum number of batches of a flush that get spans of their own; the others are only counted. */
export const BATCHES_DETAILED_MAX = 64

/** Describes a flush for its trace. */
export interface TracedFlush {
  /** Counts from 1 within the process. */
  readonly id: number
  readonly groupId: string
  /** Provenances of all batches, in the order of arrival; at least one. */
  readonly provenances: readonly Provenance[]
  readonly counts: Counts
  readonly bytes: number
}

/** Attribute of the root span: milliseconds from when the flush was formed to its end. */
export const FLUSH_MS_ATTRIBUTE = 'kafka_delta.flush_ms'

/** Minimum duration of a wait that gets a span, in milliseconds. */
const WAIT_MS_MIN = 1

/** The trace of a flush that measures its stages and reports its end. */
export interface OpenFlushTrace extends FlushTrace {
  begin(stage: string): () => void
  stages(): FlushStages
  /** The stage that is processing the flush, `wait` between stages, since `sinceMs` in milliseconds since the epoch. */
  readonly position: { readonly stage: string; readonly sinceMs: number }
}

/**
 * Opens the trace of a flush and measures the time of its stages. With tracing on, the root span starts at the earliest
 * poll, has a child span for each stage so far and links to the producers of the records; later stages open their spans
 * in `context`. `onEnd` is called once, at the end of the flush, with the error if it failed or was dropped.
 */
export function openFlushTrace(flush: TracedFlush, onEnd?: (error?: unknown) => void): OpenFlushTrace {
  return new MeasuredFlush(flush, onEnd)
}

class MeasuredFlush implements OpenFlushTrace {
  readonly context: Context = ROOT_CONTEXT
  readonly name: string | undefined
  readonly #timer: StageTimer
  readonly #onEnd: ((error?: unknown) => void) | undefined
  /** The root span; absent without tracing. */
  readonly #root: Span | undefined
  #latestMs: number
  #hasEnded = false

  constructor(flush: TracedFlush, onEnd: ((error?: unknown) => void) | undefined) {
    this.#timer = new StageTimer(flush.id, flush.provenances)
    this.#onEnd = onEnd
    this.#latestMs = this.#timer.startedAtMs
    const first = flush.provenances[0]
    if (first === undefined) return
    this.name = flushNameOf(first)
    if (!isTracing()) return
    this.#root = startRootSpan(flush, first, this.#timer.startedAtMs)
    // The context of an unsampled span is passed on too, so that later stages do not start their own traces.
    this.context = trace.setSpan(ROOT_CONTEXT, this.#root)
    if (!this.#root.isRecording()) return
    for (const provenance of detailedOf(flush))
      this.#latestMs = Math.max(this.#latestMs, replay(provenance, this.context))
  }

  get position(): OpenFlushTrace['position'] {
    return { stage: this.#timer.stage, sinceMs: Math.round(this.#timer.atMs) }
  }

  begin(stage: string): () => void {
    if (this.#root?.isRecording() !== true) return this.#timer.begin(stage)
    // The time between two stages, in which the previous flush is still processed, is a span of its own.
    const { atMs, isBusy } = this.#timer
    const end = this.#timer.begin(stage)
    if (!isBusy) recordWait(atMs, this.#timer.atMs, this.context, { 'kafka_delta.before': spanNameOf(stage) })
    return end
  }

  stages(): FlushStages {
    return this.#timer.stages()
  }

  end(error?: unknown): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (this.#root !== undefined) this.#endSpan(this.#root, error)
    this.#onEnd?.(error)
  }

  // Polls are timed by the wall clock, which may be ahead of the span clock.
  #endSpan(root: Span, error: unknown): void {
    if (!root.isRecording()) {
      root.end()
      return
    }
    if (error !== undefined) recordError(root, error)
    const { ms } = this.#timer.stages()
    root.setAttribute(FLUSH_MS_ATTRIBUTE, this.#timer.atMs - this.#timer.formedAtMs)
    for (const [stage, each] of Object.entries(ms)) root.setAttribute(`kafka_delta.ms.${stage}`, each)
    root.end(Math.max(this.#timer.atMs, this.#latestMs))
  }
}

function startRootSpan(flush: TracedFlush, first: Provenance, startMs: number): Span {
  const traceparents = flush.provenances.flatMap((provenance) => provenance.traceparents)
  const links = sampleEvenly(traceparents, LINKS_MAX)
    .map(spanLinkOf)
    .filter((link): link is Link => link !== undefined)
  return tracer().startSpan(
    `process ${first.topic}`,
    {
      root: true,
      kind: SpanKind.CONSUMER,
      startTime: startMs,
      links,
      attributes: {
        ...attributesOf(flush, first),
        'kafka_delta.batches.seen': flush.provenances.length,
        'kafka_delta.batches.detailed': detailedOf(flush).length,
        'kafka_delta.links.seen': traceparents.length,
        'kafka_delta.links.linked': links.length,
      },
    },
    ROOT_CONTEXT,
  )
}

/** Returns the batches of a flush that get spans of their own. */
function detailedOf({ provenances }: TracedFlush): readonly Provenance[] {
  return sampleEvenly(provenances, BATCHES_DETAILED_MAX)
}

function recordWait(startMs: number, endMs: number, parent: Context, attributes: Attributes): void {
  if (endMs - startMs < WAIT_MS_MIN) return
  const all = { ...attributes, 'kafka_delta.stage': 'wait' }
  tracer().startSpan('wait', { startTime: startMs, attributes: all }, parent).end(endMs)
}

// Turns the recorded timings of a batch into spans and returns the end of the last one.
function replay(provenance: Provenance, parent: Context): number {
  const { polledAtMs } = provenance
  // A source that does not measure fetches still reports when the batch was delivered.
  const deliveredMs = Math.min(polledAtMs, provenance.timings[0]?.startMs ?? Infinity)
  const delivered: StageTiming = { stage: 'poll', startMs: deliveredMs, endMs: deliveredMs }
  const isTimed = provenance.timings.some((timing) => timing.stage === 'poll')
  let latestMs = deliveredMs
  for (const timing of isTimed ? provenance.timings : [delivered, ...provenance.timings]) {
    const endMs = Math.max(timing.startMs, timing.endMs)
    const isPoll = timing.stage === 'poll'
    const attributes = batchAttributesOf(provenance, timing)
    if (!isPoll)
      recordWait(latestMs, timing.startMs, parent, {
        ...attributes,
        'kafka_delta.before': spanNameOf(timing.stage),
      })
    tracer()
      .startSpan(
        isPoll ? `poll ${provenance.topic}` : spanNameOf(timing.stage),
        { kind: isPoll ? SpanKind.CLIENT : SpanKind.INTERNAL, startTime: timing.startMs, attributes },
        parent,
      )
      .end(endMs)
    latestMs = Math.max(latestMs, endMs)
  }
  return latestMs
}

function attributesOf(flush: TracedFlush, first: Provenance): Attributes {
  const partitions = new Map<number, Provenance>()
  for (const provenance of flush.provenances) partitions.set(provenance.partition, provenance)
  const only = partitions.size === 1 ? flush.provenances.at(-1) : undefined
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': first.topic,
    'messaging.consumer.group.name': flush.groupId,
    'messaging.batch.message_count': flush.counts.records,
    ...(only === undefined
      ? {}
      : {
          'messaging.destination.partition.id': String(only.partition),
          'messaging.kafka.offset': Number(only.last),
        }),
    'kafka_delta.flush': flushNameOf(first),
    'kafka_delta.flush.id': flush.id,
    'kafka_delta.partitions': partitions.size,
    'kafka_delta.bytes': flush.bytes,
    'kafka_delta.rows': flush.counts.rows,
    'kafka_delta.dead_letters': flush.counts.deadLetters,
    'kafka_delta.tombstones': flush.counts.tombstones,
    'kafka_delta.filtered': flush.counts.filtered,
  }
}

function batchAttributesOf(provenance: Provenance, timing: StageTiming): Attributes {
  const isPoll = timing.stage === 'poll'
  return {
    ...(isPoll
      ? {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'poll',
          'messaging.operation.type': 'receive',
          'messaging.destination.name': provenance.topic,
        }
      : {}),
    'messaging.destination.partition.id': String(provenance.partition),
    'messaging.kafka.offset': Number(provenance.first),
    'messaging.batch.message_count': provenance.records,
    'kafka_delta.bytes': provenance.bytes,
    'kafka_delta.stage': timing.stage,
    ...timing.attributes,
  }
}
