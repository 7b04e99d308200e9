import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ROOT_CONTEXT, SpanStatusCode, trace, type Span } from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace-node'
import { FLUSH_MS_ATTRIBUTE } from '../../../src/telemetry/tracing/flush-trace.ts'
import { samplerOf } from '../../../src/telemetry/tracing/sampler.ts'
import {
  TailSamplingProcessor,
  type TailSamplingOptions,
} from '../../../src/telemetry/tracing/tail-sampling.ts'

const T0 = Date.now()

describe('traces are decided when they end', () => {
  let exporter: InMemorySpanExporter
  let provider: BasicTracerProvider
  let tail: TailSamplingProcessor

  const tailed = (options: Partial<TailSamplingOptions> = {}): void => {
    tail = new TailSamplingProcessor(new SimpleSpanProcessor(exporter), {
      slowMs: 1_000,
      sampler: new AlwaysOffSampler(),
      ...options,
    })
    provider = new BasicTracerProvider({ sampler: new AlwaysOnSampler(), spanProcessors: [tail] })
  }
  beforeEach(() => {
    exporter = new InMemorySpanExporter()
    tailed()
  })
  afterEach(() => provider.shutdown())

  const root = (name: string): Span =>
    provider.getTracer('t').startSpan(name, { root: true, startTime: T0 }, ROOT_CONTEXT)
  const child = (parent: Span, name: string): Span =>
    provider.getTracer('t').startSpan(name, { startTime: T0 }, trace.setSpan(ROOT_CONTEXT, parent))
  const names = (): string[] => exporter.getFinishedSpans().map(({ name }) => name)
  const found = (name: string): ReadableSpan => {
    const span = exporter.getFinishedSpans().find((each) => each.name === name)
    assert.ok(span, `${name} was sent`)
    return span
  }
  const flushed = (options: { readonly endMs: number; readonly failed?: boolean }): void => {
    const flush = root('flush')
    const stage = child(flush, 'stage')
    child(stage, 'put').end(T0 + 1)
    stage.end(T0 + 1)
    assert.deepEqual(names(), [], 'nothing is sent before the end')
    if (options.failed === true) flush.setStatus({ code: SpanStatusCode.ERROR })
    flush.end(T0 + options.endMs)
  }

  it('a trace that is neither failed, slow nor sampled is dropped completely', () => {
    flushed({ endMs: 999 })
    assert.deepEqual(names(), [])
    assert.equal(tail.held, 0)
  })

  it('a failed trace is kept completely with the reason', () => {
    flushed({ endMs: 5, failed: true })
    assert.deepEqual(names(), ['put', 'stage', 'flush'])
    assert.equal(found('flush').attributes['kafka_delta.kept'], 'failed')
    assert.equal(tail.held, 0)
  })

  it('a slow trace is kept', () => {
    flushed({ endMs: 1_000 })
    assert.equal(found('flush').attributes['kafka_delta.kept'], 'slow')
    assert.equal(names().length, 3)
  })

  it('a flush that waited long for records is not slow: it is measured from when it was formed', () => {
    for (const flushMs of [999, 1_001]) {
      const flush = root(`formed ${flushMs}`)
      flush.setAttribute(FLUSH_MS_ATTRIBUTE, flushMs)
      flush.end(T0 + 60_000)
    }
    assert.deepEqual(names(), ['formed 1001'])
  })

  it('the sampler selects among the others by trace id', async () => {
    await provider.shutdown()
    const asked: string[] = []
    const sampler: Sampler = {
      shouldSample: (_, traceId, name) => {
        asked.push(traceId)
        return (name === 'picked' ? new AlwaysOnSampler() : new AlwaysOffSampler()).shouldSample()
      },
      toString: () => 'picks',
    }
    exporter = new InMemorySpanExporter()
    tailed({ sampler })
    for (const name of ['picked', 'left']) {
      const flush = root(name)
      child(flush, `of ${name}`).end(T0 + 1)
      flush.end(T0 + 2)
    }
    assert.deepEqual(names(), ['of picked', 'picked'])
    assert.equal(found('picked').attributes['kafka_delta.kept'], 'sampled')
    assert.equal(asked.length, 2, 'once a trace')
  })

  it('secrets in errors are hidden, in the status and in the event', () => {
    tailed({ hide: (text) => text.replaceAll('hunter2', '[secret]') })
    const flush = root('flush')
    flush.recordException(new Error('refused: hunter2'))
    flush.setStatus({ code: SpanStatusCode.ERROR, message: 'refused: hunter2' })
    flush.end(T0 + 1)
    const { status, events } = found('flush')
    assert.equal(status.message, 'refused: [secret]')
    assert.equal(events[0]?.attributes?.['exception.message'], 'refused: [secret]')
    assert.doesNotMatch(JSON.stringify([status, events]), /hunter2/)
  })

  it('spans that end after their root are kept or dropped like it', () => {
    for (const failed of [true, false]) {
      const flush = root(`failed ${failed}`)
      const late = child(flush, `late ${failed}`)
      if (failed) flush.setStatus({ code: SpanStatusCode.ERROR })
      flush.end(T0 + 1)
      late.end(T0 + 2)
    }
    assert.deepEqual(names(), ['failed true', 'late true'])
  })

  it('beyond the limit of a trace nested spans are dropped and counted, stages and root are not', () => {
    tailed({ traceSpansMax: 3 })
    const flush = root('flush')
    const stage = child(flush, 'stage')
    for (let i = 0; i < 10; i++) child(stage, 'put').end(T0 + 1)
    stage.end(T0 + 1)
    flush.setStatus({ code: SpanStatusCode.ERROR })
    flush.end(T0 + 2)
    assert.deepEqual(names(), ['put', 'put', 'put', 'stage', 'flush'])
    assert.equal(found('flush').attributes['kafka_delta.spans.dropped'], 7)
  })

  it('beyond the limit of all traces further spans are dropped, and there is room again when a trace ends', () => {
    tailed({ spansMax: 2 })
    const [first, second] = [root('first'), root('second')]
    for (const flush of [first, second, second]) child(flush, 'stage').end(T0 + 1)
    assert.equal(tail.held, 2)
    first.end(T0 + 1)
    assert.equal(tail.held, 1)
    child(second, 'later').end(T0 + 1)
    second.setStatus({ code: SpanStatusCode.ERROR })
    second.end(T0 + 2)
    assert.deepEqual(names(), ['stage', 'later', 'second'])
    assert.equal(found('second').attributes['kafka_delta.spans.dropped'], 1)
  })

  it('traces that never end are held up to a limit; then the oldest is decided early', () => {
    tailed({ tracesMax: 2, sampler: new AlwaysOnSampler() })
    child(root('first'), 'of first').end(T0 + 1)
    root('second')
    root('third')
    assert.deepEqual(names(), ['of first'])
    assert.equal(tail.held, 0)
  })

  it('open traces are exported at the end of the process if they are sampled', async () => {
    tailed({ sampler: new AlwaysOnSampler() })
    const sent: string[] = []
    const flush = root('flush')
    child(flush, 'stage').end(T0 + 1)
    const export_ = exporter.export.bind(exporter)
    exporter.export = (spans, done) => {
      sent.push(...spans.map(({ name }) => name))
      export_(spans, done)
    }
    await provider.shutdown()
    assert.deepEqual(sent, ['stage'])
  })
})

