import type { Clock } from '../../core/clock.ts'
import type { PipelineError } from '../../core/errors.ts'
import type { FetcherOptions } from './fetch-options.ts'
import type { FetchPartition } from './fetch-partition.ts'

/** Default maximum bytes per response and per partition, as in the Java client. */
const FETCH_BYTES_MAX = 50 * 1024 * 1024
const PARTITION_BYTES_MAX = 1024 * 1024
const FETCH_WAIT_MS = 500
const REQUEST_TIMEOUT_MS = 30_000
const MISSING_MS_MAX = 30_000
const REPLICA_MS_MAX = 300_000

type Limits =
  'fetchBytesMax' | 'partitionBytesMax' | 'fetchWaitMs' | 'requestTimeoutMs' | 'missingMsMax' | 'replicaMsMax'

/** Holds the limits of a fetcher with defaults applied. */
type FetchLimits = Required<Pick<FetcherOptions, Limits>>

/** Holds the state and callbacks that the parts of a fetcher share. */
export interface FetchContext extends Omit<FetcherOptions, Limits | 'clock'>, FetchLimits {
  readonly clock: Clock
  readonly isClosed: () => boolean
  /** Partitions that were sought and not dropped. */
  readonly partitions: () => Iterable<FetchPartition>
  /** Stops reading a partition and emits a `failed` event. */
  readonly failPartition: (partition: FetchPartition, error: PipelineError) => void
  /** Requests a lookup of the leaders. */
  readonly requestLeaderLookup: () => void
  /** Wakes the fetcher of the partition's broker; creates it if necessary. */
  readonly wakeBroker: (partition: FetchPartition) => void
  /** Resolves after `ms` milliseconds or when the fetcher closes. */
  readonly sleep: (ms: number) => Promise<void>
}

/** Returns the limits in the options, with defaults for those that are absent. */
export function fetchLimitsOf(options: FetcherOptions): FetchLimits {
  return {
    fetchBytesMax: options.fetchBytesMax ?? FETCH_BYTES_MAX,
    partitionBytesMax: options.partitionBytesMax ?? PARTITION_BYTES_MAX,
    fetchWaitMs: options.fetchWaitMs ?? FETCH_WAIT_MS,
    requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    missingMsMax: options.missingMsMax ?? MISSING_MS_MAX,
    replicaMsMax: options.replicaMsMax ?? REPLICA_MS_MAX,
  }
}
