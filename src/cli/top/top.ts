import { emitKeypressEvents } from 'node:readline'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadConfig } from '../../../config/load/load.ts'
import type { ConsoleSnapshot } from '../../console/snapshot.ts'
import { systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { EXIT } from '../../service/process/exit-codes.ts'
import { addConfigOptions, type ConfigFlags } from '../config-flags.ts'
import { endpointSourcesOf, urlOf } from './endpoint.ts'
import { print, printJson } from '../output.ts'
import { renderTop } from './render.ts'
import { requestSnapshot } from './request.ts'

interface TopFlags extends ConfigFlags {
  readonly url?: string
  readonly topic?: string
  readonly everyMs: number
  readonly once?: true
  readonly json?: true
}

const COLUMNS_DEFAULT = 120
const LEVEL_EXIT = { healthy: EXIT.ok, degraded: EXIT.failed, stopped: EXIT.failed } as const

/** Adds the command `top`, which shows in a terminal what the console of a running service shows. */
export function addTop(program: Command, finish: (exitCode: number) => void): void {
  addConfigOptions(program.command('top'), '<file...>')
    .description('show what a running service does: state, lag, commits, dead letters and the slowest stage')
    .addOption(
      new Option(
        '--url <url>',
        'base URL of the service (default: from http.host and http.port of the configuration)',
      ),
    )
    .addOption(new Option('--topic <name>', 'topic to show in full (default: the one in most trouble)'))
    .addOption(
      new Option('--every-ms <ms>', 'time between two looks, in milliseconds')
        .argParser(parseMilliseconds)
        .default(1_000),
    )
    .addOption(new Option('--once', 'print one look and end'))
    .addOption(new Option('--json', 'print the snapshot as JSON, with --once'))
    .addHelpText(
      'after',
      `
Keys: j and k, or the arrows, choose a topic; q ends.

Examples:
  kafka-delta top --config service.json
  kafka-delta top --url http://127.0.0.1:8080 --topic orders
  kafka-delta top --url http://127.0.0.1:8080 --once --json

The admin token, where the service asks for one, is that of the configuration or KAFKA_DELTA_ADMIN_TOKEN.

Exit codes with --once:
  0  the service is healthy
  1  it is degraded or stopped
  2  it does not answer, or no URL is configured`,
    )
    .action(async (flags: TopFlags) => {
      if (flags.json === true && flags.once !== true)
        throw new PipelineError('KD_COMMAND_INVALID', 'expected --json together with --once')
      const service = serviceOf(flags)
      if (flags.once !== true) return await follow(service, flags)
      const snapshot = await requestSnapshot({ ...service, topic: flags.topic })
      if (flags.json === true) await printJson(snapshot)
      else await print(`${picture(snapshot, flags.topic).join('\n')}\n`)
      finish(LEVEL_EXIT[snapshot.headline.level])
    })
}

interface Service {
  readonly base: string
  readonly token: string | undefined
}

function serviceOf(flags: TopFlags): Service {
  const token = process.env['KAFKA_DELTA_ADMIN_TOKEN']
  if (flags.url !== undefined && flags.config === undefined) return { base: flags.url, token }
  const { http, admin } = loadConfig(endpointSourcesOf(flags))
  const base = flags.url ?? urlOf(http)
  if (base === undefined)
    throw new PipelineError(
      'KD_COMMAND_INVALID',
      'http.port is not set, so the service has no HTTP server to ask; set it or pass --url',
    )
  return { base, token: admin.token ?? token }
}

function picture(snapshot: ConsoleSnapshot, selected: string | undefined, rows?: number): readonly string[] {
  return renderTop(snapshot, {
    columns: process.stdout.isTTY ? process.stdout.columns : COLUMNS_DEFAULT,
    ...(rows === undefined ? {} : { rows }),
    selected,
    hasColors: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  })
}

/** Draws a look after the other until `q` or a signal. A look that fails is said below the last one. */
async function follow(service: Service, flags: TopFlags): Promise<void> {
  const ending = new AbortController()
  let selected = flags.topic
  let last: ConsoleSnapshot | undefined
  let wake = new AbortController()
  const stopKeys = readKeys((key) => {
    const names = last?.topics.map(({ name }) => name) ?? []
    const at = names.indexOf(selected ?? last?.detail?.name ?? '')
    if (key === 'q') ending.abort()
    else if (key === 'j' || key === 'down') selected = names[Math.min(names.length - 1, at + 1)] ?? selected
    else if (key === 'k' || key === 'up') selected = names[Math.max(0, at - 1)] ?? selected
    wake.abort()
  })
  try {
    while (!ending.signal.aborted) {
      wake = new AbortController()
      let trouble = ''
      try {
        last = await requestSnapshot({ ...service, topic: selected })
      } catch (error) {
        // The first look must work: a wrong address is told at once.
        if (last === undefined || !(error instanceof PipelineError)) throw error
        trouble = error.message
      }
      const rows = process.stdout.isTTY ? process.stdout.rows - 2 : undefined
      const lines = [...picture(last, selected, rows), ...(trouble === '' ? [] : ['', trouble])]
      await print(
        process.stdout.isTTY ? `\u001b[H${lines.join('\u001b[K\n')}\u001b[J` : `${lines.join('\n')}\n\n`,
      )
      await systemClock
        .sleep(flags.everyMs, AbortSignal.any([ending.signal, wake.signal]))
        .catch(() => undefined)
    }
  } finally {
    stopKeys()
  }
}

/** Calls `onKey` with each key until the returned function is called; does nothing where there is no terminal. */
function readKeys(onKey: (name: string) => void): () => void {
  const { stdin, stdout } = process
  if (!stdin.isTTY || !stdout.isTTY) return () => undefined
  emitKeypressEvents(stdin)
  stdin.setRawMode(true)
  stdout.write('\u001b[2J\u001b[?25l')
  const onKeypress = (_: unknown, key: { readonly name?: string; readonly ctrl?: boolean }): void => {
    onKey(key.ctrl === true && key.name === 'c' ? 'q' : (key.name ?? ''))
  }
  stdin.on('keypress', onKeypress)
  return () => {
    stdin.off('keypress', onKeypress)
    stdin.setRawMode(false)
    stdin.pause()
    stdout.write('\u001b[?25h\n')
  }
}

function parseMilliseconds(value: string): number {
  const ms = Number(value)
  if (!Number.isInteger(ms) || ms < 100)
    throw new InvalidArgumentError('It must be a whole number of at least 100.')
  return ms
}
