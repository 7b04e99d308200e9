import { hostname } from 'node:os'
import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node'
import { systemClock, type Clock } from '../core/clock.ts'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Tracing of this process. */
export interface Telemetry {
  /** Whether spans go anywhere: what is only collected for them need not be collected otherwise. */
  readonly enabled: boolean
  /** Sends what is waiting, for at most `SHUTDOWN_MS_MAX`; afterwards spans go nowhere. Never rejects. */
  shutdown(): Promise<void>
}

/** A collector that does not answer must not hold up the end of the process. */
export const SHUTDOWN_MS_MAX = 2_000

// One flush makes up to 1,600 spans; beyond this many waiting ones the SDK drops.
const SPANS_WAITING_MAX = 8_192

/**
 * Sets tracing up as the standard `OTEL_*` variables say: spans go out by OTLP over HTTP when an endpoint is named
 * (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) or `OTEL_TRACES_EXPORTER` is `otlp`, unless
 * `OTEL_SDK_DISABLED` is `true` or `OTEL_TRACES_EXPORTER` is `none`. Sampler, headers, resource attributes and limits
 * are read by the SDK from the process's own environment. Failures to send are told to `warn`.
 */
export function startTelemetry(
  env: Environment,
  warn: (message: string) => void = () => undefined,
  clock: Clock = systemClock,
): Telemetry {
  const url = endpointOf(env)
  if (url === undefined) return { enabled: false, shutdown: () => Promise.resolve() }
  diag.setLogger(
    { error: warn, warn, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
  const protocol =
    env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? 'http/json'
  if (!protocol.startsWith('http/'))
    warn(`OTLP over ${protocol} is not supported; spans go over HTTP to ${url}`)
  const queue = Number(env['OTEL_BSP_MAX_QUEUE_SIZE'])
  return telemetryWith(
    new BatchSpanProcessor(new OTLPTraceExporter({ url }), {
      maxQueueSize: Number.isInteger(queue) && queue > 0 ? queue : SPANS_WAITING_MAX,
    }),
    warn,
    clock,
  )
}

/** Tracing into any processor: what `startTelemetry` does once it knows where spans go. */
export function telemetryWith(
  processor: SpanProcessor,
  warn: (message: string) => void = () => undefined,
  clock: Clock = systemClock,
): Telemetry {
  // No detector of the process: its command line may hold secrets.
  const detected = detectResources({ detectors: [serviceInstanceIdDetector, envDetector] })
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'kafka-delta', 'host.name': hostname() }))
      .merge(detected),
    spanProcessors: [processor],
  })
  provider.register()
  return {
    enabled: true,
    shutdown: async () => {
      const timeUp = new AbortController()
      const sent = provider.shutdown().catch((error: unknown) => {
        warn(`Spans were not sent: ${String(error)}`)
      })
      const late = clock.sleep(SHUTDOWN_MS_MAX, timeUp.signal).then(
        () => {
          warn(`Spans were not sent within ${SHUTDOWN_MS_MAX} ms`)
        },
        // Aborted, because everything was sent in time.
        nothing,
      )
      await Promise.race([sent, late])
      timeUp.abort()
      trace.disable()
      context.disable()
      propagation.disable()
      diag.disable()
    },
  }
}

function endpointOf(env: Environment): string | undefined {
  const exporter = env['OTEL_TRACES_EXPORTER'] ?? ''
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || exporter === 'none') return undefined
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? ''
  if (own !== '') return own
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''
  if (base === '' && exporter !== 'otlp') return undefined
  return `${(base === '' ? 'http://localhost:4318' : base).replace(/\/+$/, '')}/v1/traces`
}

function nothing(): void {
  // Nobody listens.
}
