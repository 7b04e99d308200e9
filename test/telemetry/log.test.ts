import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { it } from 'node:test'
import { ROOT_CONTEXT } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { loadConfig } from '../../config/load/load.ts'
import { NO_TRACE } from '../../src/core/flush-trace.ts'
import { type FlushTrace } from '../../src/core/flush-trace.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { flushNameOf, inFlush } from '../../src/core/stage/flush-scope.ts'
import { inSpan, inStage } from '../../src/core/stage/span.ts'
import { createLogger, logLevelsOf, createTopicLogger, type Logger } from '../../src/telemetry/log.ts'
import { startTelemetryWith } from '../../src/telemetry/tracing/tracing.ts'

function captured(level: 'info' | 'warn' = 'info', pretty = false): { log: Logger; text: () => string } {
  let text = ''
  const destination = new Writable({
    write(piece: Buffer, _encoding, done) {
      text += piece.toString()
      done()
    },
  })
  return { log: createLogger({ level, pretty, destination }), text: () => text }
}

const lineOf = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>

it('a line is JSON with time, level and message', () => {
  const { log, text } = captured()
  log.info({ rows: 3 }, 'Committed')
  const { time, ...rest } = lineOf(text())
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/)
  assert.deepEqual(rest, { level: 'info', rows: 3, msg: 'Committed' })
})

it('lines below the level are not written', () => {
  const { log, text } = captured('warn')
  log.info('quiet')
  assert.equal(text(), '')
})

it('bigint offsets are written', () => {
  const { log, text } = captured()
  log.info({ offset: 9_007_199_254_740_993n }, 'at')
  assert.match(text(), /"offset":9007199254740993\b/)
})

it('secrets are hidden everywhere', () => {
  const { log, text } = captured()
  const config = loadConfig({
    object: {
      kafka: { sasl: { mechanism: 'plain', username: 'me', password: 'hunter2' } },
      storage: { s3: { accessKeyId: 'id', secretAccessKey: 'hunter2', sessionToken: 'hunter2' } },
    },
  })
  log.info({ config, password: 'hunter2', s3: { secretAccessKey: 'hunter2' } }, 'start')
  assert.doesNotMatch(text(), /hunter2/)
  assert.match(text(), /"username":"me"/)
})

it('an error is written with its code and context', () => {
  const { log, text } = captured()
  log.error({ err: new PipelineError('KD_STORE_FAILED', 'no right', { version: 5n }) }, 'failed')
  const { err } = lineOf(text()) as { err: Record<string, unknown> }
  assert.equal(err['code'], 'KD_STORE_FAILED')
  assert.deepEqual(err['context'], { version: 5 })
  assert.match(String(err['stack']), /PipelineError/)
})

it('a line within a span has its ids, a line outside has none', async () => {
  const telemetry = startTelemetryWith(new SimpleSpanProcessor(new InMemorySpanExporter()))
  const { log, text } = captured()
  const ids = inSpan(ROOT_CONTEXT, 'work', {}, (span) => {
    log.info('inside')
    return span.spanContext()
  })
  log.info('outside')
  await telemetry.shutdown()
  const [inside = '', outside = ''] = text().trim().split('\n')
  assert.equal(lineOf(inside)['trace_id'], ids.traceId)
  assert.equal(lineOf(inside)['span_id'], ids.spanId)
  assert.equal('trace_id' in lineOf(outside), false)
})

const FLUSH: FlushTrace = { ...NO_TRACE, name: flushNameOf({ topic: 'events', partition: 3, first: 1200n }) }

it('lines about a flush have its name, traced or not, across awaits and in called functions', async () => {
  const { log, text } = captured()
  await inStage(FLUSH, 'commitDelta', {}, async () => {
    await new Promise((resolve) => setImmediate(resolve))
    log.info('inside')
  })
  inFlush(FLUSH, () => log.info('beside a stage'))
  log.info('outside')
  const lines = text().trim().split('\n').map(lineOf)
  assert.deepEqual(
    lines.map(({ flush }) => flush),
    ['events/3@1200', 'events/3@1200', undefined],
  )
  assert.ok(!lines.some((line) => 'trace_id' in line), 'nothing is traced')
})

it('an error logged later has the flush and the span in which it was thrown', async () => {
  const telemetry = startTelemetryWith(new SimpleSpanProcessor(new InMemorySpanExporter()))
  const { log, text } = captured()
  const error = new PipelineError('KD_STORE_FAILED', 'no right')
  let span = ''
  const running = inStage(FLUSH, 'commitDelta', {}, async (active) => {
    span = active.spanContext().spanId
    await Promise.reject(error)
  })
  await assert.rejects(running, error)
  await telemetry.shutdown()
  log.error({ err: error }, 'The topic failed')
  log.error({ err: new Error('another') }, 'Something else')
  const [failed, other] = text().trim().split('\n').map(lineOf)
  assert.equal(failed?.['flush'], 'events/3@1200')
  assert.equal(failed['span_id'], span)
  assert.match(String(failed['trace_id']), /^[0-9a-f]{32}$/)
  assert.equal(other !== undefined && 'flush' in other, false)
})

it('levels change while the log is in use: of one topic, or of all topics without their own', () => {
  const { log, text } = captured()
  const levels = logLevelsOf(log)
  const [loud, quiet] = [createTopicLogger(log, 'loud', undefined), createTopicLogger(log, 'quiet', 'warn')]
  const below = loud.child({ table: 't' })
  const told = (): string[] => {
    const before = text().length
    for (const [name, each] of Object.entries({ log, loud, below, quiet })) {
      each.debug(`${name} debug`)
      each.info(`${name} info`)
    }
    const after = text().slice(before).trim()
    return after === '' ? [] : after.split('\n').map((line) => String(lineOf(line)['msg']))
  }
  assert.deepEqual(told(), ['log info', 'loud info', 'below info'])
  levels?.set('debug', 'loud')
  assert.deepEqual(told(), ['log info', 'loud debug', 'loud info', 'below debug', 'below info'])
  assert.deepEqual(levels?.current, { level: 'info', topics: { quiet: 'warn', loud: 'debug' } })
  levels.set('error')
  assert.deepEqual(told(), ['loud debug', 'loud info', 'below debug', 'below info'])
  levels.set(undefined, 'loud')
  assert.deepEqual(told(), [])
  levels.set('debug', 'quiet')
  assert.deepEqual(told(), ['quiet debug', 'quiet info'])
  const again = createTopicLogger(log, 'quiet', 'warn')
  assert.equal(again.level, 'debug', 'what was set while it runs goes before the configuration')
})

it('a pretty log is not JSON', () => {
  const { log, text } = captured('info', true)
  log.info({ rows: 3 }, 'Committed')
  assert.match(text(), /INFO.*Committed/)
  assert.throws(() => lineOf(text()))
})

it('the topic of a logger is in a line once, also when the line names it', () => {
  const { log, text } = captured()
  createTopicLogger(log, 'orders', undefined)
    .child({ part: 'source' })
    .info({ topic: 'orders', rows: 3 }, 'Read')
  assert.equal(text().split('"topic"').length, 2, text())
  assert.equal(lineOf(text())['topic'], 'orders')
  assert.equal(lineOf(text())['rows'], 3)
})

it('a line about another topic names that one', () => {
  const { log, text } = captured()
  log.info({ topic: 'payments' }, 'Read')
  assert.equal(lineOf(text())['topic'], 'payments')
})
