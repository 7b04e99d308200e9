import type { ApiTable } from '../../schema.ts'

/**
 * Describes DeleteRecords, which moves the start of partitions forward.
 *
 *     DeleteRecordsRequest (0-2) => [topics] timeoutMs
 *       topics => name [partitions]
 *         name => string
 *         partitions => partitionIndex offset
 *           partitionIndex => int32
 *           offset => int64
 *       timeoutMs => int32
 *     DeleteRecordsResponse (0-2) => throttleTimeMs [topics]
 *       throttleTimeMs => int32
 *       topics => name [partitions]
 *         name => string
 *         partitions => partitionIndex lowWatermark errorCode
 *           partitionIndex => int32
 *           lowWatermark => int64
 *           errorCode => int16
 */
export const DELETE_RECORDS = {
  key: 21,
  versions: [0, 2],
  flexibleFrom: 2,
  throttlesFrom: 1,
  request: {
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                offset: { type: 'int64', versions: '0+' },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
    timeoutMs: { type: 'int32', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                lowWatermark: { type: 'int64', versions: '0+' },
                errorCode: { type: 'int16', versions: '0+' },
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
