import { InvalidArgumentError, Option, type Command } from 'commander'
import { closest } from 'fastest-levenshtein'
import { loadConfig } from '../../config/load/load.ts'
import type { Config } from '../../config/types.ts'
import { PipelineError } from '../core/errors.ts'
import { EXIT_HELP, exitCodeOf } from '../service/process/exit-codes.ts'
import { holdSignals } from './held-signals.ts'
import { configSourcesOf, addConfigOptions, type ConfigFlags } from './config-flags.ts'

interface RunFlags extends ConfigFlags {
  readonly until?: 'latest'
  readonly topic?: readonly string[]
}

/** Adds the command `run`, which ingests topics into their tables until it is stopped or has caught up. */
export function addRun(program: Command, finish: (exitCode: number) => void): void {
  addConfigOptions(program.command('run'), '<file...>')
    .description('ingest topics into their tables until stopped by SIGTERM or SIGINT')
    .addOption(
      new Option(
        '-u, --until <end>',
        'with latest: stop at the end offsets that the partitions have at the start',
      ).argParser(parseUntil),
    )
    .addOption(
      new Option('-t, --topic <name>', 'ingest only this entry of `topics`; may be repeated').argParser(
        (name: string, before: readonly string[] | undefined) => [...(before ?? []), name],
      ),
    )
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta run --config config/examples/local.json
  kafka-delta run --config base.json production.json --topic user-events
  kafka-delta run --set topics.events.table.uri=./lake/events --until latest
${EXIT_HELP}`,
    )
    .action(async (flags: RunFlags) => {
      const config = selectTopics(loadConfig({ ...configSourcesOf(flags), needsTopic: true }), flags.topic)
      const deliverSignals = holdSignals()
      const { logFailure, runServiceOrThrow } = await import('../service/process/run.ts')
      try {
        finish(
          await runServiceOrThrow(config, {
            until: flags.until ?? 'stopped',
            onSignalsHandled: deliverSignals,
            configFiles: flags.config ?? [],
          }),
        )
      } catch (thrown) {
        // The reason is in the log, in its format, so it is not printed a second time.
        logFailure(config, thrown)
        finish(exitCodeOf(thrown))
      }
    })
}

/**
 * Returns the configuration with only the named entries of `topics`, or the named topics of a list.
 *
 * @throws KD_COMMAND_INVALID for a name that does not exist
 */
function selectTopics(config: Config, names: readonly string[] | undefined): Config {
  if (names === undefined) return config
  const isOf = (key: string, name: string): boolean => key === name || key.startsWith(`${name}/`)
  const known = [...Object.keys(config.topics), ...Object.keys(config.patterns)]
  const unknown = names.find((name) => !known.some((key) => isOf(key, name)))
  if (unknown !== undefined) {
    throw new PipelineError(
      'KD_COMMAND_INVALID',
      `--topic ${unknown} is not an entry of topics; the nearest one is ${closest(unknown, known)}`,
    )
  }
  const only = <T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(entries).filter(([key]) => names.some((name) => isOf(key, name))))
  return { ...config, topics: only(config.topics), patterns: only(config.patterns) }
}

function parseUntil(value: string): 'latest' {
  if (value !== 'latest') throw new InvalidArgumentError('It must be latest.')
  return value
}
