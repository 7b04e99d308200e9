import type { Command } from 'commander'
import { print } from '../output.ts'
import {
  parseColumnNames,
  parseCount,
  addTableSubcommand,
  withSnapshot,
  addVersionOptions,
  type TableFlags,
} from './command.ts'

interface CatFlags extends TableFlags {
  readonly limit?: number
  readonly columns?: readonly string[]
}

// Lines are collected, because a write per line would cost more than producing the lines.
const WRITE_CHARS = 65_536

/** Adds the command `table cat`, which prints the rows of a table as NDJSON. */
export function addCat(parent: Command): void {
  const command = addTableSubcommand(parent, 'cat', [
    'kafka-delta table cat ./lake/user_events --limit 10',
    "kafka-delta table cat ./lake/user_events --version 3 --columns event_id,timestamp | jq -r '.event_id'",
    'kafka-delta table cat ./lake/user_events --timestamp 2026-01-31T12:00:00Z',
  ])
  addVersionOptions(command)
    .description('print the rows as NDJSON, with nulls, exact longs and decimals, and timestamps in UTC')
    .option('-l, --limit <n>', 'maximum number of rows', parseCount)
    .option('--columns <names>', 'comma-separated columns to print (default: all)', parseColumnNames)
    .action(async (uri: string, flags: CatFlags) => {
      const { readRowLines } = await import('../../delta/rewrite/row-lines.ts')
      const { limit, columns } = flags
      await withSnapshot(uri, flags, async (snapshot, store, open) => {
        let waiting = ''
        for await (const line of readRowLines(store, snapshot, { limit, columns, open })) {
          waiting += line
          if (waiting.length < WRITE_CHARS) continue
          await print(waiting)
          waiting = ''
        }
        await print(waiting)
      })
    })
}
