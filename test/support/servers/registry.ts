import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goProgram, type GoProgram } from './go.ts'
import { waitUntilConnectable, findFreePorts, startProcess } from '../../../src/local-servers/process.ts'

/** A running schema registry that keeps its schemas in memory. It dies with the process that started it. */
export interface RegistryServer {
  readonly url: string
  readonly port: number
  /** Ends it; its schemas are gone. */
  stop(): Promise<void>
}

/** How a registry is started; nothing is needed. */
export interface RegistryServerOptions {
  /** Asks for basic authentication. */
  readonly login?: { readonly username: string; readonly password: string }
  /** A free port where absent. */
  readonly port?: number
  readonly say?: (message: string) => void
}

const GO_MISSING = 'a real schema registry is built with Go (1.26 or newer). Install it.'
const PROGRAM: GoProgram = {
  name: 'registry',
  files: ['go.mod', 'go.sum', 'main.go'],
  source: '.',
  buildMsMax: 10 * 60_000,
  missing: GO_MISSING,
}
const START_MS_MAX = 60_000

/**
 * Starts a registry with Confluent's REST API. The first call builds it from source, which takes seconds; later ones take
 * it from the cache.
 * @throws KD_PREREQUISITE_MISSING where Go is missing; KD_SERVER_FAILED with the last lines
 */
export async function startRegistry(options: RegistryServerOptions = {}): Promise<RegistryServer> {
  const program = await goProgram(PROGRAM, () => options.say?.('Building the schema registry with Go (once)'))
  const dir = await mkdtemp(join(tmpdir(), 'kafka-delta-registry-'))
  try {
    const port = options.port ?? (await findFreePorts(1))[0] ?? 0
    const { login } = options
    const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
    const server = await startProcess({
      name: 'The schema registry',
      command: program,
      args: [`127.0.0.1:${port}`, ...(basic === undefined ? [] : [basic])],
      logPath: join(dir, 'registry.log'),
      ready: /schema registry on/,
      startMsMax: START_MS_MAX,
      missing: GO_MISSING,
    })
    await waitUntilConnectable('The schema registry', port, START_MS_MAX)
    return {
      url: `http://127.0.0.1:${port}`,
      port,
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
