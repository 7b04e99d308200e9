import type { PartitionLog } from '../log/partition-log.ts'
import { codeOf, epochFaultOf, findPartition, type Handler } from './handler.ts'

const LATEST = -1n
const EARLIEST = -2n
const NEWEST_TIMESTAMP = -3n
const EARLIEST_LOCAL = -4n
const LATEST_TIERED = -5n

/** Answers ListOffsets: start, end, last stable offset for `read_committed`, or the first record of a time. */
export const answerListOffsets: Handler<'ListOffsets'> = (
  { isolationLevel, topics: wanted },
  { topics },
) => ({
  topics: wanted.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) => {
      const found = findPartition(topics, { name }, partitionIndex)
      const fault = typeof found === 'string' ? found : epochFaultOf(found.log, currentLeaderEpoch)
      if (typeof found === 'string' || fault !== 'NONE')
        return { partitionIndex, errorCode: codeOf(fault), timestamp: -1n, offset: -1n }
      const { log } = found
      return {
        ...{ partitionIndex, errorCode: 0, leaderEpoch: log.leaderEpoch },
        ...offsetAt(log, timestamp, isolationLevel === 1),
      }
    }),
  })),
})

function offsetAt(
  log: PartitionLog,
  timestamp: bigint,
  isCommitted: boolean,
): { readonly timestamp: bigint; readonly offset: bigint } {
  switch (timestamp) {
    case LATEST:
      return { timestamp: -1n, offset: isCommitted ? log.lastStable : log.end }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { timestamp: -1n, offset: log.start }
    case LATEST_TIERED:
      return { timestamp: -1n, offset: -1n }
    default: {
      const batch = timestamp === NEWEST_TIMESTAMP ? log.newest() : log.findByTime(timestamp)
      if (batch === undefined) return { timestamp: -1n, offset: -1n }
      // Batches are looked into by consumers alone; the offset is that of the batch, at or before the record.
      const offset = batch.baseOffset > log.start ? batch.baseOffset : log.start
      return { timestamp: batch.header.maxTimestampMs, offset }
    }
  }
}

/** Answers OffsetForLeaderEpoch: an epoch ends where the log does. */
export const answerOffsetForLeaderEpoch: Handler<'OffsetForLeaderEpoch'> = (
  { topics: wanted },
  { topics },
) => ({
  topics: wanted.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
      const found = findPartition(topics, { name: topic }, partition)
      const fault = typeof found === 'string' ? found : epochFaultOf(found.log, currentLeaderEpoch)
      if (typeof found === 'string' || fault !== 'NONE')
        return { errorCode: codeOf(fault), partition, leaderEpoch: -1, endOffset: -1n }
      const { log } = found
      const endOffset = leaderEpoch > log.leaderEpoch ? -1n : log.endOfEpoch(leaderEpoch)
      return { errorCode: 0, partition, leaderEpoch: Math.min(leaderEpoch, log.leaderEpoch), endOffset }
    }),
  })),
})
