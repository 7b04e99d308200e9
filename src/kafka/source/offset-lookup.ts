import type { Clock } from '../../core/clock.ts'
import { mapBounded } from '../../core/concurrency.ts'
import type { Watermark } from './watermarks.ts'

const LOOKUPS_AT_ONCE = 8
/** A new leader may briefly report an end offset from before its election. */
const END_CHECKS_MAX = 5
const END_CHECK_PAUSE_MS = 500

/** Holds the offsets of Kafka partitions in the table and at the broker. */
interface ResumeOffsets {
  /** The table's `txn` versions, in the order of the requested partitions. */
  readonly txns: readonly (bigint | undefined)[]
  readonly watermarks: ReadonlyMap<number, Watermark>
}

/**
 * Reads the offset of every partition from the table, eight at a time, and then the watermarks from the broker; in this
 * order, so that a commit of another member in between does not seem to be past the end. Reads the watermarks up to five
 * times while an end offset is lower than the offset in the table.
 */
export async function lookUpResumeOffsets(
  partitions: readonly { readonly partition: number }[],
  resume: (partition: number) => Promise<bigint | undefined>,
  watermarks: { read(): Promise<ReadonlyMap<number, Watermark>> },
  clock: Clock,
): Promise<ResumeOffsets> {
  const txns = await mapBounded(partitions, LOOKUPS_AT_ONCE, ({ partition }) => resume(partition))
  for (let check = 1; ; check++) {
    const current = await watermarks.read()
    const beyond = partitions.some(({ partition }, index) => {
      const txn = txns[index]
      return txn !== undefined && txn + 1n > (current.get(partition)?.high ?? 0n)
    })
    if (!beyond || check >= END_CHECKS_MAX) return { txns, watermarks: current }
    await clock.sleep(END_CHECK_PAUSE_MS)
  }
}
