import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PipelineError } from '../../../src/core/errors.ts'
import { JAVA_MISSING, fetchJars, javaCommand } from '../../../src/local-servers/maven.ts'
import { waitUntilConnectable, startProcess } from '../../../src/local-servers/process.ts'

/** How an S3 server is started; nothing is needed. */
export interface S3Options {
  /** Data folder, kept by `stop`; a temporary one that `stop` removes where it is absent. */
  readonly dir?: string
  /** A free port of the loopback address where absent. */
  readonly port?: number
  /** The one bucket that exists at start; default `lake`. */
  readonly bucket?: string
  /** Told in words what takes time (the first fetch of the jar). */
  readonly say?: (message: string) => void
  /** How long the start may take, in milliseconds; default 60,000. */
  readonly startMsMax?: number
}

/** How to reach an S3 server. */
export interface S3Address {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly bucket: string
}

/** A running S3 server. It dies with the process that started it. */
export interface S3Server extends S3Address {
  readonly dir: string
  readonly logPath: string
  readonly pid: number
  /** Ends the server and removes its data unless `dir` was given. */
  stop(): Promise<void>
}

const START_MS_MAX = 60_000

/**
 * Starts a real S3 server (S3Proxy over a folder, no Docker) with new random keys; use it with path-style addresses.
 * Its put with `If-None-Match: *` is atomic; its `If-Match` is not.
 * @throws KD_PREREQUISITE_MISSING where Java or Maven is missing; KD_SERVER_FAILED with the last log lines.
 */
export async function startS3(options: S3Options = {}): Promise<S3Server> {
  const folder = await fetchJars('s3', options.say)
  const jar = (await readdir(folder)).find((name) => name.endsWith('.jar'))
  if (jar === undefined)
    throw new PipelineError('KD_SERVER_FAILED', 'Maven fetched no jar of the S3 server', { folder })
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'kafka-delta-s3-')))
  const remove = async (): Promise<void> => {
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
  }
  try {
    const bucket = options.bucket ?? 'lake'
    const accessKeyId = `test-${randomBytes(4).toString('hex')}`
    const secretAccessKey = randomBytes(20).toString('hex')
    const startMsMax = options.startMsMax ?? START_MS_MAX
    // A bucket is a folder below the base folder.
    await mkdir(join(dir, 'data', bucket), { recursive: true })
    const properties = join(dir, 's3proxy.conf')
    await writeFile(
      properties,
      settings(join(dir, 'data'), options.port ?? 0, accessKeyId, secretAccessKey),
      {
        mode: 0o600,
      },
    )
    const logPath = join(dir, 's3proxy.log')
    const server = await startProcess({
      name: 'S3Proxy',
      command: javaCommand(),
      args: ['-Xmx512m', '-XX:+UseSerialGC', '-jar', join(folder, jar), '--properties', properties],
      logPath,
      ready: /Started \S*ServerConnector@.*\{127\.0\.0\.1:(\d+)\}/,
      startMsMax,
      missing: JAVA_MISSING,
    })
    const port = Number(server.ready[1])
    await waitUntilConnectable('S3Proxy', port, startMsMax)
    return {
      endpoint: `http://127.0.0.1:${port}`,
      accessKeyId,
      secretAccessKey,
      region: 'us-east-1',
      bucket,
      dir,
      logPath,
      pid: server.pid,
      stop: async () => {
        await server.stop('SIGKILL')
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

function settings(base: string, port: number, identity: string, credential: string): string {
  const lines = [
    `s3proxy.endpoint=http://127.0.0.1:${port}`,
    's3proxy.authorization=aws-v2-or-v4',
    `s3proxy.identity=${identity}`,
    `s3proxy.credential=${credential}`,
    'jclouds.provider=filesystem-nio2',
    `jclouds.filesystem.basedir=${base}`,
  ]
  return `${lines.join('\n')}\n`
}
