import { hostname } from 'node:os'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  type Resource,
} from '@opentelemetry/resources'
import { systemClock, type Clock } from '../core/clock.ts'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A collector that does not answer must not hold up the end of the process. */
export const SHUTDOWN_MS_MAX = 2_000

/**
 * Where signals of a kind go by OTLP over HTTP, as the standard `OTEL_*` variables say; `undefined` where they go nowhere.
 */
export function otlpEndpoint(env: Environment, signal: 'traces' | 'metrics'): string | undefined {
  const upper = signal.toUpperCase()
  const exporter = env[`OTEL_${upper}_EXPORTER`] ?? ''
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || exporter === 'none') return undefined
  const own = env[`OTEL_EXPORTER_OTLP_${upper}_ENDPOINT`] ?? ''
  if (own !== '') return own
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''
  if (base === '' && exporter !== 'otlp') return undefined
  return `${(base === '' ? 'http://localhost:4318' : base).replace(/\/+$/, '')}/v1/${signal}`
}

/** Who sends: by `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, `kafka-delta` by default. */
export function resourceOf(): Resource {
  // No detector of the process: its command line may hold secrets.
  const detected = detectResources({ detectors: [serviceInstanceIdDetector, envDetector] })
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'kafka-delta', 'host.name': hostname() }))
    .merge(detected)
}

/** Waits for `sending`, for at most `SHUTDOWN_MS_MAX`; what went wrong is told. Never rejects. */
export async function within(
  sending: Promise<void>,
  failure: string,
  warn: (message: string) => void,
  clock: Clock = systemClock,
): Promise<void> {
  const timeUp = new AbortController()
  const sent = sending.catch((error: unknown) => {
    warn(`${failure}: ${String(error)}`)
  })
  const late = clock.sleep(SHUTDOWN_MS_MAX, timeUp.signal).then(
    () => {
      warn(`${failure} within ${SHUTDOWN_MS_MAX} ms`)
    },
    () => {
      // Aborted, because everything was sent in time.
    },
  )
  await Promise.race([sent, late])
  timeUp.abort()
}
