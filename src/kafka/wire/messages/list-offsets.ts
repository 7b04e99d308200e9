import type { ApiTable } from '../schema.ts'

/**
 * Describes ListOffsets, which returns the first offset at or after a timestamp. Special timestamps are: -1 the end,
 * -2 the start, -3 the largest timestamp (version 7), -4 the start of the local log (version 8), -5 the end of the
 * tiered log (version 9).
 *
 *     ListOffsetsRequest (1-11) => replicaId isolationLevel [topics] timeoutMs
 *       replicaId => int32
 *       isolationLevel => int8 (2+)
 *       topics => name [partitions]
 *         name => string
 *         partitions => partitionIndex currentLeaderEpoch timestamp
 *           partitionIndex => int32
 *           currentLeaderEpoch => int32 (4+)
 *           timestamp => int64
 *       timeoutMs => int32 (10+)
 *     ListOffsetsResponse (1-11) => throttleTimeMs [topics]
 *       throttleTimeMs => int32 (2+)
 *       topics => name [partitions]
 *         name => string
 *         partitions => partitionIndex errorCode timestamp offset leaderEpoch
 *           partitionIndex => int32
 *           errorCode => int16
 *           timestamp => int64 (1+)
 *           offset => int64 (1+)
 *           leaderEpoch => int32 (4+)
 */
export const LIST_OFFSETS = {
  key: 2,
  versions: [1, 11],
  flexibleFrom: 6,
  throttlesFrom: 3,
  request: {
    replicaId: { type: 'int32', versions: '0+' },
    isolationLevel: { type: 'int8', versions: '2+' },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                currentLeaderEpoch: { type: 'int32', versions: '4+', default: -1, ignorable: true },
                timestamp: { type: 'int64', versions: '0+' },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
    timeoutMs: { type: 'int32', versions: '10+', ignorable: true },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '2+', ignorable: true },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                errorCode: { type: 'int16', versions: '0+' },
                timestamp: { type: 'int64', versions: '1+', default: -1n },
                offset: { type: 'int64', versions: '1+', default: -1n },
                leaderEpoch: { type: 'int32', versions: '4+', default: -1 },
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
