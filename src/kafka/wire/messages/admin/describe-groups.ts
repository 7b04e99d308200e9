import type { ApiTable } from '../../schema.ts'

/**
 * Describes DescribeGroups, which returns the members of classic groups.
 *
 *     DescribeGroupsRequest (0-6) => [groups] includeAuthorizedOperations
 *       groups => string
 *       includeAuthorizedOperations => bool (3+)
 *     DescribeGroupsResponse (0-6) => throttleTimeMs [groups]
 *       throttleTimeMs => int32 (1+)
 *       groups => errorCode errorMessage groupId groupState protocolType protocolData [members]
 *           authorizedOperations
 *         errorCode => int16
 *         errorMessage => string (6+, nullable)
 *         groupId => string
 *         groupState => string
 *         protocolType => string
 *         protocolData => string
 *         members => memberId groupInstanceId clientId clientHost memberMetadata memberAssignment
 *           memberId => string
 *           groupInstanceId => string (4+, nullable)
 *           clientId => string
 *           clientHost => string
 *           memberMetadata => bytes
 *           memberAssignment => bytes
 *         authorizedOperations => int32 (3+)
 */
export const DESCRIBE_GROUPS = {
  key: 15,
  versions: [0, 6],
  flexibleFrom: 5,
  throttlesFrom: 2,
  request: {
    groups: { type: ['string'], versions: '0+' },
    includeAuthorizedOperations: { type: 'bool', versions: '3+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    groups: {
      type: [
        {
          errorCode: { type: 'int16', versions: '0+' },
          errorMessage: { type: 'string', versions: '6+', nullable: '6+', default: null },
          groupId: { type: 'string', versions: '0+' },
          groupState: { type: 'string', versions: '0+' },
          protocolType: { type: 'string', versions: '0+' },
          protocolData: { type: 'string', versions: '0+' },
          members: {
            type: [
              {
                memberId: { type: 'string', versions: '0+' },
                groupInstanceId: {
                  type: 'string',
                  versions: '4+',
                  nullable: '4+',
                  default: null,
                  ignorable: true,
                },
                clientId: { type: 'string', versions: '0+' },
                clientHost: { type: 'string', versions: '0+' },
                memberMetadata: { type: 'bytes', versions: '0+' },
                memberAssignment: { type: 'bytes', versions: '0+' },
              },
            ],
            versions: '0+',
          },
          authorizedOperations: { type: 'int32', versions: '3+', default: -2147483648 },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
