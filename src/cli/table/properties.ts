import type { Command } from 'commander'
import { EXIT_HELP } from '../exit-codes.ts'
import { pairOf, warn } from './maintenance.ts'
import { print, printJson } from '../output.ts'
import { tableCommand, withStore, type TableFlags } from './source.ts'

/** Adds `table properties set`. */
export function addProperties(parent: Command): void {
  const properties = parent
    .command('properties')
    .description('change the properties of a table')
    .addHelpText(
      'after',
      `\nExamples:\n  kafka-delta table properties set ./lake/user_events delta.checkpointInterval=50\n${EXIT_HELP}`,
    )
  tableCommand(properties, 'set', [
    'kafka-delta table properties set ./lake/user_events delta.checkpointInterval=50',
    'kafka-delta table properties set s3://lake/t delta.targetFileSize=64mb "delta.deletedFileRetentionDuration=interval 14 days"',
  ])
    .argument('<name=value...>', 'properties to set; others stay')
    .description('set properties of a table. A service that is running obeys them from its next commit on')
    .option('--json', 'print JSON')
    .action(async (uri: string, pairs: readonly string[], flags: TableFlags) => {
      const { setProperties } = await import('../../delta/maintenance/set-properties.ts')
      const wanted = pairs.reduce<Readonly<Record<string, string>>>((all, text) => pairOf(text, all), {})
      await withStore(uri, flags, async (store) => {
        const { version, properties: all } = await setProperties(store, wanted, { onWarning: warn })
        if (flags.json === true) {
          await printJson({ ...(version === undefined ? {} : { version }), properties: all })
          return
        }
        await print(
          version === undefined ? 'the table has these properties already\n' : `version ${version}\n`,
        )
        await print(
          Object.entries(all)
            .map(([name, value]) => `  ${name}=${value}\n`)
            .join(''),
        )
      })
    })
}
