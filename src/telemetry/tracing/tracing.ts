import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import type { TraceConfig } from '../../../config/logging/types.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { otlpEndpoint, createResource, awaitShutdown, type Environment } from '../otlp.ts'
import { samplerOf } from './sampler.ts'
import { TailSamplingProcessor, type TailSamplingOptions } from './tail-sampling.ts'

/** Controls the tracing of the process. */
export interface Telemetry {
  /** True if spans are exported; data that only spans use need not be collected otherwise. */
  readonly enabled: boolean
  /** Exports the waiting spans for at most `SHUTDOWN_MS_MAX` and turns tracing off. Never rejects. */
  shutdown(): Promise<void>
}

// A flush makes some hundred spans (thousands with many files), exported together when it ends; the SDK drops spans beyond this queue size.
const SPANS_WAITING_MAX = 16_384

/** Default duration above which a trace is slow. */
const SLOW_MS = 10_000

/**
 * Starts tracing by the standard `OTEL_*` variables: spans are exported by OTLP over HTTP if an endpoint is set
 * (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) or `OTEL_TRACES_EXPORTER` is `otlp`, unless
 * `OTEL_SDK_DISABLED` is `true` or `OTEL_TRACES_EXPORTER` is `none`. Failed and slow traces are always kept, others if
 * `OTEL_TRACES_SAMPLER` selects them. The SDK reads headers, resource attributes and limits from the environment of the
 * process. Export failures are reported to `warn`.
 */
export function startTelemetry(
  env: Environment,
  warn: (message: string) => void = () => undefined,
  clock: Clock = systemClock,
  { slowMs, hide }: TraceConfig & Pick<TailSamplingOptions, 'hide'> = { slowMs: SLOW_MS },
): Telemetry {
  const url = otlpEndpoint(env, 'traces')
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
  const sending = new BatchSpanProcessor(new OTLPTraceExporter({ url }), {
    maxQueueSize: Number.isInteger(queue) && queue > 0 ? queue : SPANS_WAITING_MAX,
  })
  const options = { slowMs, sampler: samplerOf(env, warn), ...(hide === undefined ? {} : { hide }) }
  return startTelemetryWith(new TailSamplingProcessor(sending, options), warn, clock)
}

/** Starts tracing into `processor`, with every span recorded. */
export function startTelemetryWith(
  processor: SpanProcessor,
  warn: (message: string) => void = () => undefined,
  clock: Clock = systemClock,
): Telemetry {
  const provider = new NodeTracerProvider({
    resource: createResource(),
    // The tail sampler decides which traces are kept when they end.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [processor],
  })
  provider.register()
  return {
    enabled: true,
    shutdown: async () => {
      await awaitShutdown(provider.shutdown(), 'Spans were not sent', warn, clock)
      trace.disable()
      context.disable()
      propagation.disable()
      diag.disable()
    },
  }
}

function nothing(): void {
  // These levels are not logged.
}
