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
import { flushName } from '../../core/stage/flush-scope.ts'
import { StageClock } from '../../core/stage/flush-stages.ts'
import { isTracing, recordError, spanNameOf, tracer } from '../../core/stage/span.ts'
import { LINKS_MAX, linkOf, sample } from './traceparent.ts'

/** Batches of a flush that get spans of their own; of the others only the count is told. */
export const BATCHES_DETAILED_MAX = 64

/** What the trace of a flush tells. */
export interface FlushFacts {
  /** Counts from 1 within the process. */
  readonly id: number
  readonly groupId: string
  /** Every batch of the flush, in the order of arrival; at least one. */
  readonly provenances: readonly Provenance[]
  readonly counts: Counts
  readonly bytes: number
}

/** Attribute of the root: milliseconds from the forming of the flush to its end. */
export const FLUSH_MS = 'kafka_delta.flush_ms'

/** Times in which nothing worked on a flush have a span from here on. */
const WAIT_MS_MIN = 1

/**
 * Opens the trace of a flush and the count of its time. Where tracing is on: a root span from the earliest poll on, with
 * what the stages took before as spans below it and links to the producers of its records. Stages that follow open
 * theirs in `context`.
 */
export function flushTrace(facts: FlushFacts): FlushTrace {
  const clock = new StageClock(facts.id, facts.provenances)
  const first = facts.provenances[0]
  const name = first === undefined ? {} : { name: flushName(first) }
  if (first === undefined || !isTracing()) return { ...counted(clock), ...name }
  const startMs = clock.startedAtMs
  const traceparents = facts.provenances.flatMap((provenance) => provenance.traceparents)
  const links = sample(traceparents, LINKS_MAX)
    .map(linkOf)
    .filter((link): link is Link => link !== undefined)
  const detailed = sample(facts.provenances, BATCHES_DETAILED_MAX)
  const root = tracer().startSpan(
    `process ${first.topic}`,
    {
      root: true,
      kind: SpanKind.CONSUMER,
      startTime: startMs,
      links,
      attributes: {
        ...attributesOf(facts, first),
        'kafka_delta.batches.seen': facts.provenances.length,
        'kafka_delta.batches.detailed': detailed.length,
        'kafka_delta.links.seen': traceparents.length,
        'kafka_delta.links.linked': links.length,
      },
    },
    ROOT_CONTEXT,
  )
  const context = trace.setSpan(ROOT_CONTEXT, root)
  // A span that is not sampled is still handed on, so that later stages do not start traces of their own.
  if (!root.isRecording()) return { ...counted(clock), ...name, context, end: () => root.end() }
  let latestMs = startMs
  for (const provenance of detailed) latestMs = Math.max(latestMs, replay(provenance, context))
  return {
    ...name,
    context,
    begin: withWaits(clock, context),
    stages: () => clock.stages(),
    end: endOnce(root, clock, latestMs),
  }
}

function counted(clock: StageClock): FlushTrace {
  return {
    context: ROOT_CONTEXT,
    begin: (stage) => clock.begin(stage),
    stages: () => clock.stages(),
    end: () => undefined,
  }
}

/** Shows what lies between two stages: the flush before is still worked on. */
function withWaits(clock: StageClock, parent: Context): NonNullable<FlushTrace['begin']> {
  return (stage) => {
    const { atMs, isBusy } = clock
    const ended = clock.begin(stage)
    if (!isBusy) waited(atMs, clock.atMs, parent, { 'kafka_delta.before': spanNameOf(stage) })
    return ended
  }
}

function waited(startMs: number, endMs: number, parent: Context, attributes: Attributes): void {
  if (endMs - startMs < WAIT_MS_MIN) return
  const all = { ...attributes, 'kafka_delta.stage': 'wait' }
  tracer().startSpan('wait', { startTime: startMs, attributes: all }, parent).end(endMs)
}

// What was measured while the batch flowed becomes spans now; returns when the last one ended.
function replay(provenance: Provenance, parent: Context): number {
  const { polledAtMs } = provenance
  // A source that cannot say how long a fetch took still says when it delivered.
  const deliveredMs = Math.min(polledAtMs, provenance.timings[0]?.startMs ?? Infinity)
  const delivered: StageTiming = { stage: 'poll', startMs: deliveredMs, endMs: deliveredMs }
  const isTimed = provenance.timings.some((timing) => timing.stage === 'poll')
  let latestMs = deliveredMs
  for (const timing of isTimed ? provenance.timings : [delivered, ...provenance.timings]) {
    const endMs = Math.max(timing.startMs, timing.endMs)
    const isPoll = timing.stage === 'poll'
    const attributes = batchAttributesOf(provenance, timing)
    if (!isPoll)
      waited(latestMs, timing.startMs, parent, {
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

// A poll is timed by the wall clock, which may be ahead of the clock of spans.
function endOnce(root: Span, clock: StageClock, latestMs: number): FlushTrace['end'] {
  let ended = false
  return (error) => {
    if (ended) return
    ended = true
    if (error !== undefined) recordError(root, error)
    const { ms } = clock.stages()
    root.setAttribute(FLUSH_MS, clock.atMs - clock.formedAtMs)
    for (const [stage, each] of Object.entries(ms)) root.setAttribute(`kafka_delta.ms.${stage}`, each)
    root.end(Math.max(clock.atMs, latestMs))
  }
}

function attributesOf(facts: FlushFacts, first: Provenance): Attributes {
  const partitions = new Map<number, Provenance>()
  for (const provenance of facts.provenances) partitions.set(provenance.partition, provenance)
  const only = partitions.size === 1 ? facts.provenances.at(-1) : undefined
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': first.topic,
    'messaging.consumer.group.name': facts.groupId,
    'messaging.batch.message_count': facts.counts.records,
    ...(only === undefined
      ? {}
      : {
          'messaging.destination.partition.id': String(only.partition),
          'messaging.kafka.offset': Number(only.last),
        }),
    'kafka_delta.flush': flushName(first),
    'kafka_delta.flush.id': facts.id,
    'kafka_delta.partitions': partitions.size,
    'kafka_delta.bytes': facts.bytes,
    'kafka_delta.rows': facts.counts.rows,
    'kafka_delta.dead_letters': facts.counts.deadLetters,
    'kafka_delta.tombstones': facts.counts.tombstones,
    'kafka_delta.filtered': facts.counts.filtered,
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
