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
import { otlpEndpoint, resourceOf, within, type Environment } from '../otlp.ts'
import { samplerOf } from './sampler.ts'
import { TailProcessor, type TailOptions } from './tail.ts'

/** Tracing of this process. */
export interface Telemetry {
  /** Whether spans go anywhere: what is only collected for them need not be collected otherwise. */
  readonly enabled: boolean
  /** Sends what is waiting, for at most `SHUTDOWN_MS_MAX`; afterwards spans go nowhere. Never rejects. */
  shutdown(): Promise<void>
}

// One flush makes some hundred spans, of many files thousands, which leave at once when it ends; beyond this many waiting ones the SDK drops.
const SPANS_WAITING_MAX = 16_384

/** A flush that takes longer is slow, where nobody says more. */
const SLOW_MS = 10_000

/**
 * Sets tracing up as the standard `OTEL_*` variables say: spans go out by OTLP over HTTP when an endpoint is named
 * (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) or `OTEL_TRACES_EXPORTER` is `otlp`, unless
 * `OTEL_SDK_DISABLED` is `true` or `OTEL_TRACES_EXPORTER` is `none`. Traces that failed or were slow are kept, and of the
 * rest those that `OTEL_TRACES_SAMPLER` picks. Headers, resource attributes and limits are read by the SDK from the
 * process's own environment. Failures to send are told to `warn`.
 */
export function startTelemetry(
  env: Environment,
  warn: (message: string) => void = () => undefined,
  clock: Clock = systemClock,
  { slowMs, hide }: TraceConfig & Pick<TailOptions, 'hide'> = { slowMs: SLOW_MS },
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
  return telemetryWith(new TailProcessor(sending, options), warn, clock)
}

/** Tracing of everything into any processor: what `startTelemetry` does once it knows where spans go. */
export function telemetryWith(
  processor: SpanProcessor,
  warn: (message: string) => void = () => undefined,
  clock: Clock = systemClock,
): Telemetry {
  const provider = new NodeTracerProvider({
    resource: resourceOf(),
    // Which traces are kept is decided when they end.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [processor],
  })
  provider.register()
  return {
    enabled: true,
    shutdown: async () => {
      await within(provider.shutdown(), 'Spans were not sent', warn, clock)
      trace.disable()
      context.disable()
      propagation.disable()
      diag.disable()
    },
  }
}

function nothing(): void {
  // Nobody listens.
}
