import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Describes records that were sent together to one partition. */
export interface SentBatch {
  readonly partition: number
  /** Offset of the last record. */
  readonly last: bigint
  readonly records: number
  /** Time of the call that sent them, in milliseconds since the start of the process. */
  readonly sentAtMs: number
}

/** Says up to which offset a partition was visible, and since when. */
interface Visible {
  readonly last: bigint
  readonly atMs: number
}

/** How often the log of the table is looked at; the error of every latency. */
const POLL_MS = 5
/** Time after which records that were sent must be visible. */
const WAIT_MS_MAX = 60_000

/** Follows the log of a table like a reader that asks for the next version. */
export interface VisibleWatch {
  /** Resolves with the first commit of records. */
  readonly firstCommit: Promise<void>
  /**
   * Returns the time from sending to visibility of each record, in milliseconds, ascending; waits until all are visible.
   */
  latenciesOf(sent: readonly SentBatch[]): Promise<Float64Array>
  stop(): void
}

/** Starts to follow the log in `folder`; the `txn` of a partition is `<appId>-<partition>`. */
export function watchVisible(folder: string, topic: string): VisibleWatch {
  const partitions = new Map<number, Visible[]>()
  let next = 0
  let noteFirst: () => void = () => undefined
  const firstCommit = new Promise<void>((resolve) => (noteFirst = resolve))
  const look = (): void => {
    for (;;) {
      const path = join(folder, `${String(next).padStart(20, '0')}.json`)
      if (!existsSync(path)) return
      const atMs = performance.now()
      for (const [partition, last] of offsetsIn(readFileSync(path, 'utf8'))) {
        const known = partitions.get(partition) ?? []
        known.push({ last, atMs })
        partitions.set(partition, known)
        noteFirst()
      }
      next++
    }
  }
  const timer = setInterval(look, POLL_MS)
  return {
    firstCommit,
    async latenciesOf(sent) {
      const deadlineMs = performance.now() + WAIT_MS_MAX
      for (;;) {
        const found = sent.map(
          (batch) => [batch, atOf(partitions.get(batch.partition) ?? [], batch.last)] as const,
        )
        const missing = found.filter(([, at]) => at === undefined).length
        if (missing === 0) return sortedLatencies(found as readonly (readonly [SentBatch, number])[])
        if (performance.now() > deadlineMs)
          throw new Error(
            `${missing} batches of ${topic} were not in the table after ${WAIT_MS_MAX / 1_000} s`,
          )
        await delay(100)
      }
    },
    stop: () => {
      clearInterval(timer)
    },
  }
}

function offsetsIn(commit: string): (readonly [number, bigint])[] {
  return commit.split('\n').flatMap((line) => {
    if (!line.startsWith('{"txn"')) return []
    const { appId, version } = (JSON.parse(line) as { txn: { appId: string; version: number } }).txn
    const partition = /-(\d+)$/.exec(appId)?.[1]
    return partition === undefined ? [] : [[Number(partition), BigInt(version)] as const]
  })
}

/** Returns when an offset became visible: with the first commit that reaches it. */
function atOf(known: readonly Visible[], offset: bigint): number | undefined {
  return known.find(({ last }) => last >= offset)?.atMs
}

function sortedLatencies(found: readonly (readonly [SentBatch, number])[]): Float64Array {
  const all = found.flatMap(([{ records, sentAtMs }, atMs]) =>
    new Array<number>(records).fill(atMs - sentAtMs),
  )
  return Float64Array.from(all).sort()
}

/** Returns the value that a share of the ascending `values` does not exceed. */
export function percentile(values: Float64Array, share: number): number {
  return values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? NaN
}
