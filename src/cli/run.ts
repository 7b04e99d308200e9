import { InvalidArgumentError, Option, type Command } from 'commander'
import { closest } from 'fastest-levenshtein'
import { loadConfig } from '../../config/load/load.ts'
import type { Config } from '../../config/types.ts'
import { PipelineError } from '../core/errors.ts'
import { EXIT_HELP, exitCodeOf } from './exit-codes.ts'
import { sourcesOf, withSources, type SourceFlags } from './sources.ts'

interface RunFlags extends SourceFlags {
  readonly until?: 'latest'
  readonly topic?: readonly string[]
}

/** Adds `run`: carries topics into tables until it is stopped or has caught up. */
export function addRun(program: Command, finish: (exitCode: number) => void): void {
  withSources(program.command('run'), '<file...>')
    .description('carry topics into their tables until stopped by SIGTERM or SIGINT')
    .addOption(
      new Option('-u, --until <end>', 'stop at the end offsets as they are at the start').argParser(untilOf),
    )
    .addOption(
      new Option('-t, --topic <name>', 'only this entry of `topics`; may be repeated').argParser(
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
      const config = withTopics(loadConfig({ ...sourcesOf(flags), needsTopic: true }), flags.topic)
      const { logFailure, runService } = await import('../service/process/run.ts')
      try {
        finish(await runService(config, { until: flags.until ?? 'stopped' }))
      } catch (thrown) {
        // Whoever collects the log finds the reason there, in its form; it is not printed a second time.
        logFailure(config, thrown)
        finish(exitCodeOf(thrown))
      }
    })
}

/**
 * The configuration with only the named entries of `topics`, or single topics of a list. Throws `KD_COMMAND_INVALID` for a
 * name that is none.
 */
export function withTopics(config: Config, names: readonly string[] | undefined): Config {
  if (names === undefined) return config
  const isOf = (key: string, name: string): boolean => key === name || key.startsWith(`${name}/`)
  const known = [...Object.keys(config.topics), ...Object.keys(config.patterns)]
  const unknown = names.find((name) => !known.some((key) => isOf(key, name)))
  if (unknown !== undefined) {
    throw new PipelineError(
      'KD_COMMAND_INVALID',
      `--topic ${unknown} is no entry of topics; the nearest one is ${closest(unknown, known)}`,
    )
  }
  const only = <T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(entries).filter(([key]) => names.some((name) => isOf(key, name))))
  return { ...config, topics: only(config.topics), patterns: only(config.patterns) }
}

function untilOf(value: string): 'latest' {
  if (value !== 'latest') throw new InvalidArgumentError('It must be latest.')
  return value
}
