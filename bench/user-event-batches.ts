import type { Batch } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import { pack } from '../src/kafka/source/pack-records.ts'
import { generateUserEvents } from '../src/sample/user-events.ts'

const BATCH = 5_000

/** Returns `count` user events as JSON, in batches as a fetch returns them. */
export function userEventBatches(count: number): Batch<Raw>[] {
  const made: Batch<Raw>[] = []
  let records: Parameters<typeof pack>[2][number][] = []
  let offset = 0
  for (const event of generateUserEvents({ seed: 1, count })) {
    const { value } = event
    records.push({ key: null, value, timestamp: '1772323200000', offset: String(offset++) })
    if (records.length < BATCH) continue
    const payload = pack('events', 0, records, 0n)
    const provenance = {
      topic: 'events',
      partition: 0,
      follows: undefined,
      first: payload.offsets[0] ?? 0n,
      last: payload.offsets.at(-1) ?? 0n,
      records: payload.count,
      bytes: payload.bytes.length,
      polledAtMs: 0,
      traceparents: [],
      timings: [],
    }
    made.push({ provenance, payload })
    records = []
  }
  return made
}
