import type { Command } from 'commander'
import { formatJson, print } from '../output.ts'
import { formatCount } from '../progress.ts'
import { parseCount, addTableSubcommand, withStore, type TableFlags } from './command.ts'

interface VacuumFlags extends TableFlags {
  readonly retentionHours?: number
  readonly dryRun: boolean
  readonly force?: true
}

/** Adds the command `table vacuum`, which deletes files that no version needs any more. */
export function addVacuum(parent: Command): void {
  addTableSubcommand(parent, 'vacuum', [
    'kafka-delta table vacuum ./lake/user_events',
    'kafka-delta table vacuum s3://lake/events/user_events --retention-hours 336 --no-dry-run',
  ])
    .description(
      'list the files that no version within the retention references, or delete them with --no-dry-run; ' +
        'versions older than the retention can then no longer be read. Log files older than ' +
        'delta.logRetentionDuration are deleted as well',
    )
    .option(
      '--retention-hours <n>',
      'keep files removed from the table less than n hours ago (default: delta.deletedFileRetentionDuration, or 168)',
      parseCount,
    )
    .option('--no-dry-run', 'delete the files instead of only listing them')
    .option('--force', 'allow a retention shorter than the default; no writer may be running')
    .option('--json', 'print one JSON object per file, and one with the totals at the end')
    .action(async (uri: string, flags: VacuumFlags) => {
      const { vacuumTable } = await import('../../delta/maintenance/vacuum.ts')
      await withStore(uri, flags, async (store) => {
        const { retentionHours, dryRun, force, json } = flags
        const onFile = (path: string, bytes: number): Promise<void> =>
          print(
            json === true
              ? `${formatJson({ path, bytes }, 0)}\n`
              : `${String(bytes).padStart(12)}  ${path}\n`,
          )
        const done = await vacuumTable(store, { retentionHours, dryRun, force, onFile })
        if (json === true) await print(`${formatJson(done, 0)}\n`)
        else {
          const what = dryRun
            ? 'would be deleted; run again with --no-dry-run to delete them'
            : 'were deleted'
          const log = done.logFiles === 0 ? '' : `; ${formatCount(done.logFiles)} expired log files as well`
          await print(`${formatCount(done.files)} files of ${formatCount(done.bytes)} bytes ${what}${log}\n`)
        }
      })
    })
}
