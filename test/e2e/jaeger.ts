// Shows the traces of a real run to a real Jaeger and asks its query API: `npm run test:jaeger`. Needs Go, which builds Jaeger.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startJaeger } from '../support/servers/jaeger.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { startS3 } from '../support/servers/s3.ts'
import { carry } from './support/carry.ts'
import { assertFlushTraces, assertPuts, type SpanSeen } from './support/spans.ts'

interface JaegerSpan {
  readonly traceID: string
  readonly spanID: string
  readonly operationName: string
  readonly references: readonly {
    readonly refType: string
    readonly traceID: string
    readonly spanID: string
  }[]
  readonly startTime: number
  readonly duration: number
  readonly tags: readonly { readonly key: string; readonly value: unknown }[]
}

const say = (line: string): void => console.log(line)
const folder = await mkdtemp(join(tmpdir(), 'jaeger-'))
const [jaeger, kafka, s3] = await Promise.all([
  startJaeger({ say }),
  startKafka({ onProgress: say }),
  startS3({ say }),
])
try {
  const topic = 'traced'
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpEndpoint,
    OTEL_SERVICE_NAME: 'kafka-delta',
    AWS_S3_ENDPOINT: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
  await carry({
    brokers: kafka.brokers,
    topic,
    uri: `s3://${s3.bucket}/table`,
    storage: { s3: { forcePathStyle: true } },
    folder,
    records: 50_000,
    badEvery: 1_000,
    flushCount: 20_000,
    seed: 3,
    env,
  })
  const response = await fetch(`${jaeger.queryUrl}/api/traces?service=kafka-delta&limit=50`)
  const { data } = (await response.json()) as { data: readonly { readonly spans: readonly JaegerSpan[] }[] }
  const spans = data.flatMap((trace) => trace.spans).map(spanOf)
  assertFlushTraces(spans, topic)
  assertPuts(spans)
  const root = spans.find((span) => span.name === `process ${topic}`)
  const trace = spans
    .filter((span) => span.traceId === root?.traceId)
    .sort((a, b) => a.startMicros - b.startMicros)
  const ms = (span: SpanSeen): number => (span.endMicros - span.startMicros) / 1000
  const took = root === undefined ? 0 : ms(root)
  for (const name of new Set(trace.map((span) => span.name))) {
    const named = trace.filter((span) => span.name === name)
    const sum = named.reduce((all, span) => all + ms(span), 0)
    say(`${name.padEnd(16)} ${String(named.length).padStart(4)} spans ${sum.toFixed(1).padStart(9)} ms`)
  }
  const stages = Object.entries(root?.attributes ?? {}).filter(([key]) => key.startsWith('kafka_delta.ms.'))
  for (const [key, each] of stages) say(`${key.padEnd(30)} ${Number(each).toFixed(1).padStart(9)} ms`)
  const sum = stages.reduce((all, [, each]) => all + Number(each), 0)
  say(`${'the stages together'.padEnd(30)} ${sum.toFixed(1).padStart(9)} of ${took.toFixed(1)} ms`)
  say(`${data.length} traces, all whole; the first root has ${root?.links ?? 0} links`)
} finally {
  await Promise.all([jaeger.stop(), kafka.stop(), s3.stop()])
  await rm(folder, { recursive: true, force: true })
}

function spanOf(span: JaegerSpan): SpanSeen {
  const parent = span.references.find((reference) => reference.refType === 'CHILD_OF')
  return {
    traceId: span.traceID,
    spanId: span.spanID,
    parentId: parent?.spanID,
    name: span.operationName,
    startMicros: span.startTime,
    endMicros: span.startTime + span.duration,
    attributes: Object.fromEntries(span.tags.map(({ key, value }) => [key, value])),
    links: span.references.length - (parent === undefined ? 0 : 1),
  }
}
