import { InvalidArgumentError, Option, type Command } from 'commander'
import { HTTP_OPTIONS } from '../../config/http/options.ts'
import { loadConfig, type ConfigSources } from '../../config/load/load.ts'
import type { HttpConfig } from '../../config/types.ts'
import { messageOf } from '../core/errors.ts'
import { EXIT } from './exit-codes.ts'
import { print } from './output.ts'
import { sourcesOf, withSources, type SourceFlags } from './sources.ts'

interface HealthFlags extends SourceFlags {
  readonly url?: string
  readonly ready?: true
  readonly timeoutMs: number
}

/** What a service answered about itself. */
export interface HealthAnswer {
  readonly ok: boolean
  /** One line for people, without a line break. */
  readonly text: string
}

const TIMEOUT_MS = 5_000
/** Docker keeps 4096 bytes of a check; a long answer of a service with many topics is cut. */
const TEXT_LENGTH_MAX = 2_000

/** Adds `health`: asks a running service whether it lives, for health checks of containers that have no shell or curl. */
export function addHealth(program: Command, finish: (exitCode: number) => void): void {
  withSources(program.command('health'), '<file...>')
    .description('ask a running service whether it lives, or with --ready whether its topics flow')
    .addOption(new Option('--url <url>', 'where it answers; otherwise http.port of the configuration'))
    .addOption(new Option('--ready', 'ask /readyz in place of /healthz'))
    .addOption(
      new Option('--timeout-ms <ms>', 'how long to wait for the answer')
        .argParser(millisecondsOf)
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
  0  it answered that all is well
  1  it did not, or there is nothing to ask`,
    )
    .action(async (flags: HealthFlags) => {
      const answer = await healthOf(flags)
      if (answer.ok) await print(`${answer.text}\n`)
      else process.stderr.write(`error: ${answer.text}\n`)
      // Docker reserves 2 and above: whatever is wrong is 1.
      finish(answer.ok ? EXIT.ok : EXIT.failed)
    })
}

/** The answer to the flags' question; what stands in its way, a faulty configuration too, is an answer that is not ok. */
async function healthOf(flags: HealthFlags): Promise<HealthAnswer> {
  try {
    const base = flags.url ?? urlOf(loadConfig(placesOf(flags)).http)
    if (base === undefined) return { ok: false, text: 'http.port is not set: there is nothing to ask' }
    return await askHealth(new URL(flags.ready === true ? '/readyz' : '/healthz', base), flags.timeoutMs)
  } catch (error) {
    return { ok: false, text: messageOf(error) }
  }
}

/**
 * What the address is taken from. Where no file is named, only the variables of the endpoints: others may be half of what a
 * file of the service completes.
 */
function placesOf(flags: HealthFlags): ConfigSources {
  if (flags.config !== undefined || flags.set !== undefined) return sourcesOf(flags)
  const names = Object.values(HTTP_OPTIONS).map(({ env }) => env)
  return { env: Object.fromEntries(names.map((name) => [name, process.env[name]])) }
}

/**
 * Asks one endpoint once. Resolves to `ok: false` where the answer is not 2xx, does not come within `timeoutMs`, or
 * nobody listens; it never rejects.
 */
export async function askHealth(url: URL, timeoutMs: number): Promise<HealthAnswer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' })
    const body = (await response.text()).slice(0, TEXT_LENGTH_MAX).replace(/\s+/g, ' ')
    return { ok: response.ok, text: `${url.href} answered ${response.status} ${body}` }
  } catch (error) {
    // fetch says "fetch failed"; its cause says why.
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : ''
    return { ok: false, text: `${url.href} did not answer: ${messageOf(error)}${cause}` }
  }
}

/** Where a service with these options answers on its own machine; undefined without a port. */
function urlOf({ host, port }: HttpConfig): string | undefined {
  if (port === undefined) return undefined
  const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${own.includes(':') ? `[${own}]` : own}:${port}`
}

function millisecondsOf(value: string): number {
  const ms = Number(value)
  if (!Number.isInteger(ms) || ms < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
  return ms
}
