import { InvalidArgumentError, type Command } from 'commander'
import { tell, warn, pairOf } from './maintenance.ts'
import { jsonOf, print } from '../output.ts'
import { count } from '../progress.ts'
import { EXIT } from '../exit-codes.ts'
import { tableCommand, withStore, type TableFlags } from './source.ts'

interface OptimizeFlags extends TableFlags {
  readonly targetBytes?: number
  readonly where?: Readonly<Record<string, string>>
  readonly zorder?: readonly string[]
}

/** Adds `table optimize`: small files become few large ones. */
export function addOptimize(parent: Command, finish: (exitCode: number) => void): void {
  tableCommand(parent, 'optimize', [
    'kafka-delta table optimize ./lake/user_events',
    'kafka-delta table optimize s3://lake/events/user_events --where event_date=2026-03-01 --target-bytes 64mb',
    'kafka-delta table optimize ./lake/user_events --zorder user_id,timestamp',
  ])
    .description(
      'pack the small files of each table partition into larger ones, and drop rows that deletion vectors delete; ' +
        'safe beside running writers. A clustered table is clustered by its columns. ' +
        'Exits with 1 where other writers kept changing files that were to be packed',
    )
    .option(
      '--target-bytes <n>',
      'size of a new file, such as 134217728 or 64mb; by default delta.targetFileSize, or 128mb',
      sizeOf,
    )
    .option('--where <column=value>', 'only this table partition; may be repeated', pairOf)
    .option(
      '--zorder <columns>',
      'lay rows along the Z-order curve of these columns, separated by commas, so that readers skip more files; ' +
        'what exceeds 64 MiB of memory lies among the temporary files meanwhile',
      namesOf,
    )
    .option('--json', 'print JSON')
    .action(async (uri: string, flags: OptimizeFlags) => {
      const { optimize } = await import('../../delta/maintenance/optimize.ts')
      await withStore(uri, flags, async (store) => {
        const { targetBytes, where, zorder } = flags
        const done = await optimize(store, { targetBytes, where, zorder, onProgress: tell, onWarning: warn })
        if (flags.json === true) await print(`${jsonOf(done)}\n`)
        else if (done.version === undefined) await print('nothing to pack\n')
        else
          await print(
            `version ${done.version}: ${count(done.numRemovedFiles)} files of ${count(done.numRemovedBytes)} bytes became ` +
              `${count(done.numAddedFiles)} of ${count(done.numAddedBytes)} bytes\n`,
          )
        finish(done.givenUp.length === 0 ? EXIT.ok : EXIT.failed)
      })
    })
}

function namesOf(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('It must be names of columns, separated by commas.')
  return names
}

const SIZE = /^(\d{1,12})([kmg]?)b?$/i
const POWER: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3 }

function sizeOf(text: string): number {
  const match = SIZE.exec(text)
  const bytes = Number(match?.[1] ?? 0) * 1024 ** (POWER[(match?.[2] ?? '').toLowerCase()] ?? 0)
  if (bytes < 1)
    throw new InvalidArgumentError('It must be a number of bytes from 1, or a size such as 64mb.')
  return bytes
}
