import type { Clock } from '../../core/clock.ts'
import type { Credit } from '../../core/credit/credit.ts'
import type { Raw } from '../../core/raw.ts'
import type { ReadObstacle } from '../fetch/read-obstacles.ts'
import type { KafkaOptions } from '../client/client.ts'
import type { Source } from './source.ts'

/** Configures how a topic is read. Sizes are in bytes, times in milliseconds. */
export interface SourceOptions extends KafkaOptions {
  readonly groupId: string
  readonly topic: string
  /** Start of Kafka partitions without an offset in the table. */
  readonly startFrom: 'earliest' | 'latest'
  /** Returns the table's `txn` version of a partition, the last offset that it holds. Called on every assignment and reset. */
  readonly resume: (partition: number) => Promise<bigint | undefined>
  /**
   * The id of the topic in the table. Without it, a topic that is deleted and created again is noticed only while the
   * source runs.
   */
  readonly storedTopicId?: StoredTopicId
  /**
   * Accepts a topic with another id than the table holds, and continues at the offsets in the table: only right if the same
   * records have the same offsets. Default false.
   */
  readonly acceptTopicId?: boolean
  /**
   * Called once, when the topic is confirmed to be the one of the table and before a record is read, with its id as Kafka's
   * tools show it (`undefined` if the brokers report none). An error ends the source.
   */
  readonly onTopicConfirmed?: (topicId: string | undefined) => Promise<void>
  /** Byte credit, taken before a batch is emitted. */
  readonly credit: Credit
  /** Returns the credit that a batch takes until its flush is committed. */
  readonly costBytes: (raw: Raw) => number
  /** `latest` completes at the end offsets that partitions have at the start. */
  readonly until: 'stopped' | 'latest'
  /** Maximum size of a fetch per partition; default 1 MiB. */
  readonly partitionBytesMax?: number
  /** Maximum size of a fetch per broker, read before credit is taken; default 8 MiB. */
  readonly fetchBytesMax?: number
  /** Time that a broker may hold a fetch without records; default 500. */
  readonly fetchWaitMsMax?: number
  /** Default 30,000. */
  readonly sessionTimeoutMs?: number
  /** Default 60,000. */
  readonly rebalanceTimeoutMs?: number
  /** Default 3,000. */
  readonly heartbeatMs?: number
  /** Which records are read; default `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** The protocol of the consumer group; `consumer` (KIP-848) needs brokers of Kafka 4.0 or newer. Default `classic`. */
  readonly groupProtocol?: 'classic' | 'consumer'
  /** Makes a static member, which keeps its partitions over a restart within the session timeout. Unique per source. */
  readonly groupInstanceId?: string
  /** The rack of this process, so that the nearest replica is read. */
  readonly rackId?: string
  /** Collects `traceparent` headers. */
  readonly tracing?: boolean
  /** Called for every event. */
  readonly onEvent?: (event: SourceEvent) => void
  readonly clock?: Clock
}

/**
 * Keeps the id of a topic in the table, beside the offsets that were read under it. Ids are numbers: the first 63 bits of
 * Kafka's topic id.
 */
export interface StoredTopicId {
  /** Returns the id in the table; `undefined` if it holds none. Called with every lookup of offsets. */
  read(): Promise<bigint | undefined>
  /**
   * Replaces the id `follows` by `topicId`; `undefined` stands for none. Returns the id that the table holds then, which
   * is another one if another writer came first.
   */
  write(topicId: bigint, follows: bigint | undefined): Promise<bigint | undefined>
}

/** Describes an event in a source, for logs, metrics and readiness. */
export type SourceEvent =
  /** The assigned partitions, ascending: when some were assigned, and when the member has settled and they have changed or are none. */
  | { readonly kind: 'assigned'; readonly partitions: readonly number[] }
  /** The position of a partition was determined from the table and the broker. */
  | {
      readonly kind: 'positioned'
      readonly partition: number
      readonly next: bigint
      readonly follows: bigint | undefined
    }
  /** The topic is known, before the first positions; `topicId` as Kafka's tools show it, absent if the brokers report none. */
  | { readonly kind: 'topic-identified'; readonly topicId: string | undefined }
  | { readonly kind: 'rebalancing' }
  /** No broker answers: a request failed without a response, and no broker has answered since it was sent. */
  | { readonly kind: 'brokers-silent'; readonly error: unknown }
  /** A broker answers: for the first time, or again after `brokers-silent`. */
  | { readonly kind: 'brokers-answer' }
  /** A request to a broker got no response and is repeated. */
  | { readonly kind: 'restarting'; readonly error: unknown }
  | { readonly kind: 'credit-waited'; readonly bytes: number; readonly waitedMs: number }
  | { readonly kind: 'offsets-committed'; readonly partitions: number }
  | { readonly kind: 'offsets-failed'; readonly error: unknown }

/** Describes the position of an assigned partition, for status and lag. */
export interface PartitionStatus {
  readonly partition: number
  /** True if the offset to continue from is known. */
  readonly live: boolean
  /** Next offset to read; only meaningful if `live`. */
  readonly next: bigint
  /** The table's `txn` version at the last look; `undefined` if there is none or the table was not looked at. */
  readonly committed: bigint | undefined
  /** Newest end offset reported by a broker; `undefined` if none has reported it for a minute. */
  readonly end: bigint | undefined
  /** Why the partition cannot be read for now; absent if nothing is known to prevent it. */
  readonly obstacle?: ReadObstacle
}

/** Reads a Kafka topic and reports its positions. */
export interface KafkaSource extends Source {
  /** Returns the status of the assigned partitions, ascending. */
  status(): readonly PartitionStatus[]
  /**
   * Returns the partitions that the group last assigned to this source, also after they were lost, ascending; `undefined`
   * before the first assignment. Without this method, the partitions of `status` count as assigned, if there are any.
   */
  assignment?(): readonly number[] | undefined
  /** Returns why the topic has no assignment that it could read, or no broker that answers; `undefined` if nothing is known. */
  obstacle?(): ReadObstacle | undefined
}
