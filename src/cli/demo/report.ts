import type { Counts } from '../../core/batch.ts'
import type { ProducedTotals } from '../../sample/produce.ts'
import { formatCount } from '../progress.ts'

/** Describes the table as read back from storage. */
export interface DemoTable {
  /** Latest version of the table. */
  readonly version: bigint
  readonly files: number
  readonly bytes: number
  /** Number of rows according to the statistics of the files. */
  readonly rows: number
  /** Number of distinct pairs of Kafka partition and offset among the rows, read from the files. */
  readonly distinctOffsets: number
  /** Sample rows, each as one line of JSON. */
  readonly sample: readonly string[]
}

/** Holds everything that the demo measured and read back. */
export interface DemoOutcome {
  readonly produced: ProducedTotals
  readonly counts: Counts
  readonly commits: number
  readonly table: DemoTable
  /** Envelopes read from the dead-letter topic. */
  readonly deadLetters: readonly Readonly<Record<string, unknown>>[]
  /** Duration of the pipeline from start to end, in milliseconds. */
  readonly runMs: number
}

/** Returns a message for each pair of counts that do not match; empty if all match. */
export function findMismatches(outcome: DemoOutcome): string[] {
  const { produced, counts, table, deadLetters } = outcome
  const letters = new Set(
    deadLetters.map(
      (letter) => `${String(letter['original_partition'])}:${String(letter['original_offset'])}`,
    ),
  )
  const equal: [string, number, string, number][] = [
    ['records produced', produced.records, 'records read', counts.records],
    [
      'records read',
      counts.records,
      'rows + dead letters + tombstones + filtered',
      counts.rows + counts.deadLetters + counts.tombstones + counts.filtered,
    ],
    ['bad records produced', produced.bad, 'dead letters counted', counts.deadLetters],
    ['dead letters counted', counts.deadLetters, 'distinct records in the dead-letter topic', letters.size],
    ['rows written', counts.rows, 'rows in the table', table.rows],
    ['rows in the table', table.rows, 'distinct Kafka records among them', table.distinctOffsets],
  ]
  return equal
    .filter(([, left, , right]) => left !== right)
    .map(
      ([leftName, left, rightName, right]) =>
        `${leftName} ${formatCount(left)}, but ${rightName} ${formatCount(right)}`,
    )
}

/** Returns the report as lines. `commandPrefix` is the command that it suggests to call kafka-delta with. */
export function demoReportLinesOf(
  outcome: DemoOutcome,
  where: { readonly uri: string; readonly deadLetterTopic: string; readonly commandPrefix: string },
): string[] {
  const { counts, commits, table, produced, runMs } = outcome
  const mismatches = findMismatches(outcome)
  const rate = (counts.records / runMs) * 1000
  const megabytes = (produced.bytes / runMs / 1e6) * 1000
  const { uri, commandPrefix } = where
  return [
    '',
    `Produced       ${column(produced.records)}   ${formatCount(produced.bad)} of them invalid on purpose`,
    `Read           ${column(counts.records)}`,
    `  rows         ${column(counts.rows)}   in the table: ${formatCount(table.rows)}`,
    `  dead letters ${column(counts.deadLetters)}   in ${where.deadLetterTopic}: ${reasons(outcome.deadLetters)}`,
    `  tombstones   ${column(counts.tombstones)}`,
    ...(mismatches.length === 0
      ? ['All counts match, and no Kafka record is in the table twice.']
      : mismatches.map((line) => `MISMATCH: ${line}`)),
    '',
    `Table          ${uri}`,
    `  version      ${String(table.version)}, ${commits} commits of data`,
    `  files        ${table.files}, ${(table.bytes / 1e6).toFixed(1)} MB of Parquet from ${(produced.bytes / 1e6).toFixed(1)} MB of JSON`,
    `Rate           ${formatCount(Math.round(rate))} records a second, ${megabytes.toFixed(1)} MB/s, in ${(runMs / 1000).toFixed(1)} s from start to end`,
    '',
    'First rows',
    ...table.sample.map((line) => `  ${line}`),
    '',
    'Next steps',
    `  ${commandPrefix} table show ${uri}`,
    `  ${commandPrefix} table history ${uri}`,
    `  ${commandPrefix} table files ${uri}`,
    `  ${commandPrefix} table cat ${uri} --columns event_id,event_type,amount --limit 10`,
  ]
}

function reasons(letters: DemoOutcome['deadLetters']): string {
  const byReason = new Map<string, number>()
  for (const letter of letters) {
    const reason = String(letter['error_reason'])
    byReason.set(reason, (byReason.get(reason) ?? 0) + 1)
  }
  const parts = [...byReason].sort().map(([reason, number]) => `${reason} ${formatCount(number)}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function column(number: number): string {
  return formatCount(number).padStart(9)
}
