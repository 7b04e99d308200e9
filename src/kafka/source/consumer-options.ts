import type { FetcherOptions } from '../fetch/fetch-options.ts'
import type { GroupOptions } from '../group/membership.ts'
import type { SourceOptions } from './source-options.ts'

const MIB = 1024 * 1024

/** Returns how much a source fetches at once, how long it waits for it, and from where. */
export function fetchLimitsFrom(
  options: SourceOptions,
): Pick<FetcherOptions, 'fetchBytesMax' | 'partitionBytesMax' | 'fetchWaitMs' | 'rackId'> {
  return {
    fetchBytesMax: options.fetchBytesMax ?? 8 * MIB,
    partitionBytesMax: options.partitionBytesMax ?? MIB,
    fetchWaitMs: options.fetchWaitMsMax ?? 500,
    ...(options.rackId === undefined ? {} : { rackId: options.rackId }),
  }
}

/** Returns how a source takes part in its consumer group. */
export function groupOptionsFrom(
  options: SourceOptions,
): Omit<GroupOptions, 'cluster' | 'callbacks' | 'clock' | 'onEvent'> {
  return {
    groupId: options.groupId,
    topics: [options.topic],
    protocol: options.groupProtocol,
    groupInstanceId: options.groupInstanceId,
    rackId: options.rackId,
    sessionTimeoutMs: options.sessionTimeoutMs,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs,
    heartbeatMs: options.heartbeatMs,
  }
}
