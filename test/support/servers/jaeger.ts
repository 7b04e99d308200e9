import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goProgram, type GoProgram } from './go.ts'
import { waitUntilConnectable, findFreePorts, startProcess } from '../../../src/local-servers/process.ts'

/** A running Jaeger that keeps its traces in memory. It dies with the process that started it. */
export interface JaegerServer {
  /** OTLP over HTTP: the value of `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly otlpEndpoint: string
  /** Query API: `<queryUrl>/api/traces?service=…`. */
  readonly queryUrl: string
  readonly logPath: string
  readonly pid: number
  stop(): Promise<void>
}

const GO_MISSING =
  'a real Jaeger is built with Go (1.24 or newer). Install it, or use Docker: `docker compose up jaeger`.'
const PROGRAM: GoProgram = {
  name: 'jaeger',
  files: ['go.mod', 'go.sum', 'tools.go'],
  source: 'github.com/jaegertracing/jaeger/cmd/all-in-one',
  buildMsMax: 30 * 60_000,
  missing: GO_MISSING,
}
const START_MS_MAX = 60_000

/**
 * Starts a real Jaeger (all-in-one: OTLP over HTTP in, query API out). The first call builds it from source, which
 * takes minutes; later ones take it from the cache.
 * @throws KD_PREREQUISITE_MISSING where Go is missing; KD_SERVER_FAILED with the last lines.
 */
export async function startJaeger(
  options: { readonly say?: (message: string) => void; readonly startMsMax?: number } = {},
): Promise<JaegerServer> {
  const program = await goProgram(PROGRAM, () =>
    options.say?.('Building Jaeger with Go (once, several minutes)'),
  )
  const dir = await mkdtemp(join(tmpdir(), 'kafka-delta-jaeger-'))
  const startMsMax = options.startMsMax ?? START_MS_MAX
  try {
    const ports = await findFreePorts(LISTENERS.length)
    const logPath = join(dir, 'jaeger.log')
    const server = await startProcess({
      name: 'Jaeger',
      command: program,
      args: LISTENERS.map((flag, index) => `--${flag}=127.0.0.1:${String(ports[index])}`),
      env: { COLLECTOR_OTLP_ENABLED: 'true', SPAN_STORAGE_TYPE: 'memory' },
      logPath,
      ready: /Health Check state change.*"ready"/,
      startMsMax,
      missing: GO_MISSING,
    })
    const [otlp, query] = ports
    if (otlp === undefined || query === undefined)
      throw new Error('Broken invariant: a port for each listener')
    await waitUntilConnectable('Jaeger', otlp, startMsMax)
    await waitUntilConnectable('Jaeger', query, startMsMax)
    return {
      otlpEndpoint: `http://127.0.0.1:${otlp}`,
      queryUrl: `http://127.0.0.1:${query}`,
      logPath,
      pid: server.pid,
      stop: async () => {
        await server.stop('SIGKILL')
        await rm(dir, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

/** Every listener gets a free port, so that several can run side by side. The first two are those we hand out. */
const LISTENERS = [
  'collector.otlp.http.host-port',
  'query.http-server.host-port',
  'collector.otlp.grpc.host-port',
  'collector.grpc-server.host-port',
  'collector.http-server.host-port',
  'query.grpc-server.host-port',
  'admin.http.host-port',
  'http-server.host-port',
  'processor.jaeger-binary.server-host-port',
  'processor.jaeger-compact.server-host-port',
  'processor.zipkin-compact.server-host-port',
]
