import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import { redact } from '../../../config/load/redact.ts'
import type { Config } from '../../../config/types.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { PACKAGE_VERSION } from '../../delta/protocol/engine.ts'
import type { LogLevels } from '../../telemetry/log-levels.ts'
import type { Logger } from '../../telemetry/log.ts'
import { consolePage } from '../../console/console-page.ts'
import { addAdminRoutes } from './admin.ts'
import { addConsoleRoutes, type SnapshotSource } from './console-routes.ts'
import { createReadGuard } from './read-guard.ts'
import { actuatorHealthOf, componentsOf } from '../health/components.ts'
import type { Health } from '../health/health.ts'
import type { BudgetUsage } from '../metrics/process-metrics.ts'
import { statusReportOf } from './status.ts'

/** Describes what the endpoints serve. */
interface EndpointOptions {
  readonly config: Config
  readonly health: Health
  /** Returns all metrics in the Prometheus text format. */
  readonly metrics: () => Promise<string>
  readonly log: Logger
  /** The byte budget that all topics of the process share, if any. */
  readonly budget?: (() => BudgetUsage | undefined) | undefined
  /** Log levels of the process and its topics. */
  readonly levels: LogLevels
  /** Snapshots of the console; without them there is no console. */
  readonly console?: SnapshotSource | undefined
  /** Returns the page of the console; by default that of the package. */
  readonly page?: (() => string | undefined) | undefined
}

/** Represents a running HTTP server. */
export interface Endpoints {
  /** Base URL: `http://host:port`. */
  readonly url: string
  close(): Promise<void>
}

const REQUEST_MS_MAX = 10_000
const CONNECTIONS_MAX = 100
const BODY_BYTES_MAX = 1024

/**
 * Starts the HTTP server for health, metrics and status at `http.host` and `http.port`, with the admin verbs when
 * `admin.enabled` is set. All other routes only read. Beyond the
 * loopback address, `/status`, `/config` and the data of the console need the admin token. No response contains a secret of the configuration.
 * @throws KD_CONFIG_INVALID when the address cannot be bound
 */
export async function startEndpoints(options: EndpointOptions): Promise<Endpoints> {
  const { config } = options
  const { host, port = 0 } = config.http
  const server = fastify({
    requestTimeout: REQUEST_MS_MAX,
    connectionTimeout: REQUEST_MS_MAX,
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
  })
  server.server.maxConnections = CONNECTIONS_MAX
  addRoutes(server, options)
  const { enabled, token } = config.admin
  if (enabled && token !== undefined) addAdminRoutes(server, { ...options, token })
  try {
    return { url: await server.listen({ host, port }), close: () => server.close() }
  } catch (error) {
    await server.close()
    const detail = `http.host and http.port: expected an address to listen on, got: ${messageOf(error)}`
    throw new PipelineError('KD_CONFIG_INVALID', detail, { host, port }, { cause: error })
  }
}

function addRoutes(server: FastifyInstance, options: EndpointOptions): void {
  const { config, health, metrics, budget } = options
  const shown = redact(config)
  const scrape = async (_: unknown, reply: FastifyReply): Promise<string> => {
    void reply.type('text/plain; version=0.0.4; charset=utf-8')
    return metrics()
  }
  // Any response proves that the event loop runs.
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/readyz', (_, reply) => {
    void reply.code(health.isReady ? 200 : 503)
    return { status: health.readiness, components: componentsOf(health) }
  })
  server.get('/metrics', scrape)
  const onRequest = createReadGuard(config)
  if (options.console !== undefined)
    addConsoleRoutes(server, { source: options.console, page: options.page ?? consolePage, onRequest })
  server.get('/status', { onRequest }, () => statusReportOf(health, budget?.()))
  server.get('/config', { onRequest }, () => shown)
  server.get('/version', () => ({ name: 'kafka-delta', version: PACKAGE_VERSION, node: process.version }))
  // Paths that Spring Boot services use.
  server.get('/actuator/health', (_, reply) => {
    void reply.code(health.isReady ? 200 : 503)
    return actuatorHealthOf(health)
  })
  server.get('/actuator/prometheus', scrape)
  server.get('/actuator/metrics', async () => {
    const names = [...(await metrics()).matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name)
    return { names }
  })
  server.get('/actuator/info', () => ({ build: { name: 'kafka-delta', version: PACKAGE_VERSION } }))
}
