import { BAD_RECORD_KINDS } from '../../sample/bad-records.ts'
import type { ProducedTotals } from '../../sample/produce.ts'
import { formatCount } from '../progress.ts'
import { formatTable } from '../output.ts'

/** Holds the totals of one topic. */
interface LoadTopicTotals {
  readonly topic: string
  readonly kind: string
  readonly partitions: number
  readonly records: number
  readonly bad: number
  /** Size of all values, in bytes. */
  readonly bytes: number
}

/** Holds the totals of what was sent so far; only records acknowledged by the brokers are counted. */
export interface LoadTotals {
  readonly seed: number
  readonly records: number
  readonly bad: number
  readonly bytes: number
  readonly seconds: number
  /** Records per second, averaged over the whole time. */
  readonly rate: number
  /** Number of invalid records by kind; kinds without records are absent. */
  readonly badByKind: Readonly<Record<string, number>>
  readonly topics: readonly LoadTopicTotals[]
}

/** Returns the totals over all topics after `ms` milliseconds. */
export function loadTotalsOf(
  loads: readonly {
    readonly topic: string
    readonly kind: string
    readonly sender: { readonly partitions: number }
    readonly produced: ProducedTotals
  }[],
  seed: number,
  ms: number,
): LoadTotals {
  const sum = (of: (produced: ProducedTotals) => number): number =>
    loads.reduce((total, { produced }) => total + of(produced), 0)
  const records = sum((produced) => produced.records)
  const seconds = Math.round(ms) / 1_000
  const badByKind = BAD_RECORD_KINDS.map(
    (kind) => [kind, sum((produced) => produced.badByKind.get(kind) ?? 0)] as const,
  )
  return {
    seed,
    records,
    bad: sum((produced) => produced.bad),
    bytes: sum((produced) => produced.bytes),
    seconds,
    rate: seconds === 0 ? 0 : Math.round((records / seconds) * 10) / 10,
    badByKind: Object.fromEntries(badByKind.filter(([, times]) => times > 0)),
    topics: loads.map(({ topic, kind, sender: { partitions }, produced: { records, bad, bytes } }) => ({
      topic,
      kind,
      partitions,
      records,
      bad,
      bytes,
    })),
  }
}

/** Formats the final totals: a summary line, and a table if there are several topics. */
export function formatLoadTotals({ records, bad, bytes, seconds, rate, seed, topics }: LoadTotals): string {
  const [only] = topics
  const where = topics.length === 1 && only !== undefined ? only.topic : `${topics.length} topics`
  const summary =
    `Sent ${formatCount(records)} records to ${where} in ${seconds.toFixed(1)} s: ${formatCount(Math.round(rate))} per second, ` +
    `${megabytes(bytes)} of values, ${formatCount(bad)} invalid on purpose, seed ${seed}\n`
  if (topics.length === 1) return summary
  const rows = topics.map((each) => [
    each.topic,
    each.kind,
    each.partitions,
    each.records,
    each.bad,
    each.bytes,
  ])
  return summary + formatTable(['topic', 'kind', 'partitions', 'records', 'bad', 'bytes'], rows)
}

/** Formats one line of progress: the totals, and the rate since the previous line. */
export function formatLoadProgress({ seconds, records, bytes }: LoadTotals, rate: number): string {
  return `${seconds.toFixed(0).padStart(6)} s ${formatCount(records).padStart(13)} records ${formatCount(Math.round(rate)).padStart(9)} per second ${megabytes(bytes).padStart(11)}\n`
}

function megabytes(bytes: number): string {
  return `${formatCount(Math.round(bytes / 1e5) / 10)} MB`
}
