import type { Command } from 'commander'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { formatJson, print } from '../output.ts'
import { parseCount, addTableSubcommand, withStore, type TableFlags } from './command.ts'

interface HistoryFlags extends TableFlags {
  readonly limit?: number
}

/** Adds the command `table history`, which lists the commits of a table, latest first. */
export function addHistory(parent: Command): void {
  addTableSubcommand(parent, 'history', [
    'kafka-delta table history ./lake/user_events --limit 20',
    "kafka-delta table history ./lake/user_events --json | jq '.operationMetrics'",
  ])
    .description('list version, time, operation and metrics of every commit in the log, latest first')
    .option('-l, --limit <n>', 'only the latest n commits', parseCount)
    .option('--json', 'print one JSON object per commit')
    .action(async (uri: string, flags: HistoryFlags) => {
      await withStore(uri, flags, async (store) => {
        for await (const entry of readHistory(store, flags.limit)) {
          await print(flags.json === true ? `${formatJson(entry, 0)}\n` : textOf(entry))
        }
      })
    })
}

/** Describes one commit for `table history`; fields that its `commitInfo` lacks are absent. */
interface HistoryEntry {
  readonly version: bigint
  /** ISO 8601 in UTC. */
  readonly time?: string
  readonly operation?: string
  readonly operationParameters?: unknown
  readonly operationMetrics?: unknown
  readonly engineInfo?: string
}

/**
 * Yields the commits of the log, latest first, reading one at a time.
 *
 * @throws KD_TABLE_MISSING if there is no log
 */
async function* readHistory(store: Store, countMax = Infinity): AsyncGenerator<HistoryEntry> {
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
    // The commit file may have been cleaned up since it was listed.
    if (commit !== undefined) yield entryOf(version, commitInfoOf(commit) ?? {})
  }
}

function entryOf(version: bigint, info: Readonly<Record<string, unknown>>): HistoryEntry {
  const { operation, operationParameters, operationMetrics, engineInfo } = info
  // Spec: "In-Commit Timestamps": if a commit carries one, it is the time of the commit.
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
  const metricsText = metrics.map(([name, value]) => `${name}=${String(value)}`).join(' ')
  const time = entry.time ?? 'unknown time'
  return (
    `${String(entry.version).padStart(8)}  ${time}  ${entry.operation ?? 'unknown operation'}  ${metricsText}`.trimEnd() +
    '\n'
  )
}
