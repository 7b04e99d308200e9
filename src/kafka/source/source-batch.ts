import type { Batch, StageTiming } from '../../core/batch.ts'
import type { Raw } from '../../core/raw.ts'
import type { FetchedRecords } from '../fetch/fetch-options.ts'
import { traceparentsOf } from './pack-records.ts'
import type { Position } from './start-positions.ts'

/** Describes what a batch covers. */
export interface ReadOffsets {
  /** Offsets that the batch covers, also those of records that were filtered. */
  readonly first: bigint
  readonly last: bigint
  /** Credit that the batch holds. */
  readonly bytes: number
  /** Time of the fetch; absent for a batch that was not fetched. */
  readonly poll?: StageTiming
}

/** Describes the origin of a batch. */
interface BatchOrigin extends ReadOffsets {
  /** Id of the topic that is committed with the offsets, if any. */
  readonly topicId: bigint | undefined
  /** Milliseconds since the epoch. */
  readonly polledAtMs: number
  readonly tracing: boolean
}

/** Returns what a batch of fetched records covers when it holds `bytes` of credit. */
export function fetchedOf(
  { raw, last, requestedAtMs, fetchedAtMs }: FetchedRecords,
  bytes: number,
): ReadOffsets {
  const poll = { stage: 'poll', startMs: requestedAtMs, endMs: fetchedAtMs }
  return { first: raw.offsets[0] ?? last, last, bytes, poll }
}

/** Throws an error if fetched records do not start where the position expects the next one. */
export function assertNext({ first }: Pick<FetchedRecords, 'first'>, { next }: Pick<Position, 'next'>): void {
  if (first !== next) throw new Error(`Broken invariant: expected records from offset ${next}, got ${first}`)
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
