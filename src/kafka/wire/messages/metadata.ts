import type { ApiTable } from '../schema.ts'

/**
 * Describes Metadata, which returns the brokers of a cluster and the partitions of topics. Topics are identified by
 * name or, since version 12, by id.
 *
 *     MetadataRequest (0-13) => [topics] allowAutoTopicCreation includeClusterAuthorizedOperations
 *         includeTopicAuthorizedOperations
 *       topics (nullable 1+) => topicId name
 *         topicId => uuid (10+)
 *         name => string (nullable 10+)
 *       allowAutoTopicCreation => bool (4+)
 *       includeClusterAuthorizedOperations => bool (8-10)
 *       includeTopicAuthorizedOperations => bool (8+)
 *     MetadataResponse (0-13) => throttleTimeMs [brokers] clusterId controllerId [topics]
 *         clusterAuthorizedOperations errorCode
 *       throttleTimeMs => int32 (3+)
 *       brokers => nodeId host port rack
 *         nodeId => int32
 *         host => string
 *         port => int32
 *         rack => string (1+, nullable)
 *       clusterId => string (2+, nullable)
 *       controllerId => int32 (1+)
 *       topics => errorCode name topicId isInternal [partitions] topicAuthorizedOperations
 *         errorCode => int16
 *         name => string (nullable 12+)
 *         topicId => uuid (10+)
 *         isInternal => bool (1+)
 *         partitions => errorCode partitionIndex leaderId leaderEpoch [replicaNodes] [isrNodes]
 *             [offlineReplicas]
 *           errorCode => int16
 *           partitionIndex => int32
 *           leaderId => int32
 *           leaderEpoch => int32 (7+)
 *           replicaNodes => int32
 *           isrNodes => int32
 *           offlineReplicas => int32 (5+)
 *         topicAuthorizedOperations => int32 (8+)
 *       clusterAuthorizedOperations => int32 (8-10)
 *       errorCode => int16 (13+)
 */
export const METADATA = {
  key: 3,
  versions: [0, 13],
  flexibleFrom: 9,
  throttlesFrom: 6,
  request: {
    topics: {
      type: [
        {
          topicId: { type: 'uuid', versions: '10+', ignorable: true },
          name: { type: 'string', versions: '0+', nullable: '10+' },
        },
      ],
      versions: '0+',
      nullable: '1+',
    },
    allowAutoTopicCreation: { type: 'bool', versions: '4+', default: true },
    includeClusterAuthorizedOperations: { type: 'bool', versions: '8-10' },
    includeTopicAuthorizedOperations: { type: 'bool', versions: '8+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '3+', ignorable: true },
    brokers: {
      type: [
        {
          nodeId: { type: 'int32', versions: '0+' },
          host: { type: 'string', versions: '0+' },
          port: { type: 'int32', versions: '0+' },
          rack: { type: 'string', versions: '1+', nullable: '1+', default: null, ignorable: true },
        },
      ],
      versions: '0+',
    },
    clusterId: { type: 'string', versions: '2+', nullable: '2+', default: null, ignorable: true },
    controllerId: { type: 'int32', versions: '1+', default: -1, ignorable: true },
    topics: {
      type: [
        {
          errorCode: { type: 'int16', versions: '0+' },
          name: { type: 'string', versions: '0+', nullable: '12+' },
          topicId: { type: 'uuid', versions: '10+', ignorable: true },
          isInternal: { type: 'bool', versions: '1+', default: false, ignorable: true },
          partitions: {
            type: [
              {
                errorCode: { type: 'int16', versions: '0+' },
                partitionIndex: { type: 'int32', versions: '0+' },
                leaderId: { type: 'int32', versions: '0+' },
                leaderEpoch: { type: 'int32', versions: '7+', default: -1, ignorable: true },
                replicaNodes: { type: ['int32'], versions: '0+' },
                isrNodes: { type: ['int32'], versions: '0+' },
                offlineReplicas: { type: ['int32'], versions: '5+', ignorable: true },
              },
            ],
            versions: '0+',
          },
          topicAuthorizedOperations: { type: 'int32', versions: '8+', default: -0x8000_0000 },
        },
      ],
      versions: '0+',
    },
    clusterAuthorizedOperations: { type: 'int32', versions: '8-10', default: -0x8000_0000 },
    errorCode: { type: 'int16', versions: '13+', ignorable: true },
  },
} as const satisfies ApiTable
