import { InvalidArgumentError, type Command } from 'commander'
import { printNotice, printWarning } from './notices.ts'
import { formatJson, print } from '../output.ts'
import { formatCount } from '../progress.ts'
import { EXIT } from '../../service/process/exit-codes.ts'
import {
  addTableSubcommand,
  parseColumnNames,
  parseNameValue,
  withStore,
  type TableFlags,
} from './command.ts'

interface OptimizeFlags extends TableFlags {
  readonly targetBytes?: number
  readonly where?: Readonly<Record<string, string>>
  readonly zorder?: readonly string[]
}

/** Adds the command `table optimize`, which compacts small files. */
export function addOptimize(parent: Command, finish: (exitCode: number) => void): void {
  addTableSubcommand(parent, 'optimize', [
    'kafka-delta table optimize ./lake/user_events',
    'kafka-delta table optimize s3://lake/events/user_events --where event_date=2026-03-01 --target-bytes 64mb',
    'kafka-delta table optimize ./lake/user_events --zorder user_id,timestamp',
  ])
    .description(
      'compact the small files of each table partition into larger ones and remove rows that deletion vectors delete; ' +
        'safe while writers are running. A clustered table is clustered by its columns. ' +
        'Exits with 1 if other writers kept changing the files to be compacted',
    )
    .option(
      '--target-bytes <n>',
      'target size of new files, such as 134217728 or 64mb (default: delta.targetFileSize, or 128mb)',
      parseSize,
    )
    .option('--where <column=value>', 'compact only this table partition; may be repeated', parseNameValue)
    .option(
      '--zorder <columns>',
      'sort rows by the Z-order curve of these comma-separated columns, so that readers skip more files; ' +
        'more than 64 MiB of rows are sorted in temporary files',
      parseSortColumns,
    )
    .option('--json', 'print JSON')
    .action(async (uri: string, flags: OptimizeFlags) => {
      const { optimizeTable } = await import('../../delta/maintenance/optimize.ts')
      await withStore(uri, flags, async (store) => {
        const { targetBytes, where, zorder } = flags
        const done = await optimizeTable(store, {
          targetBytes,
          where,
          zorder,
          onProgress: printNotice,
          onWarning: printWarning,
        })
        if (flags.json === true) await print(`${formatJson(done)}\n`)
        else if (done.version === undefined) await print('nothing to compact\n')
        else
          await print(
            `version ${done.version}: ${formatCount(done.numRemovedFiles)} files of ${formatCount(done.numRemovedBytes)} bytes became ` +
              `${formatCount(done.numAddedFiles)} of ${formatCount(done.numAddedBytes)} bytes\n`,
          )
        finish(done.givenUp.length === 0 ? EXIT.ok : EXIT.failed)
      })
    })
}

function parseSortColumns(text: string): readonly string[] {
  const names = parseColumnNames(text)
  if (names.includes('')) throw new InvalidArgumentError('It must be a comma-separated list of columns.')
  return names
}

const SIZE = /^(\d{1,12})([kmg]?)b?$/i
const POWER: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3 }

function parseSize(text: string): number {
  const match = SIZE.exec(text)
  const bytes = Number(match?.[1] ?? 0) * 1024 ** (POWER[(match?.[2] ?? '').toLowerCase()] ?? 0)
  if (bytes < 1)
    throw new InvalidArgumentError('It must be a number of bytes from 1, or a size such as 64mb.')
  return bytes
}
