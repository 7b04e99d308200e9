import { BAD_KINDS } from '../../sample/bad-records.ts'
import type { Produced } from '../../sample/produce.ts'
import { count } from '../progress.ts'
import { tableOf } from '../output.ts'

/** What was sent to one topic, and what that comes to. */
export interface LoadedTopic {
  readonly topic: string
  readonly kind: string
  readonly partitions: number
  readonly records: number
  readonly bad: number
  /** Bytes of all values. */
  readonly bytes: number
}

/** What was sent so far; only what the brokers have is counted. */
export interface Loaded {
  readonly seed: number
  readonly records: number
  readonly bad: number
  readonly bytes: number
  readonly seconds: number
  /** Records a second over the whole time. */
  readonly rate: number
  /** Bad records by the way in which they are bad; those of none are absent. */
  readonly badByKind: Readonly<Record<string, number>>
  readonly topics: readonly LoadedTopic[]
}

/** The sums over all topics after `ms`. */
export function sumsOf(
  loads: readonly {
    readonly topic: string
    readonly kind: string
    readonly sender: { readonly partitions: number }
    readonly produced: Produced
  }[],
  seed: number,
  ms: number,
): Loaded {
  const sum = (of: (produced: Produced) => number): number =>
    loads.reduce((total, { produced }) => total + of(produced), 0)
  const records = sum((produced) => produced.records)
  const seconds = Math.round(ms) / 1_000
  const badByKind = BAD_KINDS.map(
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

/** The closing lines: one in all, and one for each topic where there are several. */
export function loadText({ records, bad, bytes, seconds, rate, seed, topics }: Loaded): string {
  const [only] = topics
  const where = topics.length === 1 && only !== undefined ? only.topic : `${topics.length} topics`
  const summary =
    `Sent ${count(records)} records to ${where} in ${seconds.toFixed(1)} s: ${count(Math.round(rate))} a second, ` +
    `${megabytes(bytes)} of values, ${count(bad)} bad on purpose, seed ${seed}\n`
  if (topics.length === 1) return summary
  const rows = topics.map((each) => [
    each.topic,
    each.kind,
    each.partitions,
    each.records,
    each.bad,
    each.bytes,
  ])
  return summary + tableOf(['topic', 'kind', 'partitions', 'records', 'bad', 'bytes'], rows)
}

/** One line of progress: what was sent, and the rate since the line before. */
export function progressText({ seconds, records, bytes }: Loaded, rate: number): string {
  return `${seconds.toFixed(0).padStart(6)} s ${count(records).padStart(13)} records ${count(Math.round(rate)).padStart(9)} a second ${megabytes(bytes).padStart(11)}\n`
}

function megabytes(bytes: number): string {
  return `${count(Math.round(bytes / 1e5) / 10)} MB`
}
