import type { Command } from 'commander'
import { jsonOf, print } from '../output.ts'
import { count } from '../progress.ts'
import { countOf, tableCommand, withStore, type TableFlags } from './source.ts'

interface VacuumFlags extends TableFlags {
  readonly retentionHours?: number
  readonly dryRun: boolean
  readonly force?: true
}

/** Adds `table vacuum`: files that no version needs any more. */
export function addVacuum(parent: Command): void {
  tableCommand(parent, 'vacuum', [
    'kafka-delta table vacuum ./lake/user_events',
    'kafka-delta table vacuum s3://lake/events/user_events --retention-hours 336 --no-dry-run',
  ])
    .description(
      'list the files that no version within the retention names, or delete them with --no-dry-run; ' +
        'versions older than the retention can then no longer be read. Files of the log older than ' +
        'delta.logRetentionDuration go as well',
    )
    .option(
      '--retention-hours <n>',
      'keep what left the table within n hours; by default delta.deletedFileRetentionDuration, or 168',
      countOf,
    )
    .option('--no-dry-run', 'delete the files; without it they are only listed')
    .option('--force', 'take a retention shorter than the default: no writer may be running then')
    .option('--json', 'print one JSON object for each file, and one with the sums at the end')
    .action(async (uri: string, flags: VacuumFlags) => {
      const { vacuum } = await import('../../delta/maintenance/vacuum.ts')
      await withStore(uri, flags, async (store) => {
        const { retentionHours, dryRun, force, json } = flags
        const onFile = (path: string, bytes: number): Promise<void> =>
          print(
            json === true ? `${jsonOf({ path, bytes }, 0)}\n` : `${String(bytes).padStart(12)}  ${path}\n`,
          )
        const done = await vacuum(store, { retentionHours, dryRun, force, onFile })
        if (json === true) await print(`${jsonOf(done, 0)}\n`)
        else {
          const what = dryRun ? 'would be deleted; --no-dry-run deletes them' : 'were deleted'
          const log = done.logFiles === 0 ? '' : `; ${count(done.logFiles)} expired files of the log as well`
          await print(`${count(done.files)} files of ${count(done.bytes)} bytes ${what}${log}\n`)
        }
      })
    })
}
