import type { Batch, StageTiming } from '../../core/batch.ts'
import type { Raw } from '../../core/raw.ts'
import { traceparentsOf } from './pack-records.ts'
import type { Position } from './start-positions.ts'

/** Describes the origin of a batch. */
interface BatchOrigin {
  /** Offsets that the batch covers, also those of records that were filtered. */
  readonly first: bigint
  readonly last: bigint
  /** Credit that the batch holds. */
  readonly bytes: number
  /** Id of the topic that is committed with the offsets, if any. */
  readonly topicId: bigint | undefined
  /** Milliseconds since the epoch. */
  readonly polledAtMs: number
  readonly tracing: boolean
  readonly poll: StageTiming | undefined
}

/** Returns the batch that follows a position. */
export function sourceBatchOf(
  { partition, follows }: Pick<Position, 'partition' | 'follows'>,
  raw: Raw,
  { first, last, bytes, topicId, polledAtMs, tracing, poll }: BatchOrigin,
): Batch<Raw> {
  return {
    provenance: {
      topic: raw.topic,
      partition,
      follows,
      first,
      last,
      ...(topicId === undefined ? {} : { topicId }),
      records: raw.count,
      bytes,
      polledAtMs,
      traceparents: tracing ? traceparentsOf(raw) : [],
      timings: poll === undefined ? [] : [poll],
    },
    payload: raw,
  }
}
