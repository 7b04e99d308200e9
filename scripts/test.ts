// Runs the tests against real servers that it starts: `npm test`, or `npm test -- test/storage` for some of
// them.
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../src/core/errors.ts'
import { startKafka } from '../src/local-servers/kafka.ts'
import { runProgram } from '../src/local-servers/process.ts'
import { startS3, type S3Server } from '../test/support/servers/s3.ts'
import { findChromium } from '../test/console/page/support/browser.ts'
import { hasPython } from '../test/e2e/support/python.ts'
import { startAzure, startDynamo, startGcs, type Emulator } from '../test/support/servers/emulators.ts'
import { isMissingOnly } from '../test/support/servers/servers.ts'
import {
  AZURE_VARIABLE,
  BROKERS_VARIABLE,
  DYNAMO_VARIABLE,
  GCS_VARIABLE,
  S3_VARIABLE,
} from '../test/support/servers/variables.ts'
import { runSuite } from './run-tests.ts'

process.exitCode = await runSuite(
  {
    folders: ['test', 'operators'],
    without: ['test/interop', ...(await testsWithoutPrograms())],
    start: startServers,
  },
  process.argv.slice(2),
)

/**
 * Returns optional programs, which are required only in CI, and the calls that identify test files that
 * require them.
 */
function optionalPrograms(): readonly {
  command: string
  args: string[]
  missing: string
  calls: readonly string[]
}[] {
  return [
    {
      command: 'go',
      args: ['version'],
      missing:
        'a schema registry and the tools that read manifests and compose files are built with Go, which is not installed',
      calls: ['startRegistry(', 'checkCompose(', 'manifestTools('],
    },
    {
      command: 'promtool',
      args: ['--version'],
      missing: 'Prometheus with promtool is not installed',
      calls: ['startPrometheus(', 'promtool('],
    },
    {
      command: findChromium() ?? 'chromium',
      args: ['--version'],
      missing: 'Chromium, in which the console is tested, is not installed',
      calls: ['openBrowser('],
    },
    {
      command: 'kcat',
      args: ['-V'],
      missing: 'kcat, a client of Kafka on librdkafka, is not installed',
      calls: ['kcat(', 'kcat.test.ts'],
    },
  ]
}

/** Returns the test files that require a missing optional program. */
async function testsWithoutPrograms(): Promise<readonly string[]> {
  const names = (await readdir('test', { recursive: true })).filter((name) => name.endsWith('.test.ts'))
  const files = names.map((name) => join('test', name))
  const without: string[] = []
  for (const { command, args, missing, calls } of optionalPrograms())
    try {
      await runProgram(command, args, { missing, runMsMax: 60_000 })
    } catch (error) {
      // In CI these tests run and fail with the reason.
      if (!isMissingOnly(error)) continue
      const needing = files.filter((file) => {
        const text = readFileSync(file, 'utf8')
        return calls.some((call) => text.includes(call))
      })
      console.log(`Skipping ${needing.join(', ')}: ${messageOf(error)}`)
      without.push(...needing)
    }
  return without
}

/** Starts all servers that the environment does not name, and returns their addresses as environment variables. */
async function startServers(stops: (() => Promise<void>)[]): Promise<Record<string, string>> {
  const say = (message: string): void => {
    console.log(message)
  }
  if (!(await hasPython())) say('Skipping checks with other readers: Python 3 with venv is not installed')
  const starts: Readonly<Record<string, () => Promise<string>>> = {
    [BROKERS_VARIABLE]: async () => {
      const kafka = await startKafka({ onProgress: say })
      stops.push(() => kafka.stop())
      return kafka.brokers.join(',')
    },
    [S3_VARIABLE]: async () => {
      const s3 = await startS3({ say })
      stops.push(() => s3.stop())
      return JSON.stringify(addressOf(s3))
    },
    [DYNAMO_VARIABLE]: () => addressOfEmulator(startDynamo(), stops),
    [AZURE_VARIABLE]: () => addressOfEmulator(startAzure(), stops),
    [GCS_VARIABLE]: () =>
      addressOfEmulator(startGcs(say), stops).catch((error: unknown) => {
        if (!isMissingOnly(error)) throw error
        say(`Skipping tests of Google Cloud Storage: ${messageOf(error)}`)
        return ''
      }),
  }
  // Waits for all of them, so that started servers can be stopped if one fails to start.
  const started = await Promise.allSettled(
    Object.entries(starts).map(
      async ([name, start]) => [name, process.env[name] ?? (await start())] as const,
    ),
  )
  return Object.fromEntries(
    started.map((server) => {
      if (server.status === 'rejected') throw server.reason
      return server.value
    }),
  )
}

async function addressOfEmulator(
  starting: Promise<Emulator<object>>,
  stops: (() => Promise<void>)[],
): Promise<string> {
  const emulator = await starting
  stops.push(() => emulator.stop())
  return JSON.stringify(emulator.address)
}

function addressOf({ endpoint, accessKeyId, secretAccessKey, region, bucket }: S3Server): object {
  return { endpoint, accessKeyId, secretAccessKey, region, bucket }
}
