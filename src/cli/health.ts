import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadConfig } from '../../config/load/load.ts'
import { messageOf } from '../core/errors.ts'
import { EXIT } from '../service/process/exit-codes.ts'
import { endpointSourcesOf, urlOf } from './top/endpoint.ts'
import { print } from './output.ts'
import { addConfigOptions, type ConfigFlags } from './config-flags.ts'

interface HealthFlags extends ConfigFlags {
  readonly url?: string
  readonly ready?: true
  readonly timeoutMs: number
}

/** Holds the answer of a running service about its health. */
interface HealthAnswer {
  readonly ok: boolean
  /** Answer as one line of text, without a line break. */
  readonly text: string
}

const TIMEOUT_MS = 5_000
/** Docker keeps 4096 bytes of a health check, so the answer of a service with many topics is cut. */
const TEXT_LENGTH_MAX = 2_000

/**
 * Adds the command `health`, which queries a running service, for health checks in containers without a shell
 * or curl.
 */
export function addHealth(program: Command, finish: (exitCode: number) => void): void {
  addConfigOptions(program.command('health'), '<file...>')
    .description(
      'check whether a running service is alive, or with --ready whether its topics are making progress',
    )
    .addOption(
      new Option(
        '--url <url>',
        'base URL of the service (default: from http.host and http.port of the configuration)',
      ),
    )
    .addOption(new Option('--ready', 'query /readyz instead of /healthz'))
    .addOption(
      new Option('--timeout-ms <ms>', 'time to wait for the answer, in milliseconds')
        .argParser(parseMilliseconds)
        .default(TIMEOUT_MS),
    )
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta health                                # port of KAFKA_DELTA_HTTP_PORT
  kafka-delta health --ready --config service.json
  kafka-delta health --url http://127.0.0.1:8080

Exit codes:
  0  the service is alive (with --ready: ready)
  1  it is not, it did not answer, or no URL is configured`,
    )
    .action(async (flags: HealthFlags) => {
      const answer = await healthOf(flags)
      if (answer.ok) await print(`${answer.text}\n`)
      else process.stderr.write(`error: ${answer.text}\n`)
      // Docker reserves exit codes from 2 on, so every failure is 1.
      finish(answer.ok ? EXIT.ok : EXIT.failed)
    })
}

/** Returns the answer of the service; every problem, such as an invalid configuration, is an answer that is not ok. */
async function healthOf(flags: HealthFlags): Promise<HealthAnswer> {
  try {
    const base = flags.url ?? urlOf(loadConfig(endpointSourcesOf(flags)).http)
    if (base === undefined)
      return {
        ok: false,
        text: 'http.port is not set, so the service has no HTTP server to query; set it or pass --url',
      }
    return await requestHealth(new URL(flags.ready === true ? '/readyz' : '/healthz', base), flags.timeoutMs)
  } catch (error) {
    return { ok: false, text: messageOf(error) }
  }
}

/**
 * Queries one endpoint once. Resolves to `ok: false` if the status is not 2xx, the answer takes longer than
 * `timeoutMs`, or the connection is refused. Never rejects.
 */
export async function requestHealth(url: URL, timeoutMs: number): Promise<HealthAnswer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' })
    const body = (await response.text()).slice(0, TEXT_LENGTH_MAX).replace(/\s+/g, ' ')
    return { ok: response.ok, text: `${url.href} answered ${response.status} ${body}` }
  } catch (error) {
    // fetch rejects with "fetch failed"; the cause has the reason.
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : ''
    return { ok: false, text: `${url.href} did not answer: ${messageOf(error)}${cause}` }
  }
}

function parseMilliseconds(value: string): number {
  const ms = Number(value)
  if (!Number.isInteger(ms) || ms < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
  return ms
}
