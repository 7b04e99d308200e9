import type { Command } from 'commander'
import { print, printJson } from '../output.ts'
import { tableCommand, withStore, type TableFlags } from './source.ts'

/** Adds `table checkpoint`: the newest version as a checkpoint, now. */
export function addCheckpoint(parent: Command): void {
  tableCommand(parent, 'checkpoint', [
    'kafka-delta table checkpoint ./lake/user_events',
    'kafka-delta table checkpoint s3://lake/events/user_events --config service.json --json',
  ])
    .description(
      'write a checkpoint of the newest version, so that readers need not read the commits before it, and delete ' +
        'what of the log is older than delta.logRetentionDuration',
    )
    .option('--json', 'print JSON')
    .action(async (uri: string, flags: TableFlags) => {
      const { writeCheckpoint } = await import('../../delta/commit/checkpoint-write.ts')
      const { cleanUpLog } = await import('../../delta/maintenance/log-cleanup.ts')
      const { openMaintained } = await import('../../delta/maintenance/maintainable.ts')
      await withStore(uri, flags, async (store) => {
        const { state } = await openMaintained(store, 'commit')
        const { version } = state
        const { key: file, bytes } = await writeCheckpoint(store, version, {
          nowMs: Date.now(),
          known: state,
        })
        const { files: logFiles } = await cleanUpLog(store)
        if (flags.json === true) await printJson({ version, file, bytes, logFiles })
        else {
          const cleaned = logFiles === 0 ? '' : `; ${logFiles} expired files of the log were deleted`
          await print(`version ${version}: ${file}, ${bytes} bytes${cleaned}\n`)
        }
      })
    })
}
