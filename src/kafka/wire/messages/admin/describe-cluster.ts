import type { ApiTable } from '../../schema.ts'

/**
 * Describes DescribeCluster, which returns the brokers and the id of the cluster.
 *
 *     DescribeClusterRequest (0-2) => includeClusterAuthorizedOperations endpointType includeFencedBrokers
 *       includeClusterAuthorizedOperations => bool
 *       endpointType => int8 (1+)
 *       includeFencedBrokers => bool (2+)
 *     DescribeClusterResponse (0-2) => throttleTimeMs errorCode errorMessage endpointType clusterId
 *         controllerId [brokers] clusterAuthorizedOperations
 *       throttleTimeMs => int32
 *       errorCode => int16
 *       errorMessage => string (nullable)
 *       endpointType => int8 (1+)
 *       clusterId => string
 *       controllerId => int32
 *       brokers => brokerId host port rack isFenced
 *         brokerId => int32
 *         host => string
 *         port => int32
 *         rack => string (nullable)
 *         isFenced => bool (2+)
 *       clusterAuthorizedOperations => int32
 */
export const DESCRIBE_CLUSTER = {
  key: 60,
  versions: [0, 2],
  flexibleFrom: 0,
  throttlesFrom: 0,
  request: {
    includeClusterAuthorizedOperations: { type: 'bool', versions: '0+' },
    endpointType: { type: 'int8', versions: '1+', default: 1 },
    includeFencedBrokers: { type: 'bool', versions: '2+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    errorCode: { type: 'int16', versions: '0+' },
    errorMessage: { type: 'string', versions: '0+', nullable: '0+', default: null },
    endpointType: { type: 'int8', versions: '1+', default: 1 },
    clusterId: { type: 'string', versions: '0+' },
    controllerId: { type: 'int32', versions: '0+', default: -1 },
    brokers: {
      type: [
        {
          brokerId: { type: 'int32', versions: '0+' },
          host: { type: 'string', versions: '0+' },
          port: { type: 'int32', versions: '0+' },
          rack: { type: 'string', versions: '0+', nullable: '0+', default: null },
          isFenced: { type: 'bool', versions: '2+' },
        },
      ],
      versions: '0+',
    },
    clusterAuthorizedOperations: { type: 'int32', versions: '0+', default: -2147483648 },
  },
} as const satisfies ApiTable
