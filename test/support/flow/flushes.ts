import { type Flush } from '../../../src/core/batch.ts'
import { NO_TRACE } from '../../../src/core/flush-trace.ts'
import type { Add } from '../../../src/delta/protocol/actions.ts'

/** A flush of one partition with this payload. */
export function flushOf<P>(payload: P, facts: Partial<Flush<P>> = {}): Flush<P> {
  return {
    id: 1,
    ranges: [{ topic: 'events', partition: 3, follows: 4n, first: 5n, last: 9n }],
    payload,
    deadLetters: [],
    counts: { records: 5, rows: 3, deadLetters: 0, tombstones: 2, filtered: 0 },
    bytes: 100,
    newestMs: 7,
    trace: NO_TRACE,
    ...facts,
  }
}

/** A file of a table. */
export function addOf(path: string): Add {
  return { path, partitionValues: {}, size: 10, modificationTime: 1, dataChange: true }
}
