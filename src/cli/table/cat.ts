import type { Command } from 'commander'
import { print } from '../output.ts'
import { countOf, tableCommand, withSnapshot, withVersion, type TableFlags } from './source.ts'

interface CatFlags extends TableFlags {
  readonly limit?: number
  readonly columns?: readonly string[]
}

// One write for each line would cost more than the lines themselves.
const WRITE_CHARS = 65_536

/** Adds `table cat`: the rows as NDJSON. */
export function addCat(parent: Command): void {
  const command = tableCommand(parent, 'cat', [
    'kafka-delta table cat ./lake/user_events --limit 10',
    "kafka-delta table cat ./lake/user_events --version 3 --columns event_id,timestamp | jq -r '.event_id'",
    'kafka-delta table cat ./lake/user_events --timestamp 2026-01-31T12:00:00Z',
  ])
  withVersion(command)
    .description('the rows as NDJSON: nulls written, longs and decimals exact, timestamps in UTC')
    .option('-l, --limit <n>', 'at most n rows', countOf)
    .option('--columns <names>', 'only these columns, separated by commas', columnsOf)
    .action(async (uri: string, flags: CatFlags) => {
      const { rowLines } = await import('../../delta/rewrite/row-lines.ts')
      const { limit, columns } = flags
      await withSnapshot(uri, flags, async (snapshot, store, open) => {
        let waiting = ''
        for await (const line of rowLines(store, snapshot, { limit, columns, open })) {
          waiting += line
          if (waiting.length < WRITE_CHARS) continue
          await print(waiting)
          waiting = ''
        }
        await print(waiting)
      })
    })
}

function columnsOf(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim())
}
