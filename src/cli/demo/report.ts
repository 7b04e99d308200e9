import type { Counts } from '../../core/batch.ts'
import type { Produced } from '../../sample/produce.ts'
import { count } from '../progress.ts'

/** The table as the demo shows it, read back from storage. */
export interface DemoTable {
  /** Newest version. */
  readonly version: bigint
  readonly files: number
  readonly bytes: number
  /** Rows by the files' own statistics. */
  readonly rows: number
  /** Different (Kafka partition, offset) among the rows, each read from the files. */
  readonly positions: number
  /** Some rows, one line of JSON each. */
  readonly sample: readonly string[]
}

/** All that the demo saw. */
export interface DemoOutcome {
  readonly produced: Produced
  readonly counts: Counts
  readonly commits: number
  readonly table: DemoTable
  /** Envelopes of the dead-letter topic. */
  readonly deadLetters: readonly Readonly<Record<string, unknown>>[]
  /** How long the pipeline took, from its start to its end. */
  readonly runMs: number
}

/** What does not agree; empty when all sums do. */
export function disagreements(outcome: DemoOutcome): string[] {
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
    ['dead letters counted', counts.deadLetters, 'different records in the dead-letter topic', letters.size],
    ['rows written', counts.rows, 'rows in the table', table.rows],
    ['rows in the table', table.rows, 'different Kafka records among them', table.positions],
  ]
  return equal
    .filter(([, left, , right]) => left !== right)
    .map(
      ([leftName, left, rightName, right]) => `${leftName} ${count(left)}, but ${rightName} ${count(right)}`,
    )
}

/** The summary, as lines. `commandPrefix` is how the user calls kafka-delta. */
export function reportLines(
  outcome: DemoOutcome,
  where: { readonly uri: string; readonly deadLetterTopic: string; readonly commandPrefix: string },
): string[] {
  const { counts, commits, table, produced, runMs } = outcome
  const wrong = disagreements(outcome)
  const rate = (counts.records / runMs) * 1000
  const megabytes = (produced.bytes / runMs / 1e6) * 1000
  const { uri, commandPrefix } = where
  return [
    '',
    `Produced       ${column(produced.records)}   ${count(produced.bad)} of them bad on purpose`,
    `Read           ${column(counts.records)}`,
    `  rows         ${column(counts.rows)}   in the table: ${count(table.rows)}`,
    `  dead letters ${column(counts.deadLetters)}   in ${where.deadLetterTopic}: ${reasons(outcome.deadLetters)}`,
    `  tombstones   ${column(counts.tombstones)}`,
    ...(wrong.length === 0
      ? ['The sums agree, and each row of the table stems from another Kafka record.']
      : wrong.map((line) => `DISAGREES: ${line}`)),
    '',
    `Table          ${uri}`,
    `  version      ${String(table.version)}, ${commits} commits of data`,
    `  files        ${table.files}, ${(table.bytes / 1e6).toFixed(1)} MB of Parquet from ${(produced.bytes / 1e6).toFixed(1)} MB of JSON`,
    `Rate           ${count(Math.round(rate))} records a second, ${megabytes.toFixed(1)} MB/s, in ${(runMs / 1000).toFixed(1)} s from start to end`,
    '',
    'First rows',
    ...table.sample.map((line) => `  ${line}`),
    '',
    'Look further',
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
  const parts = [...byReason].sort().map(([reason, number]) => `${reason} ${count(number)}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function column(number: number): string {
  return count(number).padStart(9)
}
