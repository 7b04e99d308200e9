import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-node'
import type { Provenance } from '../../../src/core/batch.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { inSpan, inStage } from '../../../src/core/stage/span.ts'
import {
  BATCHES_DETAILED_MAX,
  FLUSH_MS_ATTRIBUTE,
  openFlushTrace,
  type TracedFlush,
} from '../../../src/telemetry/tracing/flush-trace.ts'
import { startTelemetryWith, type Telemetry } from '../../../src/telemetry/tracing/tracing.ts'
import { hrTimeToMilliseconds, type HrTime } from '../hr-time.ts'

const STAGES = ['poll', 'decode', 'validate', 'enrich', 'partitionBy', 'buffer']
const T0 = Date.now() - 5_000

function provenance(index: number, traceparents: readonly string[] = []): Provenance {
  const polledAtMs = T0 + index
  return {
    topic: 't',
    partition: index % 2,
    follows: undefined,
    first: BigInt(index * 10),
    last: BigInt(index * 10 + 9),
    records: 10,
    bytes: 1000,
    polledAtMs,
    traceparents,
    timings: STAGES.map((stage, order) => ({
      stage,
      startMs: polledAtMs + order - 0.5,
      endMs: polledAtMs + order + 0.25,
      attributes: { order },
    })),
  }
}

function facts(provenances: readonly Provenance[]): TracedFlush {
  const counts = { records: 10 * provenances.length, rows: 8, deadLetters: 1, tombstones: 1, filtered: 0 }
  return { id: 7, groupId: 'g', provenances, counts, bytes: 1000 * provenances.length }
}

function traceparent(index: number): string {
  return `00-${(index + 1).toString(16).padStart(32, '0')}-${(index + 1).toString(16).padStart(16, '0')}-01`
}

const ms = (time: HrTime): number => hrTimeToMilliseconds(time)