describe('the standard variables of samplers', () => {
  const told: string[] = []
  const named = (env: Record<string, string>): string => String(samplerOf(env, (line) => told.push(line)))

  it('select all, none, or a share', () => {
    assert.match(named({}), /ParentBased\{root=AlwaysOnSampler/)
    assert.match(named({ OTEL_TRACES_SAMPLER: 'parentbased_always_on' }), /ParentBased\{root=AlwaysOn/)
    assert.match(named({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }), /ParentBased\{root=AlwaysOff/)
    assert.equal(named({ OTEL_TRACES_SAMPLER: 'always_on' }), 'AlwaysOnSampler')
    assert.equal(named({ OTEL_TRACES_SAMPLER: 'always_off' }), 'AlwaysOffSampler')
    const share = { OTEL_TRACES_SAMPLER_ARG: '0.25' }
    assert.equal(named({ OTEL_TRACES_SAMPLER: 'traceidratio', ...share }), 'TraceIdRatioBased{0.25}')
    assert.match(named({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', ...share }), /root=TraceId.*0\.25/)
    assert.equal(named({ OTEL_TRACES_SAMPLER: 'traceidratio' }), 'TraceIdRatioBased{1}')
    assert.deepEqual(told, [])
  })

  it('with invalid values are reported, and all traces are sampled', () => {
    assert.equal(named({ OTEL_TRACES_SAMPLER: 'some' }), 'AlwaysOnSampler')
    assert.equal(
      named({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }),
      'TraceIdRatioBased{1}',
    )
    assert.equal(told.length, 2)
    assert.match(told.join(), /OTEL_TRACES_SAMPLER: .* got some.*OTEL_TRACES_SAMPLER_ARG: .* got 2/)
  })
})
