import type { Command } from 'commander'
import type { Add } from '../../delta/protocol/actions.ts'
import { jsonOf, print } from '../output.ts'
import { liveRowsOf, tableCommand, withSnapshot, withVersion, type TableFlags } from './source.ts'

/** Adds `table files`: the data files of one version. */
export function addFiles(parent: Command): void {
  const command = tableCommand(parent, 'files', [
    'kafka-delta table files ./lake/user_events',
    "kafka-delta table files ./lake/user_events --json | jq -s 'map(.bytes) | add'",
  ])
  withVersion(command)
    .description('path, bytes, rows and partition values of every data file')
    .option('--json', 'print one JSON object for each file')
    .action(async (uri: string, flags: TableFlags) => {
      await withSnapshot(uri, flags, async (snapshot) => {
        if (flags.json !== true) await print(`${'bytes'.padStart(12)}  ${'rows'.padStart(10)}  path\n`)
        const { columnMapping, shownPartitionValues } = await import('../../delta/schema/column-mapping.ts')
        const mapping = columnMapping(snapshot.protocol, snapshot.metadata)
        for await (const file of snapshot.files()) {
          const add = { ...file, partitionValues: shownPartitionValues(file, snapshot.metadata, mapping) }
          await print(flags.json === true ? jsonLine(add) : textLine(add))
        }
      })
    })
}

// A table may have a million files: they are printed as they come, so the columns have fixed widths.
function textLine(add: Add): string {
  const rows = String(liveRowsOf(add) ?? '?')
  const values = Object.entries(add.partitionValues).map(([name, value]) => `${name}=${value ?? 'null'}`)
  const partition = values.length === 0 ? '' : `  ${values.join(', ')}`
  return `${String(add.size).padStart(12)}  ${rows.padStart(10)}  ${add.path}${partition}\n`
}

function jsonLine(add: Add): string {
  const line = {
    path: add.path,
    bytes: add.size,
    rows: liveRowsOf(add),
    partitionValues: add.partitionValues,
    modifiedMs: add.modificationTime,
  }
  return `${jsonOf(line, 0)}\n`
}
