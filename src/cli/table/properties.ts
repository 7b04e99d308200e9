import type { Command } from 'commander'
import { EXIT_HELP } from '../../service/process/exit-codes.ts'
import { printWarning } from './notices.ts'
import { print, printJson } from '../output.ts'
import { addTableSubcommand, parseNameValue, withStore, type TableFlags } from './command.ts'

/** Adds the command `table properties set`, which changes table properties. */
export function addProperties(parent: Command): void {
  const properties = parent
    .command('properties')
    .description('change the properties of a table')
    .addHelpText(
      'after',
      `\nExamples:\n  kafka-delta table properties set ./lake/user_events delta.checkpointInterval=50\n${EXIT_HELP}`,
    )
  addTableSubcommand(properties, 'set', [
    'kafka-delta table properties set ./lake/user_events delta.checkpointInterval=50',
    'kafka-delta table properties set s3://lake/t delta.targetFileSize=64mb "delta.deletedFileRetentionDuration=interval 14 days"',
  ])
    .argument('<name=value...>', 'properties to set; others are kept')
    .description('set properties of a table; a running service applies them from its next commit')
    .option('--json', 'print JSON')
    .action(async (uri: string, pairs: readonly string[], flags: TableFlags) => {
      const { setTableProperties } = await import('../../delta/maintenance/set-properties.ts')
      const wanted = pairs.reduce<Readonly<Record<string, string>>>(
        (all, text) => parseNameValue(text, all),
        {},
      )
      await withStore(uri, flags, async (store) => {
        const { version, properties: all } = await setTableProperties(store, wanted, {
          onWarning: printWarning,
        })
        if (flags.json === true) {
          await printJson({ ...(version === undefined ? {} : { version }), properties: all })
          return
        }
        await print(
          version === undefined
            ? 'nothing changed: the table already has these properties\n'
            : `version ${version}\n`,
        )
        await print(
          Object.entries(all)
            .map(([name, value]) => `  ${name}=${value}\n`)
            .join(''),
        )
      })
    })
}
