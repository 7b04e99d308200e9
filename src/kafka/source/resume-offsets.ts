import type { Clock } from '../../core/clock.ts'
import type { Watermark } from '../client/end-offsets.ts'

const LOOKUPS_AT_ONCE = 8
/** A new leader may tell an end offset from before its election for a moment. */
const END_CHECKS_MAX = 5
const END_CHECK_PAUSE_MS = 500

/** What the table and the broker say about partitions. */
export interface Lookup {
  /** The table's `txn` versions, in the order of the partitions asked for. */
  readonly txns: readonly (bigint | undefined)[]
  readonly marks: ReadonlyMap<number, Watermark>
}

/**
 * Asks the table for every partition, eight at a time, then the broker: what another member commits in between must not
 * look as if it lay past the end. Asks the broker again, five times, while an end offset lies before what the table holds.
 */
export async function lookUp(
  partitions: readonly { readonly partition: number }[],
  resume: (partition: number) => Promise<bigint | undefined>,
  watermarks: { read(): Promise<ReadonlyMap<number, Watermark>> },
  clock: Clock,
): Promise<Lookup> {
  const txns = await mapAtMost(partitions, LOOKUPS_AT_ONCE, ({ partition }) => resume(partition))
  for (let check = 1; ; check++) {
    const marks = await watermarks.read()
    const beyond = partitions.some(({ partition }, index) => {
      const txn = txns[index]
      return txn !== undefined && txn + 1n > (marks.get(partition)?.high ?? 0n)
    })
    if (!beyond || check >= END_CHECKS_MAX) return { txns, marks }
    await clock.sleep(END_CHECK_PAUSE_MS)
  }
}

/** Maps in order, at most `limit` at a time. */
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
