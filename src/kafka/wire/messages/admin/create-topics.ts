import type { ApiTable } from '../../schema.ts'

/**
 * Describes CreateTopics, which creates topics with their partitions and options.
 *
 *     CreateTopicsRequest (2-7) => [topics] timeoutMs validateOnly
 *       topics => name numPartitions replicationFactor [assignments] [configs]
 *         name => string
 *         numPartitions => int32
 *         replicationFactor => int16
 *         assignments => partitionIndex [brokerIds]
 *           partitionIndex => int32
 *           brokerIds => int32
 *         configs => name value
 *           name => string
 *           value => string (nullable)
 *       timeoutMs => int32
 *       validateOnly => bool (1+)
 *     CreateTopicsResponse (2-7) => throttleTimeMs [topics]
 *       throttleTimeMs => int32 (2+)
 *       topics => name topicId errorCode errorMessage topicConfigErrorCode numPartitions replicationFactor
 *           [configs]
 *         name => string
 *         topicId => uuid (7+)
 *         errorCode => int16
 *         errorMessage => string (1+, nullable 0+)
 *         topicConfigErrorCode => int16 (5+, tag 0)
 *         numPartitions => int32 (5+)
 *         replicationFactor => int16 (5+)
 *         configs (5+, nullable) => name value readOnly configSource isSensitive
 *           name => string (5+)
 *           value => string (5+, nullable)
 *           readOnly => bool (5+)
 *           configSource => int8 (5+)
 *           isSensitive => bool (5+)
 */
export const CREATE_TOPICS = {
  key: 19,
  versions: [2, 7],
  flexibleFrom: 5,
  throttlesFrom: 3,
  request: {
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          numPartitions: { type: 'int32', versions: '0+' },
          replicationFactor: { type: 'int16', versions: '0+' },
          assignments: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                brokerIds: { type: ['int32'], versions: '0+' },
              },
            ],
            versions: '0+',
          },
          configs: {
            type: [
              {
                name: { type: 'string', versions: '0+' },
                value: { type: 'string', versions: '0+', nullable: '0+' },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
    timeoutMs: { type: 'int32', versions: '0+', default: 60000 },
    validateOnly: { type: 'bool', versions: '1+', default: false },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '2+', ignorable: true },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          topicId: { type: 'uuid', versions: '7+', ignorable: true },
          errorCode: { type: 'int16', versions: '0+' },
          errorMessage: { type: 'string', versions: '1+', nullable: '0+', ignorable: true },
          topicConfigErrorCode: { type: 'int16', versions: '5+', tag: 0, ignorable: true },
          numPartitions: { type: 'int32', versions: '5+', default: -1, ignorable: true },
          replicationFactor: { type: 'int16', versions: '5+', default: -1, ignorable: true },
          configs: {
            type: [
              {
                name: { type: 'string', versions: '5+' },
                value: { type: 'string', versions: '5+', nullable: '5+' },
                readOnly: { type: 'bool', versions: '5+' },
                configSource: { type: 'int8', versions: '5+', default: -1, ignorable: true },
                isSensitive: { type: 'bool', versions: '5+' },
              },
            ],
            versions: '5+',
            nullable: '5+',
            ignorable: true,
          },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
