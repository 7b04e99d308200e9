import type { Command } from 'commander'
import { printWarning } from './notices.ts'
import { print, printJson } from '../output.ts'
import { formatCount } from '../progress.ts'
import { addTableSubcommand, parseVersion, withStore, type TableFlags } from './command.ts'

/** Adds the command `table restore`, which restores an older version as a new one. */
export function addRestore(parent: Command): void {
  addTableSubcommand(parent, 'restore', [
    'kafka-delta table restore ./lake/user_events --version 12',
    'kafka-delta table restore s3://lake/events/user_events --version 12 --json',
  ])
    .description(
      'restore files, schema and properties of an older version, as a new version. ' +
        'Kafka offsets (txn) are not rolled back: the service continues where it is and does not write ' +
        'the removed rows again',
    )
    .requiredOption('-v, --version <n>', 'version to restore', parseVersion)
    .option('--json', 'print JSON')
    .action(async (uri: string, flags: TableFlags & { readonly version: bigint }) => {
      const { restoreTable } = await import('../../delta/maintenance/restore.ts')
      await withStore(uri, flags, async (store) => {
        const done = await restoreTable(store, flags.version, { onWarning: printWarning })
        if (flags.json === true) await printJson(done)
        else if (done.version === undefined)
          await print(`nothing changed: the table is already as it was at version ${flags.version}\n`)
        else
          await print(
            `version ${done.version}: restored from version ${flags.version}; ` +
              `${formatCount(done.numRestoredFiles)} files added again, ${formatCount(done.numRemovedFiles)} removed\n`,
          )
      })
    })
}
