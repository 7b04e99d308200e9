import { Option, type Command } from 'commander'
import type { ConfigSources } from '../../config/load/load.ts'

/** Holds the flags that select a command's configuration. */
export interface ConfigFlags {
  readonly config?: readonly string[]
  readonly set?: readonly string[]
}

/**
 * Adds the options `--config` and `--set` to a command. `file` is `<file...>` for a command without arguments
 * of its own.
 */
export function addConfigOptions(command: Command, file: '<file>' | '<file...>' = '<file>'): Command {
  const append = (value: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    value,
  ]
  return command
    .addOption(
      new Option(
        `-c, --config ${file}`,
        'JSON configuration file; may be repeated, later files override earlier ones',
      ).argParser(append),
    )
    .addOption(
      new Option(
        '-s, --set <key=value>',
        'set one option, such as kafka.groupId=test; may be repeated',
      ).argParser(append),
    )
}

/** Returns the configuration sources of the flags, with the environment of the process. */
export function configSourcesOf(flags: ConfigFlags): ConfigSources {
  return { files: flags.config ?? [], env: process.env, set: flags.set ?? [] }
}
