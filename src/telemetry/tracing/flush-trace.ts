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
import type { FlushTrace } from '../../core/flush-trace.ts'
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

/**
 * Opens the trace of a flush and measures the time of its stages. With tracing on, the root span starts at the earliest
 * poll, has a child span for each stage so far and links to the producers of the records; later stages open their spans
 * in `context`.
 */
export function openFlushTrace(flush: TracedFlush): FlushTrace {
  const timer = new StageTimer(flush.id, flush.provenances)
  const first = flush.provenances[0]
  const name = first === undefined ? {} : { name: flushNameOf(first) }
  if (first === undefined || !isTracing()) return { ...timingOnlyTrace(timer), ...name }
  const startMs = timer.startedAtMs
  const traceparents = flush.provenances.flatMap((provenance) => provenance.traceparents)
  const links = sampleEvenly(traceparents, LINKS_MAX)
    .map(spanLinkOf)
    .filter((link): link is Link => link !== undefined)
  const detailed = sampleEvenly(flush.provenances, BATCHES_DETAILED_MAX)
  const root = tracer().startSpan(
    `process ${first.topic}`,
    {
      root: true,
      kind: SpanKind.CONSUMER,
      startTime: startMs,
      links,
      attributes: {
        ...attributesOf(flush, first),
        'kafka_delta.batches.seen': flush.provenances.length,
        'kafka_delta.batches.detailed': detailed.length,
        'kafka_delta.links.seen': traceparents.length,
        'kafka_delta.links.linked': links.length,
      },
    },
    ROOT_CONTEXT,
  )
  const context = trace.setSpan(ROOT_CONTEXT, root)
  // The context of an unsampled span is passed on too, so that later stages do not start their own traces.
  if (!root.isRecording()) return { ...timingOnlyTrace(timer), ...name, context, end: () => root.end() }
  let latestMs = startMs
  for (const provenance of detailed) latestMs = Math.max(latestMs, replay(provenance, context))
  return {
    ...name,
    context,
    begin: withWaits(timer, context),
    stages: () => timer.stages(),
    end: endOnce(root, timer, latestMs),
  }
}

function timingOnlyTrace(timer: StageTimer): FlushTrace {
  return {
    context: ROOT_CONTEXT,
    begin: (stage) => timer.begin(stage),
    stages: () => timer.stages(),
    end: () => undefined,
  }
}

/** Records the time between two stages as a span, in which the previous flush is still processed. */
function withWaits(timer: StageTimer, parent: Context): NonNullable<FlushTrace['begin']> {
  return (stage) => {
    const { atMs, isBusy } = timer
    const ended = timer.begin(stage)
    if (!isBusy) recordWait(atMs, timer.atMs, parent, { 'kafka_delta.before': spanNameOf(stage) })
    return ended
  }
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

// Polls are timed by the wall clock, which may be ahead of the span clock.
function endOnce(root: Span, timer: StageTimer, latestMs: number): FlushTrace['end'] {
  let ended = false
  return (error) => {
    if (ended) return
    ended = true
    if (error !== undefined) recordError(root, error)
    const { ms } = timer.stages()
    root.setAttribute(FLUSH_MS_ATTRIBUTE, timer.atMs - timer.formedAtMs)
    for (const [stage, each] of Object.entries(ms)) root.setAttribute(`kafka_delta.ms.${stage}`, each)
    root.end(Math.max(timer.atMs, latestMs))
  }
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
