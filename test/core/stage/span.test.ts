import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-node'
import { PipelineError } from '../../../src/core/errors.ts'
import { inSpan, isTracing } from '../../../src/core/stage/span.ts'
import { startTelemetryWith, type Telemetry } from '../../../src/telemetry/tracing/tracing.ts'

describe('with an SDK', () => {
  let exporter: InMemorySpanExporter
  let telemetry: Telemetry

  beforeEach(() => {
    exporter = new InMemorySpanExporter()
    telemetry = startTelemetryWith(new SimpleSpanProcessor(exporter))
  })
  afterEach(() => telemetry.shutdown())

  const only = (): ReadableSpan => {
    const [span, ...others] = exporter.getFinishedSpans()
    assert.ok(span)
    assert.equal(others.length, 0)
    return span
  }

  it('a synchronous result is returned unchanged after the span has ended', () => {
    assert.equal(
      inSpan(ROOT_CONTEXT, 'work', { rows: 3 }, () => 7),
      7,
    )
    assert.equal(only().name, 'work')
    assert.deepEqual(only().attributes, { rows: 3 })
    assert.equal(only().kind, SpanKind.INTERNAL)
    assert.equal(only().status.code, SpanStatusCode.UNSET)
  })

  it('a promise ends the span when it settles, not before', async () => {
    let settle: (value: number) => void = () => undefined
    const running = inSpan(
      ROOT_CONTEXT,
      'work',
      {},
      () => new Promise<number>((resolve) => (settle = resolve)),
      SpanKind.CLIENT,
    )
    assert.equal(exporter.getFinishedSpans().length, 0)
    settle(5)
    assert.equal(await running, 5)
    assert.equal(only().kind, SpanKind.CLIENT)
  })

  it('the span is active, also across awaits, and the parent is active again afterwards', async () => {
    await inSpan(ROOT_CONTEXT, 'outer', {}, async (outer) => {
      await Promise.resolve()
      assert.equal(trace.getActiveSpan(), outer)
      await inSpan(context.active(), 'inner', {}, async () => Promise.resolve())
      assert.equal(trace.getActiveSpan(), outer)
    })
    assert.equal(trace.getActiveSpan(), undefined)
    const [inner, outer] = exporter.getFinishedSpans()
    assert.equal(inner?.parentSpanContext?.spanId, outer?.spanContext().spanId)
  })

  it('errors are recorded with their code and thrown again', () => {
    const error = new PipelineError('KD_STORE_FAILED', 'no right')
    assert.throws(
      () =>
        inSpan(ROOT_CONTEXT, 'work', {}, () => {
          throw error
        }),
      error,
    )
    assert.equal(only().status.code, SpanStatusCode.ERROR)
    assert.equal(only().attributes['error.type'], 'KD_STORE_FAILED')
    assert.equal(only().events[0]?.name, 'exception')
  })

  it('a rejection is recorded and passed on', async () => {
    await assert.rejects(
      inSpan(ROOT_CONTEXT, 'work', {}, () => Promise.reject(new TypeError('no'))),
      TypeError,
    )
    assert.equal(only().attributes['error.type'], 'TypeError')
  })

  it('tracing is on', () => {
    assert.equal(isTracing(), true)
  })
})

describe('without an SDK', () => {
  it('results and errors are passed on, promises are returned unchanged', async () => {
    const promise = Promise.resolve(1)
    assert.equal(
      inSpan(ROOT_CONTEXT, 'work', {}, () => promise),
      promise,
    )
    await promise
    assert.throws(
      () =>
        inSpan(ROOT_CONTEXT, 'work', {}, () => {
          throw new TypeError('no')
        }),
      TypeError,
    )
  })

  it('tracing is off', () => {
    assert.equal(isTracing(), false)
  })
})
