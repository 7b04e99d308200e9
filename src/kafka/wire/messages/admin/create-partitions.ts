import type { ApiTable } from '../../schema.ts'

/**
 * Describes CreatePartitions, which adds partitions to topics.
 *
 *     CreatePartitionsRequest (0-3) => [topics] timeoutMs validateOnly
 *       topics => name count [assignments]
 *         name => string
 *         count => int32
 *         assignments (nullable) => [brokerIds]
 *           brokerIds => int32
 *       timeoutMs => int32
 *       validateOnly => bool
 *     CreatePartitionsResponse (0-3) => throttleTimeMs [results]
 *       throttleTimeMs => int32
 *       results => name errorCode errorMessage
 *         name => string
 *         errorCode => int16
 *         errorMessage => string (nullable)
 */
export const CREATE_PARTITIONS = {
  key: 37,
  versions: [0, 3],
  flexibleFrom: 2,
  throttlesFrom: 1,
  request: {
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          count: { type: 'int32', versions: '0+' },
          assignments: {
            type: [{ brokerIds: { type: ['int32'], versions: '0+' } }],
            versions: '0+',
            nullable: '0+',
          },
        },
      ],
      versions: '0+',
    },
    timeoutMs: { type: 'int32', versions: '0+' },
    validateOnly: { type: 'bool', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    results: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          errorCode: { type: 'int16', versions: '0+' },
          errorMessage: { type: 'string', versions: '0+', nullable: '0+', default: null },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
