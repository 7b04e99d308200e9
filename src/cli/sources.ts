import { Option, type Command } from 'commander'
import type { ConfigSources } from '../../config/load/load.ts'

/** Where a command takes its configuration from. */
export interface SourceFlags {
  readonly config?: readonly string[]
  readonly set?: readonly string[]
}

/** Adds `--config` and `--set` to a command; `file` is `<file...>` for a command that has no arguments of its own. */
export function withSources(command: Command, file: '<file>' | '<file...>' = '<file>'): Command {
  const append = (value: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    value,
  ]
  return command
    .addOption(
      new Option(`-c, --config ${file}`, 'JSON file; may be repeated, later ones win').argParser(append),
    )
    .addOption(
      new Option(
        '-s, --set <key=value>',
        'one option, such as kafka.groupId=test; may be repeated',
      ).argParser(append),
    )
}

/** The sources that the flags name, over the environment of the process. */
export function sourcesOf(flags: SourceFlags): ConfigSources {
  return { files: flags.config ?? [], env: process.env, set: flags.set ?? [] }
}
