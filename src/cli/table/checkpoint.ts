import type { Command } from 'commander'
import { print, printJson } from '../output.ts'
import { addTableSubcommand, withStore, type TableFlags } from './command.ts'

/** Adds the command `table checkpoint`, which writes a checkpoint of the latest version. */
export function addCheckpoint(parent: Command): void {
  addTableSubcommand(parent, 'checkpoint', [
    'kafka-delta table checkpoint ./lake/user_events',
    'kafka-delta table checkpoint s3://lake/events/user_events --config service.json --json',
  ])
    .description(
      'write a checkpoint of the latest version, so that readers can skip the commits before it, and delete ' +
        'log files older than delta.logRetentionDuration',
    )
    .option('--json', 'print JSON')
    .action(async (uri: string, flags: TableFlags) => {
      const { writeCheckpoint } = await import('../../delta/commit/checkpoint-write.ts')
      const { cleanUpLog } = await import('../../delta/maintenance/log-cleanup.ts')
      const { openMaintainedTable } = await import('../../delta/maintenance/maintained-table.ts')
      await withStore(uri, flags, async (store) => {
        const { state } = await openMaintainedTable(store, 'commit')
        const { version } = state
        const { key: file, bytes } = await writeCheckpoint(store, version, {
          nowMs: Date.now(),
          knownState: state,
        })
        const { files: logFiles } = await cleanUpLog(store)
        if (flags.json === true) await printJson({ version, file, bytes, logFiles })
        else {
          const cleaned = logFiles === 0 ? '' : `; ${logFiles} expired log files were deleted`
          await print(`version ${version}: ${file}, ${bytes} bytes${cleaned}\n`)
        }
      })
    })
}
