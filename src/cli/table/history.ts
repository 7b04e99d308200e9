import type { Command } from 'commander'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { jsonOf, print } from '../output.ts'
import { countOf, tableCommand, withStore, type TableFlags } from './source.ts'

interface HistoryFlags extends TableFlags {
  readonly limit?: number
}

/** Adds `table history`: what happened to the table, newest first. */
export function addHistory(parent: Command): void {
  tableCommand(parent, 'history', [
    'kafka-delta table history ./lake/user_events --limit 20',
    "kafka-delta table history ./lake/user_events --json | jq '.operationMetrics'",
  ])
    .description(
      'version, time, operation and metrics of every commit that the log still holds, newest first',
    )
    .option('-l, --limit <n>', 'only the newest n commits', countOf)
    .option('--json', 'print one JSON object for each commit')
    .action(async (uri: string, flags: HistoryFlags) => {
      await withStore(uri, flags, async (store) => {
        for await (const entry of historyOf(store, flags.limit)) {
          await print(flags.json === true ? `${jsonOf(entry, 0)}\n` : textOf(entry))
        }
      })
    })
}

/** One commit as `table history` tells it; what its `commitInfo` does not say is absent. */
export interface HistoryEntry {
  readonly version: bigint
  /** ISO 8601 in UTC. */
  readonly time?: string
  readonly operation?: string
  readonly operationParameters?: unknown
  readonly operationMetrics?: unknown
  readonly engineInfo?: string
}

/** The commits of the log, newest first, read one at a time. Throws `KD_TABLE_MISSING` where there is no log. */
export async function* historyOf(store: Store, countMax = Infinity): AsyncGenerator<HistoryEntry> {
  const { listLog, readCommit } = await import('../../delta/log/log-segment.ts')
  const { commitInfoOf } = await import('../../delta/log/state.ts')
  const versions: bigint[] = []
  let logged = 0
  for await (const file of listLog(store, 0n)) {
    logged++
    if (file.kind === 'commit') versions.push(file.version)
  }
  if (logged === 0) throw new PipelineError('KD_TABLE_MISSING', 'the log is empty', { table: store.uri })
  for (const version of versions.reverse().slice(0, countMax)) {
    const commit = await readCommit(store, version)
    // Cleaned up since it was listed.
    if (commit !== undefined) yield entryOf(version, commitInfoOf(commit) ?? {})
  }
}

function entryOf(version: bigint, info: Readonly<Record<string, unknown>>): HistoryEntry {
  const { operation, operationParameters, operationMetrics, engineInfo } = info
  // Spec: "In-Commit Timestamps": where a commit carries its own, it is the time of the commit.
  const timestamp = info['inCommitTimestamp'] ?? info['timestamp']
  const at =
    typeof timestamp === 'number' || typeof timestamp === 'bigint' ? new Date(Number(timestamp)) : undefined
  return {
    version,
    ...(at === undefined || Number.isNaN(at.getTime()) ? {} : { time: at.toISOString() }),
    ...(typeof operation === 'string' ? { operation } : {}),
    ...(operationParameters === undefined ? {} : { operationParameters }),
    ...(operationMetrics === undefined ? {} : { operationMetrics }),
    ...(typeof engineInfo === 'string' ? { engineInfo } : {}),
  }
}

function textOf(entry: HistoryEntry): string {
  const metrics = Object.entries((entry.operationMetrics ?? {}) as Record<string, unknown>)
  const told = metrics.map(([name, value]) => `${name}=${String(value)}`).join(' ')
  const time = entry.time ?? 'at an unknown time'
  return (
    `${String(entry.version).padStart(8)}  ${time}  ${entry.operation ?? 'unknown operation'}  ${told}`.trimEnd() +
    '\n'
  )
}
