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

/** Holds environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Maximum time that a collector which does not answer delays the end of the process, in milliseconds. */
const SHUTDOWN_MS_MAX = 2_000

/**
 * Returns the OTLP over HTTP endpoint of a signal by the standard `OTEL_*` variables, or `undefined` if it is not exported.
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

/** Creates the resource from `OTEL_SERVICE_NAME` (default `kafka-delta`) and `OTEL_RESOURCE_ATTRIBUTES`. */
export function createResource(): Resource {
  // Without the process detector: the command line may contain secrets.
  const detected = detectResources({ detectors: [serviceInstanceIdDetector, envDetector] })
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'kafka-delta', 'host.name': hostname() }))
    .merge(detected)
}

/** Waits for `sending` for at most `SHUTDOWN_MS_MAX` and reports failures to `warn`. Never rejects. */
export async function awaitShutdown(
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
      // The timer was aborted because everything was sent in time.
    },
  )
  await Promise.race([sent, late])
  timeUp.abort()
}
