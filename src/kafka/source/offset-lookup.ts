import type { Clock } from '../../core/clock.ts'
import type { Watermark } from '../client/end-offsets.ts'

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
  const txns = await mapAtMost(partitions, LOOKUPS_AT_ONCE, ({ partition }) => resume(partition))
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

/** Maps `items` with at most `limit` calls at once; results are in the order of the items. */
async function mapAtMost<A, B>(
  items: readonly A[],
  limit: number,
  map: (item: A) => Promise<B>,
): Promise<B[]> {
  const results = new Array<B>(items.length)
  let at = 0
  const worker = async (): Promise<void> => {
    while (at < items.length) {
      const index = at++
      // In bounds: checked by the loop.
      results[index] = await map(items[index] as A)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}