describe('with an SDK', () => {
  let exporter: InMemorySpanExporter
  let telemetry: Telemetry

  beforeEach(() => {
    exporter = new InMemorySpanExporter()
    telemetry = startTelemetryWith(new SimpleSpanProcessor(exporter))
  })
  afterEach(() => telemetry.shutdown())

  const spans = (): readonly ReadableSpan[] => exporter.getFinishedSpans()
  const root = (): ReadableSpan => {
    const found = spans().find((span) => span.parentSpanContext === undefined)
    assert.ok(found)
    return found
  }

  it('a flush is one trace: a consumer root with the messaging attributes and a span per stage and batch', () => {
    openFlushTrace(facts([provenance(0), provenance(1)])).end()
    assert.equal(spans().length, 1 + 2 * STAGES.length)
    assert.equal(new Set(spans().map((span) => span.spanContext().traceId)).size, 1)
    assert.equal(root().name, 'process t')
    assert.equal(root().kind, SpanKind.CONSUMER)
    const { own, times } = attributesOf(root())
    const took = endOf(root()) - ms(root().startTime)
    const sum = Object.values(times).reduce((all, each) => all + each, 0)
    assert.ok(Math.abs(sum - took) < 1, `the stages' ${sum} ms add up to the ${took} ms of the root`)
    const { [FLUSH_MS_ATTRIBUTE]: flushMs, ...others } = own
    assert.ok(Number(flushMs) > 0 && Number(flushMs) < took, `${String(flushMs)} ms since it was formed`)
    assert.deepEqual(others, {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 't',
      'messaging.consumer.group.name': 'g',
      'messaging.batch.message_count': 20,
      'kafka_delta.flush': 't/0@0',
      'kafka_delta.flush.id': 7,
      'kafka_delta.partitions': 2,
      'kafka_delta.bytes': 2000,
      'kafka_delta.rows': 8,
      'kafka_delta.dead_letters': 1,
      'kafka_delta.tombstones': 1,
      'kafka_delta.filtered': 0,
      'kafka_delta.batches.seen': 2,
      'kafka_delta.batches.detailed': 2,
      'kafka_delta.links.seen': 0,
      'kafka_delta.links.linked': 0,
    })
  })

  it('the poll is a client span named after the topic, with the batch in its attributes', () => {
    openFlushTrace(facts([provenance(3)])).end()
    const poll = spans().find((span) => span.name === 'poll t')
    assert.equal(poll?.kind, SpanKind.CLIENT)
    assert.deepEqual(poll.attributes, {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'poll',
      'messaging.operation.type': 'receive',
      'messaging.destination.name': 't',
      'messaging.destination.partition.id': '1',
      'messaging.kafka.offset': 30,
      'messaging.batch.message_count': 10,
      'kafka_delta.bytes': 1000,
      'kafka_delta.stage': 'poll',
      order: 0,
    })
  })

  it('a flush of one partition names it and its last offset', () => {
    openFlushTrace(facts([provenance(0), provenance(2)])).end()
    assert.equal(root().attributes['messaging.destination.partition.id'], '0')
    assert.equal(root().attributes['messaging.kafka.offset'], 29)
  })

  it('every span lies within its parent, also spans of later stages', async () => {
    const flush = openFlushTrace(facts([provenance(0), provenance(1)]))
    await inStage(flush, 'writeParquet', { rows: 8 }, async () => {
      await inSpan(context.active(), 'PUT', {}, () => new Promise((resolve) => setImmediate(resolve)))
    })
    flush.end()
    const byId = new Map(spans().map((span) => [span.spanContext().spanId, span]))
    // One of them is the wait between the end of the buffer and the first stage.
    assert.equal(spans().length, 4 + 2 * STAGES.length)
    assert.equal(spans().filter((span) => span.name === 'wait').length, 1)
    for (const span of spans()) {
      const parent = byId.get(span.parentSpanContext?.spanId ?? '')
      if (parent === undefined) continue
      assert.ok(ms(parent.startTime) <= ms(span.startTime), `${span.name} starts before ${parent.name}`)
      assert.ok(ms(span.endTime) <= ms(parent.endTime), `${span.name} ends after ${parent.name}`)
      assert.ok(ms(span.startTime) <= ms(span.endTime), `${span.name} ends before it starts`)
    }
    const put = spans().find((span) => span.name === 'PUT')
    const parquet = spans().find((span) => span.name === 'parquet')
    assert.equal(put?.parentSpanContext?.spanId, parquet?.spanContext().spanId)
    assert.equal(parquet?.parentSpanContext?.spanId, root().spanContext().spanId)
    assert.equal(ms(root().startTime), T0 - 0.5)
  })

  it('producers are linked, invalid headers are not', () => {
    openFlushTrace(
      facts([provenance(0, [traceparent(0), 'nonsense']), provenance(1, [traceparent(1)])]),
    ).end()
    assert.deepEqual(
      root().links.map((link) => link.context.traceId),
      [traceparent(0), traceparent(1)].map((header) => header.slice(3, 35)),
    )
    assert.equal(root().attributes['kafka_delta.links.seen'], 3)
    assert.equal(root().attributes['kafka_delta.links.linked'], 2)
  })

  it('more producers than the SDK keeps are sampled, and both counts are recorded', () => {
    const headers = Array.from({ length: 300 }, (_, index) => traceparent(index))
    openFlushTrace(facts([provenance(0, headers.slice(0, 150)), provenance(1, headers.slice(150))])).end()
    assert.equal(root().links.length, 128)
    assert.equal(root().droppedLinksCount, 0)
    assert.equal(root().attributes['kafka_delta.links.seen'], 300)
    assert.equal(root().attributes['kafka_delta.links.linked'], 128)
    assert.equal(root().links.at(-1)?.context.traceId, traceparent(299).slice(3, 35))
  })

  it('of very many batches only some have spans, and both counts are recorded', () => {
    openFlushTrace(facts(Array.from({ length: 1000 }, (_, index) => provenance(index)))).end()
    assert.equal(spans().length, 1 + BATCHES_DETAILED_MAX * STAGES.length)
    assert.equal(root().attributes['kafka_delta.batches.seen'], 1000)
    assert.equal(root().attributes['kafka_delta.batches.detailed'], BATCHES_DETAILED_MAX)
  })

  it('a failed flush has the error code, and a second end is ignored', () => {
    const flush = openFlushTrace(facts([provenance(0)]))
    flush.end(new PipelineError('KD_COMMIT_CONFLICT', 'metadata changed'))
    flush.end()
    assert.equal(root().status.code, SpanStatusCode.ERROR)
    assert.equal(root().attributes['error.type'], 'KD_COMMIT_CONFLICT')
    assert.equal(root().events[0]?.name, 'exception')
    assert.equal(spans().filter((span) => span.name === 'process t').length, 1)
  })

  it('a poll that was not timed is the moment at which the fetch delivered the batch', () => {
    openFlushTrace(facts([{ ...provenance(0), timings: [] }])).end()
    const poll = spans().find((span) => span.name === 'poll t')
    assert.equal(spans().length, 2)
    assert.ok(poll)
    assert.equal(ms(poll.startTime), T0)
    assert.equal(ms(poll.endTime), T0)
    assert.equal(ms(root().startTime), T0)
  })
})

it('without an SDK nothing is traced, but the time of the stages is measured', () => {
  const flush = openFlushTrace(facts([provenance(0)]))
  assert.equal(trace.getSpan(flush.context), undefined)
  flush.begin('writeParquet')()
  flush.end()
  const stages = flush.stages()
  assert.equal(stages.id, 7)
  assert.ok((stages.ms['poll'] ?? 0) >= 0.75, 'the poll took some time')
  assert.ok((stages.ms['writeParquet'] ?? 0) > 0, 'so did the stage')
})

function attributesOf(span: ReadableSpan): {
  readonly own: Record<string, unknown>
  readonly times: Record<string, number>
} {
  const entries = Object.entries(span.attributes)
  const isTime = ([key]: readonly [string, unknown]): boolean => key.startsWith('kafka_delta.ms.')
  return {
    own: Object.fromEntries(entries.filter((entry) => !isTime(entry))),
    times: Object.fromEntries(entries.filter(isTime).map(([key, value]) => [key, Number(value)])),
  }
}

function endOf(span: ReadableSpan): number {
  return ms(span.endTime)
}
