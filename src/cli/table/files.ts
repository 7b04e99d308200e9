import type { Command } from 'commander'
import type { Add } from '../../delta/protocol/actions.ts'
import { formatJson, print } from '../output.ts'
import {
  liveRowCountOf,
  addTableSubcommand,
  withSnapshot,
  addVersionOptions,
  type TableFlags,
} from './command.ts'

/** Adds the command `table files`, which lists the data files of one version. */
export function addFiles(parent: Command): void {
  const command = addTableSubcommand(parent, 'files', [
    'kafka-delta table files ./lake/user_events',
    "kafka-delta table files ./lake/user_events --json | jq -s 'map(.bytes) | add'",
  ])
  addVersionOptions(command)
    .description('list path, size, rows and partition values of every data file')
    .option('--json', 'print one JSON object per file')
    .action(async (uri: string, flags: TableFlags) => {
      await withSnapshot(uri, flags, async (snapshot) => {
        if (flags.json !== true) await print(`${'bytes'.padStart(12)}  ${'rows'.padStart(10)}  path\n`)
        const { columnMappingOf, partitionValuesByName } =
          await import('../../delta/schema/column-mapping.ts')
        const mapping = columnMappingOf(snapshot.protocol, snapshot.metadata)
        for await (const file of snapshot.files()) {
          const add = { ...file, partitionValues: partitionValuesByName(file, snapshot.metadata, mapping) }
          await print(flags.json === true ? jsonLine(add) : textLine(add))
        }
      })
    })
}

// A table may have a million files, so they are printed as they are read, in columns of fixed width.
function textLine(add: Add): string {
  const rows = String(liveRowCountOf(add) ?? '?')
  const values = Object.entries(add.partitionValues).map(([name, value]) => `${name}=${value ?? 'null'}`)
  const partition = values.length === 0 ? '' : `  ${values.join(', ')}`
  return `${String(add.size).padStart(12)}  ${rows.padStart(10)}  ${add.path}${partition}\n`
}

function jsonLine(add: Add): string {
  const line = {
    path: add.path,
    bytes: add.size,
    rows: liveRowCountOf(add),
    partitionValues: add.partitionValues,
    modifiedMs: add.modificationTime,
  }
  return `${formatJson(line, 0)}\n`
}
