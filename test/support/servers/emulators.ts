import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureCached } from '../../../src/local-servers/cache.ts'
import {
  findFreePorts,
  runProgram,
  startProcess,
  type ServerCommand,
  type ServerProcess,
} from '../../../src/local-servers/process.ts'

/** A server of the run that keeps everything in memory. */
export interface Emulator<T> {
  /** How to reach it; JSON. */
  readonly address: T
  readonly pid: number
  /** Its log only. */
  readonly dir: string
  stop(): Promise<void>
}

/** How to reach DynamoDB; the table `delta_log` is there. */
export interface DynamoAddress {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly table: string
}

/** How to reach Blob Storage; the container is there. */
export interface AzureAddress {
  /** With the account in its path. */
  readonly endpoint: string
  readonly accountName: string
  readonly accountKey: string
  readonly container: string
}

/** How to reach Cloud Storage, without credentials; the bucket is there. */
export interface GcsAddress {
  readonly endpoint: string
  readonly bucket: string
}

const START_MS_MAX = 60_000
/** A server of Cloud Storage whose conditional puts are atomic; those of npm, PyPI and Maven know no conditions. */
const GCS_VERSION = 'v1.56.1'
const GCS_MODULE = `github.com/fsouza/fake-gcs-server@${GCS_VERSION}`
const GO_MISSING =
  'a server for Google Cloud Storage is built with Go (1.24 or newer), which is not installed'
const BUILD_MS_MAX = 15 * 60_000
const MISSING = 'the packages for tests are not installed: run `npm ci`'

/** Starts a DynamoDB server and creates the table that Delta engines share. @throws KD_SERVER_FAILED */
export async function startDynamo(): Promise<Emulator<DynamoAddress>> {
  const [port] = await findFreePorts(1)
  const script = createRequire(import.meta.url).resolve('dynalite/cli.js')
  const args = [script, '--host', '127.0.0.1', '--port', String(port), '--createTableMs', '0']
  const { dir, server } = await startNode('Dynalite', args, /Dynalite listening/)
  const address = {
    endpoint: `http://127.0.0.1:${String(port)}`,
    region: 'us-east-1',
    accessKeyId: `test-${randomBytes(4).toString('hex')}`,
    secretAccessKey: randomBytes(20).toString('hex'),
    table: 'delta_log',
  }
  const emulator = emulatorOf(dir, server, address)
  try {
    await createLogTable(address)
    return emulator
  } catch (error) {
    await emulator.stop()
    throw error
  }
}

/** Starts Microsoft's Blob server with an account of its own and creates a container. @throws KD_SERVER_FAILED */
export async function startAzure(): Promise<Emulator<AzureAddress>> {
  const script = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const accountName = `test${randomBytes(4).toString('hex')}`
  const accountKey = randomBytes(64).toString('base64')
  const { dir, server } = await startNode(
    'Azurite',
    [
      script,
      '--inMemoryPersistence',
      '--skipApiVersionCheck',
      '--disableTelemetry',
      '--silent',
      '--blobHost',
      '127.0.0.1',
      '--blobPort',
      '0',
    ],
    /successfully listens on http:\/\/127\.0\.0\.1:(\d+)/,
    { AZURITE_ACCOUNTS: `${accountName}:${accountKey}` },
  )
  const endpoint = `http://127.0.0.1:${String(server.ready[1])}/${accountName}`
  const address = { endpoint, accountName, accountKey, container: 'lake' }
  const emulator = emulatorOf(dir, server, address)
  try {
    const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob')
    const credential = new StorageSharedKeyCredential(accountName, accountKey)
    await new BlobServiceClient(endpoint, credential).createContainer(address.container)
    return emulator
  } catch (error) {
    await emulator.stop()
    throw error
  }
}

/**
 * Starts a server of Cloud Storage and creates a bucket. The first call builds it with Go, which takes a minute or two;
 * later ones take it from the cache.
 * @throws KD_PREREQUISITE_MISSING where Go is missing; KD_SERVER_FAILED
 */
export async function startGcs(say: (message: string) => void = () => {}): Promise<Emulator<GcsAddress>> {
  await runProgram('go', ['version'], { missing: GO_MISSING, runMsMax: START_MS_MAX })
  const folder = await ensureCached(`fake-gcs-server-${GCS_VERSION}`, [], async (target) => {
    say('Building a server for Google Cloud Storage with Go (once, a minute or two)')
    const env = { GOBIN: target, CGO_ENABLED: '0', GOFLAGS: '-trimpath' }
    await runProgram('go', ['install', GCS_MODULE], {
      env,
      missing: GO_MISSING,
      runMsMax: BUILD_MS_MAX,
      cwd: tmpdir(),
    })
  })
  const [port] = await findFreePorts(1)
  const endpoint = `http://127.0.0.1:${String(port)}`
  const args = ['-backend', 'memory', '-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)]
  const { dir, server } = await start({
    name: 'fake-gcs-server',
    command: join(folder, 'fake-gcs-server'),
    args: [...args, '-external-url', endpoint],
    ready: /server started at/,
    missing: GO_MISSING,
  })
  const emulator = emulatorOf(dir, server, { endpoint, bucket: 'lake' })
  try {
    const answer = await fetch(`${endpoint}/storage/v1/b?project=test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'lake' }),
    })
    if (!answer.ok) throw new Error(`The server made no bucket: HTTP ${answer.status}`)
    return emulator
  } catch (error) {
    await emulator.stop()
    throw error
  }
}

function startNode(
  name: string,
  args: readonly string[],
  ready: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<{ dir: string; server: ServerProcess }> {
  return start({ name, command: process.execPath, args, ready, env, missing: MISSING })
}

async function start(
  command: Omit<ServerCommand, 'logPath' | 'startMsMax'>,
): Promise<{ dir: string; server: ServerProcess }> {
  const dir = await mkdtemp(join(tmpdir(), `kafka-delta-${command.name.toLowerCase()}-`))
  try {
    const logPath = join(dir, 'server.log')
    return { dir, server: await startProcess({ ...command, logPath, startMsMax: START_MS_MAX }) }
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

function emulatorOf<T>(dir: string, server: ServerProcess, address: T): Emulator<T> {
  return {
    address,
    pid: server.pid,
    dir,
    stop: async () => {
      await server.stop('SIGKILL')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function createLogTable({
  table,
  accessKeyId,
  secretAccessKey,
  ...where
}: DynamoAddress): Promise<void> {
  const client = new DynamoDBClient({ ...where, credentials: { accessKeyId, secretAccessKey } })
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'tablePath', AttributeType: 'S' },
        { AttributeName: 'fileName', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'tablePath', KeyType: 'HASH' },
        { AttributeName: 'fileName', KeyType: 'RANGE' },
      ],
    }),
  )
  client.destroy()
}
