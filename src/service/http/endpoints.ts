import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import { redact } from '../../../config/load/redact.ts'
import type { Config } from '../../../config/types.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { VERSION } from '../../delta/protocol/engine.ts'
import type { LogLevels } from '../../telemetry/log-levels.ts'
import type { Logger } from '../../telemetry/log.ts'
import { addAdmin } from './admin.ts'
import { actuatorHealthOf, componentsOf } from '../health/components.ts'
import type { Health } from '../health/health.ts'
import type { BudgetStanding } from '../metrics/process-metrics.ts'
import { statusOf } from './status.ts'

/** What the endpoints tell. */
export interface EndpointParts {
  readonly config: Config
  readonly health: Health
  /** All metrics in the text form of Prometheus. */
  readonly metrics: () => Promise<string>
  readonly log: Logger
  /** Of all topics of the process, where they share one. */
  readonly budget?: (() => BudgetStanding | undefined) | undefined
  /** Those of the log. */
  readonly levels: LogLevels
}

/** Endpoints that are there. */
export interface Endpoints {
  /** `http://host:port`. */
  readonly url: string
  close(): Promise<void>
}

const REQUEST_MS_MAX = 10_000
const CONNECTIONS_MAX = 100
const BODY_BYTES_MAX = 1024

/**
 * Listens for questions about health, metrics and status at `http.host` and `http.port`, and for verbs where `admin.enabled`
 * is set; nothing else changes anything. No answer holds a secret of the configuration.
 * @throws KD_CONFIG_INVALID where the address cannot be had
 */
export async function startEndpoints(parts: EndpointParts): Promise<Endpoints> {
  const { config } = parts
  const { host, port = 0 } = config.http
  const server = fastify({
    requestTimeout: REQUEST_MS_MAX,
    connectionTimeout: REQUEST_MS_MAX,
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
  })
  server.server.maxConnections = CONNECTIONS_MAX
  addRoutes(server, parts)
  const { enabled, token } = config.admin
  if (enabled && token !== undefined) addAdmin(server, { ...parts, token })
  try {
    return { url: await server.listen({ host, port }), close: () => server.close() }
  } catch (error) {
    await server.close()
    const detail = `http.host and http.port: expected an address to listen at, got: ${messageOf(error)}`
    throw new PipelineError('KD_CONFIG_INVALID', detail, { host, port }, { cause: error })
  }
}

function addRoutes(server: FastifyInstance, { config, health, metrics, budget }: EndpointParts): void {
  const shown = redact(config)
  const scrape = async (_: unknown, reply: FastifyReply): Promise<string> => {
    void reply.type('text/plain; version=0.0.4; charset=utf-8')
    return metrics()
  }
  // That it answers at all says that the event loop turns.
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/readyz', (_, reply) => {
    void reply.code(health.isReady ? 200 : 503)
    return { status: health.readiness, components: componentsOf(health) }
  })
  server.get('/metrics', scrape)
  server.get('/status', () => statusOf(health, budget?.(), Date.now()))
  server.get('/config', () => shown)
  server.get('/version', () => ({ name: 'kafka-delta', version: VERSION, node: process.version }))
  // As services of another world are asked.
  server.get('/actuator/health', (_, reply) => {
    void reply.code(health.isReady ? 200 : 503)
    return actuatorHealthOf(health)
  })
  server.get('/actuator/prometheus', scrape)
  server.get('/actuator/metrics', async () => {
    const names = [...(await metrics()).matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name)
    return { names }
  })
  server.get('/actuator/info', () => ({ build: { name: 'kafka-delta', version: VERSION } }))
}
