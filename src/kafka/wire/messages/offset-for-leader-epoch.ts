import type { ApiTable } from '../schema.ts'

/**
 * Describes OffsetForLeaderEpoch, which returns the end of a leader epoch in a partition, so that a reader can detect
 * a truncated log (KIP-320).
 *
 *     OffsetForLeaderEpochRequest (2-4) => replicaId [topics]
 *       replicaId => int32 (3+)
 *       topics => topic [partitions]
 *         topic => string
 *         partitions => partition currentLeaderEpoch leaderEpoch
 *           partition => int32
 *           currentLeaderEpoch => int32 (2+)
 *           leaderEpoch => int32
 *     OffsetForLeaderEpochResponse (2-4) => throttleTimeMs [topics]
 *       throttleTimeMs => int32 (2+)
 *       topics => topic [partitions]
 *         topic => string
 *         partitions => errorCode partition leaderEpoch endOffset
 *           errorCode => int16
 *           partition => int32
 *           leaderEpoch => int32 (1+)
 *           endOffset => int64
 */
export const OFFSET_FOR_LEADER_EPOCH = {
  key: 23,
  versions: [2, 4],
  flexibleFrom: 4,
  throttlesFrom: 2,
  request: {
    replicaId: { type: 'int32', versions: '3+', default: -2, ignorable: true },
    topics: {
      type: [
        {
          topic: { type: 'string', versions: '0+' },
          partitions: {
            type: [
              {
                partition: { type: 'int32', versions: '0+' },
                currentLeaderEpoch: { type: 'int32', versions: '2+', default: -1, ignorable: true },
                leaderEpoch: { type: 'int32', versions: '0+' },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '2+', ignorable: true },
    topics: {
      type: [
        {
          topic: { type: 'string', versions: '0+' },
          partitions: {
            type: [
              {
                errorCode: { type: 'int16', versions: '0+' },
                partition: { type: 'int32', versions: '0+' },
                leaderEpoch: { type: 'int32', versions: '1+', default: -1, ignorable: true },
                endOffset: { type: 'int64', versions: '0+', default: -1n },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
