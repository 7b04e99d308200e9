import type { Clock } from '../../core/clock.ts'
import type { PipelineError } from '../../core/errors.ts'
import type { Raw } from '../../core/raw.ts'
import type { Isolation } from '../records/read-records.ts'
import type { ReadObstacle } from './read-obstacles.ts'
import type { Cluster } from '../wire/cluster.ts'

/** Describes the start and end of a partition's log as last reported by its broker; -1 if not reported. */
export interface LogEnds {
  readonly logStart: bigint
  readonly highWatermark: bigint
  /** First offset of an open transaction, or the high watermark if there is none. */
  readonly lastStableOffset: bigint
}

/** Holds records of one partition from one response. */
export interface FetchedRecords extends LogEnds {
  readonly topic: string
  readonly partition: number
  /** May contain no records, if all were control records, aborted or removed by compaction. */
  readonly raw: Raw
  /** First offset covered, which is the requested offset. */
  readonly first: bigint
  /** Last offset covered, inclusive. */
  readonly last: bigint
  /** Epoch of the leader that appended the last batch; store it with the position. -1 if unknown. */
  readonly leaderEpoch: number
  /** Time of the request, in milliseconds since the epoch. */
  readonly requestedAtMs: number
  /** Time of the response, in milliseconds since the epoch. */
  readonly fetchedAtMs: number
  /** Returns false once the partition was sought again or dropped; the records must not be used then. */
  isCurrent(): boolean
}

/** Describes an event of a fetcher other than records. */
export type FetchEvent =
  /** The partition is no longer read until it is sought again; other partitions continue. */
  | {
      readonly kind: 'failed'
      readonly topic: string
      readonly partition: number
      readonly error: PipelineError
    }
  /** A broker did not respond in time, or its connection broke. Retried with backoff. */
  | { readonly kind: 'broker-failed'; readonly nodeId: number; readonly error: unknown }
  /** A broker that had failed responds again. */
  | { readonly kind: 'broker-answers'; readonly nodeId: number }
  /** The leaders of partitions could not be looked up. Retried with backoff. */
  | { readonly kind: 'metadata-failed'; readonly error: unknown }
  /** A broker returned an error for a partition. Retried there or at the new leader. */
  | {
      readonly kind: 'refused'
      readonly topic: string
      readonly partition: number
      readonly reason: string
      /** Consecutive refusals of this partition, including this one. */
      readonly refusals: number
    }
  /** The partition is now read from another broker. */
  | {
      readonly kind: 'moved'
      readonly topic: string
      readonly partition: number
      readonly nodeId: number
      readonly leaderEpoch: number
    }
  /** The start or end of a partition's log changed, with or without records. */
  | ({ readonly kind: 'ends'; readonly topic: string; readonly partition: number } & LogEnds)

/** Configures a fetcher. */
export interface FetcherOptions {
  readonly cluster: Pick<Cluster, 'metadata' | 'learnLeader' | 'broker'>
  readonly isolation: Isolation
  /** Rack of this process; lets brokers choose the nearest replica (KIP-392). */
  readonly rackId?: string
  /** Maximum bytes of records per response; 50 MiB by default. A single batch may exceed it. */
  readonly fetchBytesMax?: number
  /** Maximum bytes of records per partition and response; 1 MiB by default. A single batch may exceed it. */
  readonly partitionBytesMax?: number
  /** Maximum time that a broker waits for records, in milliseconds; 500 by default. */
  readonly fetchWaitMs?: number
  /** Maximum response time in addition to `fetchWaitMs`, in milliseconds; 30,000 by default. */
  readonly requestTimeoutMs?: number
  /** Time after which the partitions of a missing topic fail, in milliseconds; 30,000 by default. */
  readonly missingMsMax?: number
  /**
   * Maximum time of reading from a preferred replica before returning to the leader, in milliseconds; 300,000 by
   * default.
   */
  readonly replicaMsMax?: number
  /** Decompressed bytes after which a `Raw` ends; 32 MiB by default. */
  readonly readBytesMax?: number
  /** Maximum decompressed size of a batch in bytes; 256 MiB by default. */
  readonly batchBytesMax?: number
  readonly clock?: Clock
  /**
   * Receives records, per partition in offset order. While its promise is pending, the fetcher buffers at most one more
   * response of the same broker and sends it no further request. A rejection fails the partition.
   */
  readonly deliver: (fetched: FetchedRecords) => Promise<void> | undefined
  readonly onEvent: (event: FetchEvent) => void
}

/** Reads partitions from their leaders or preferred replicas. Reads only partitions that were sought. */
export interface Fetcher {
  /**
   * Starts reading a partition at an offset; discards records in flight for another position. `leaderEpoch` is the
   * epoch of the record before the offset: if the log was truncated before it, the partition fails. `topicId` (32 hex
   * digits) is the topic that the offset belongs to: if there is another one of the name, the partition fails.
   */
  seek(topic: string, partition: number, offset: bigint, leaderEpoch?: number, topicId?: string): void
  /** Stops reading a partition. */
  drop(topic: string, partition: number): void
  /** Stops fetching and delivering records of a partition; keeps its position. */
  pause(topic: string, partition: number): void
  /** Resumes a paused partition. */
  resume(topic: string, partition: number): void
  /** Returns the next offset of a partition; `undefined` if it is not read. */
  position(topic: string, partition: number): bigint | undefined
  /** Returns start and end of the partition's log; `undefined` until a broker reports them. */
  ends(topic: string, partition: number): LogEnds | undefined
  /** Returns why a partition cannot be read for now; `undefined` if nothing is known to prevent it. */
  obstacle(topic: string, partition: number): ReadObstacle | undefined
  /** Stops all reading; resolves when no further records will be delivered. The cluster's connections stay open. */
  close(): Promise<void>
}
