import type { Command } from 'commander'
import { warn } from './maintenance.ts'
import { print, printJson } from '../output.ts'
import { count } from '../progress.ts'
import { tableCommand, versionOf, withStore, type TableFlags } from './source.ts'

/** Adds `table restore`: the table as it was, as a new version. */
export function addRestore(parent: Command): void {
  tableCommand(parent, 'restore', [
    'kafka-delta table restore ./lake/user_events --version 12',
    'kafka-delta table restore s3://lake/events/user_events --version 12 --json',
  ])
    .description(
      'make files, schema and properties those of an older version again, as a new version on top. ' +
        'Kafka offsets (txn) are not rolled back: the service goes on where it is, and does not write again ' +
        'the rows that the restore took away',
    )
    .requiredOption('-v, --version <n>', 'the version to go back to', versionOf)
    .option('--json', 'print JSON')
    .action(async (uri: string, flags: TableFlags & { readonly version: bigint }) => {
      const { restore } = await import('../../delta/maintenance/restore.ts')
      await withStore(uri, flags, async (store) => {
        const done = await restore(store, flags.version, { onWarning: warn })
        if (flags.json === true) await printJson(done)
        else if (done.version === undefined)
          await print(`the table is as it was at version ${flags.version}\n`)
        else
          await print(
            `version ${done.version}: as it was at version ${flags.version}; ` +
              `${count(done.numRestoredFiles)} files restored, ${count(done.numRemovedFiles)} removed\n`,
          )
      })
    })
}
