// Goal: one trace for each flush arrives at a collector, with every stage, times that nest and links to producers.
// Method: a collector of our own takes the OTLP requests of a real run. `npm run test:jaeger` shows the same to a real Jaeger.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { kafkaForTests, nameForTests, s3ForTests } from '../support/servers/servers.ts'
import { carry } from './support/carry.ts'
import { assertFlushTraces, assertPuts, type SpanSeen } from './support/spans.ts'

interface Value {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
  readonly boolValue?: boolean
}

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Value }[]
  readonly links?: readonly unknown[]
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[]
  }[]
}

test('each flush arrives at the collector as one whole trace, and what was counted at the end', async () => {
  const spans: SpanSeen[] = []
  const metrics: string[] = []
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      if (request.url === '/v1/traces') spans.push(...spansOf(JSON.parse(body) as OtlpRequest))
      else metrics.push(body)
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((done) => collector.listen(0, '127.0.0.1', done))
  const { port } = collector.address() as AddressInfo
  const folder = await mkdtemp(join(tmpdir(), 'trace-'))
  try {
    const s3 = await s3ForTests()
    const topic = nameForTests('trace')
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      LOG_LEVEL: 'debug',
      AWS_S3_ENDPOINT: s3.endpoint,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    }
    const uri = `s3://${s3.bucket}/${topic}`
    const storage = { s3: { forcePathStyle: true } }
    const { lines } = await carry({
      brokers: await kafkaForTests(),
      topic,
      uri,
      folder,
      records: 6_000,
      badEvery: 1_000,
      flushCount: 2_000,
      seed: 3,
      env,
      storage,
    })
    assertFlushTraces(spans, topic)
    assert.ok(!JSON.stringify([spans, metrics]).includes(s3.secretAccessKey), 'no secret in any span')
    assert.ok(metrics.at(-1)?.includes('kafka_delta.records'), 'what was counted arrives at the end')
    assertPuts(spans)
    assertLinesTell(lines, spans, topic)
    const letters = spans.filter((span) => span.name === `send ${topic}-dlq`)
    assert.ok(letters.length > 0, 'dead letters were sent')
  } finally {
    collector.close()
    await rm(folder, { recursive: true, force: true })
  }
})

/** Asserts that lines about a flush name it and its trace. */
function assertLinesTell(lines: readonly string[], spans: readonly SpanSeen[], topic: string): void {
  const flushes = new Map(
    spans
      .filter(({ name }) => name === `process ${topic}`)
      .map(({ traceId, attributes }) => [traceId, attributes['kafka_delta.flush']]),
  )
  const logged = lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  for (const msg of ['Flush committed', 'Writing dead letters']) {
    const found = logged.filter((line) => line['msg'] === msg)
    assert.ok(found.length > 0, `${msg} is in the log`)
    for (const line of found) assert.equal(line['flush'], flushes.get(String(line['trace_id'])), msg)
    assert.ok(
      found.every((line) => line['flush'] !== undefined),
      `${msg}: with the flush`,
    )
  }
}

function spansOf(request: OtlpRequest): SpanSeen[] {
  return request.resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map((span) => ({
      traceId: span.traceId,
      spanId: span.spanId,
      parentId: span.parentSpanId === '' ? undefined : span.parentSpanId,
      name: span.name,
      startMicros: Number(BigInt(span.startTimeUnixNano) / 1000n),
      endMicros: Number(BigInt(span.endTimeUnixNano) / 1000n),
      attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, plain(value)])),
      links: span.links?.length ?? 0,
    }))
}

function plain({ stringValue, intValue, doubleValue, boolValue }: Value): unknown {
  return stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue) : Number(intValue))
}
