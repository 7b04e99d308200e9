import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { it } from 'node:test'
import { ROOT_CONTEXT } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { loadConfig } from '../../config/load.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { inSpan } from '../../src/core/span.ts'
import { createLogger, type Logger } from '../../src/telemetry/log.ts'
import { telemetryWith } from '../../src/telemetry/tracing.ts'

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

it('what is below the level is not written', () => {
  const { log, text } = captured('warn')
  log.info('quiet')
  assert.equal(text(), '')
})

it('offsets, which are bigint, are written', () => {
  const { log, text } = captured()
  log.info({ offset: 9_007_199_254_740_993n }, 'at')
  assert.match(text(), /"offset":9007199254740993\b/)
})

it('secrets are hidden wherever they stand', () => {
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

it('a line within a span carries its ids, one outside none', async () => {
  const telemetry = telemetryWith(new SimpleSpanProcessor(new InMemorySpanExporter()))
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

it('for people it is no JSON', () => {
  const { log, text } = captured('info', true)
  log.info({ rows: 3 }, 'Committed')
  assert.match(text(), /INFO.*Committed/)
  assert.throws(() => lineOf(text()))
})
