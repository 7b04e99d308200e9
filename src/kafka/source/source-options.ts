import type { Clock } from '../../core/clock.ts'
import type { Credit } from '../../core/credit/credit.ts'
import type { Raw } from '../../core/raw.ts'
import type { KafkaOptions } from '../client/client.ts'
import type { Source } from './source.ts'

/** How a topic is read. Sizes in bytes, times in milliseconds. */
export interface SourceOptions extends KafkaOptions {
  readonly groupId: string
  readonly topic: string
  /** Where a partition starts that the table does not know. */
  readonly startFrom: 'earliest' | 'latest'
  /** The table's `txn` version of a partition: the last offset that it holds. Asked on every assignment and reset. */
  readonly resume: (partition: number) => Promise<bigint | undefined>
  /** The byte budget: taken before a batch is emitted. */
  readonly credit: Credit
  /** What a batch takes from the budget until its flush is committed. */
  readonly costBytes: (raw: Raw) => number
  /** `latest` completes at the end offsets as they are at the start. */
  readonly until: 'stopped' | 'latest'
  /** Of one fetch and partition; default 1 MiB. */
  readonly partitionBytesMax?: number
  /** Of one fetch and broker, fetched ahead of credit; default 8 MiB. */
  readonly fetchBytesMax?: number
  /** How long a broker may hold a fetch that finds nothing; default 500. */
  readonly fetchWaitMsMax?: number
  /** Default 30,000. */
  readonly sessionTimeoutMs?: number
  /** Default 60,000. */
  readonly rebalanceTimeoutMs?: number
  /** Default 3,000. */
  readonly heartbeatMs?: number
  /** Collects `traceparent` headers. */
  readonly tracing?: boolean
  /** Told what happens, as it happens. */
  readonly onEvent?: (event: SourceEvent) => void
  readonly clock?: Clock
}

/** What happens in a source, for logs, metrics and readiness. */
export type SourceEvent =
  | { readonly kind: 'assigned'; readonly partitions: readonly number[] }
  /** The table and the broker agreed on where a partition goes on. */
  | {
      readonly kind: 'positioned'
      readonly partition: number
      readonly next: bigint
      readonly follows: bigint | undefined
    }
  | { readonly kind: 'rebalancing' }
  /** kafkajs gave up for now and starts again by itself. */
  | { readonly kind: 'restarting'; readonly error: unknown }
  /** kafkajs was elsewhere than we expected, and was sent back. */
  | {
      readonly kind: 'repositioned'
      readonly partition: number
      readonly expected: bigint
      readonly got: bigint
    }
  | { readonly kind: 'credit-waited'; readonly bytes: number; readonly waitedMs: number }
  | { readonly kind: 'offsets-committed'; readonly partitions: number }
  | { readonly kind: 'offsets-failed'; readonly error: unknown }

/** Where one assigned partition stands, for status and lag. */
export interface PartitionStatus {
  readonly partition: number
  /** Whether the table has answered where to go on. */
  readonly live: boolean
  /** Next offset to read. */
  readonly next: bigint
  /** The table's `txn` as far as this member knows. */
  readonly committed: bigint | undefined
  /** Newest end offset told by the broker. */
  readonly end: bigint
}

/** A source that can tell where it stands. */
export interface KafkaSource extends Source {
  /** The assigned partitions, ascending. */
  status(): readonly PartitionStatus[]
}
