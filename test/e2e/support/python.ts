import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

/** Readers that we did not write, in versions that work together. */
const PACKAGES = [
  'deltalake==1.6.6',
  'pyarrow==26.0.1',
  'duckdb==1.5.5',
  'duckdb-extension-delta==1.5.5',
  'pytz==2026.2',
]

/** The last delta-rs that agrees upon commits in DynamoDB. */
const PACKAGES_OF_DYNAMODB = ['deltalake==1.5.1', 'pyarrow==26.0.1']

/** Confluent's client with its serializers, and all that they need. */
const PACKAGES_OF_PRODUCERS = [
  'confluent-kafka[avro,json,protobuf,schemaregistry]==2.16.0',
  'protobuf==7.36.2',
]

/** Whether there is a Python that can make an environment. */
export async function hasPython(): Promise<boolean> {
  return run('python3', ['-c', 'import venv, ensurepip']).then(
    () => true,
    () => false,
  )
}

/** The interpreter of an environment with the readers, made once and kept in the cache. */
export function pythonWithReaders(): Promise<string> {
  return pythonWith('readers', PACKAGES)
}

/** Likewise with a delta-rs that writes to S3 with DynamoDB. */
export function pythonWithDynamo(): Promise<string> {
  return pythonWith('dynamodb', PACKAGES_OF_DYNAMODB)
}

/** Likewise with Confluent's client, which frames messages as producers do. */
export function pythonWithProducers(): Promise<string> {
  return pythonWith('producers', PACKAGES_OF_PRODUCERS)
}

async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const cache = process.env['KAFKA_DELTA_CACHE'] ?? join(homedir(), '.cache', 'kafka-delta')
  const folder = join(
    cache,
    `${name}-${createHash('sha256').update(packages.join()).digest('hex').slice(0, 12)}`,
  )
  const python = join(folder, 'bin', 'python3')
  const ready = join(folder, 'ready')
  if (await exists(ready)) return python
  await rm(folder, { recursive: true, force: true })
  await mkdir(cache, { recursive: true })
  // An environment knows its own path, so it is made in place, and counts once the last step is done.
  await run('python3', ['-m', 'venv', folder])
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages])
  await mkdir(`${ready}.tmp`)
  await rename(`${ready}.tmp`, ready)
  return python
}

/** What a Python script prints, line by line. */
export async function pythonLines(
  python: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string[]> {
  const { stdout } = await run(python, [...args], {
    env: { ...process.env, ...env },
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  return stdout.split('\n').filter((line) => line !== '')
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
