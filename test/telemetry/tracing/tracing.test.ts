import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ROOT_CONTEXT } from '@opentelemetry/api'
import type { SpanProcessor } from '@opentelemetry/sdk-trace-node'
import { inSpan, isTracing } from '../../../src/core/stage/span.ts'
import { startTelemetry, startTelemetryWith } from '../../../src/telemetry/tracing/tracing.ts'

interface Received {
  readonly path: string
  readonly body: string
}

describe('a collector that answers', () => {
  let server: Server
  let endpoint = ''
  let received: Received[] = []

  beforeEach(async () => {
    received = []
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        received.push({ path: request.url ?? '', body })
        response.end('{}')
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => {
    server.close()
    server.closeAllConnections()
  })

  it('receives the spans by OTLP over HTTP, with the service name, at the latest at the end', async () => {
    const telemetry = startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/` })
    assert.equal(telemetry.enabled, true)
    inSpan(ROOT_CONTEXT, 'work', { rows: 1 }, () => undefined)
    await telemetry.shutdown()
    assert.equal(received.length, 1)
    assert.equal(received[0]?.path, '/v1/traces')
    const text = received[0].body
    assert.match(text, /"name":"work"/)
    assert.match(text, /"key":"service.name","value":\{"stringValue":"kafka-delta"\}/)
    assert.doesNotMatch(text, /command_args/)
    assert.equal(isTracing(), false)
  })

  it('the endpoint of traces is used unchanged', async () => {
    const telemetry = startTelemetry({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/mine`,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    })
    inSpan(ROOT_CONTEXT, 'work', {}, () => undefined)
    await telemetry.shutdown()
    assert.deepEqual(
      received.map(({ path }) => path),
      ['/mine'],
    )
  })
})

for (const [name, env] of [
  ['nothing is set', {}],
  ['the endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ['the SDK is disabled', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'true' }],
  ['the exporter is none', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_TRACES_EXPORTER: 'none' }],
] as const) {
  it(`tracing is off when ${name}`, async () => {
    const telemetry = startTelemetry(env)
    assert.equal(telemetry.enabled, false)
    assert.equal(isTracing(), false)
    await telemetry.shutdown()
  })
}

it('OTEL_TRACES_EXPORTER=otlp alone is enough', async () => {
  const telemetry = startTelemetry({ OTEL_TRACES_EXPORTER: 'otlp' })
  assert.equal(telemetry.enabled, true)
  await telemetry.shutdown()
})

it('an unsupported protocol is reported', async () => {
  const told: string[] = []
  const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }
  await startTelemetry(env, (message) => told.push(message)).shutdown()
  assert.match(told.join('\n'), /OTLP over grpc is not supported/)
})

function processor(shutdown: () => Promise<void>): SpanProcessor {
  return {
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown,
  }
}

it('a collector that never answers does not delay the end', async () => {
  const told: string[] = []
  const clock = { now: () => 0, sleep: () => Promise.resolve() }
  const stuck = processor(() => new Promise(() => undefined))
  await startTelemetryWith(stuck, (message) => told.push(message), clock).shutdown()
  assert.deepEqual(told, ['Spans were not sent within 2000 ms'])
  assert.equal(isTracing(), false)
})

it('a collector that refuses is reported and does not fail the end', async () => {
  const told: string[] = []
  const refusing = processor(() => Promise.reject(new Error('refused')))
  await startTelemetryWith(refusing, (message) => told.push(message)).shutdown()
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /Spans were not sent: .*refused/)
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}
