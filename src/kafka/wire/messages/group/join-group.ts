import type { ApiTable } from '../../schema.ts'

/**
 * Describes JoinGroup, which makes a consumer a member of a classic group. Since version 4, a member without an id
 * gets MEMBER_ID_REQUIRED and an id for its next request (KIP-394). Version 5 adds static members (KIP-345); version 9
 * tells a restarted static leader that the assignment stays valid (KIP-814).
 *
 *     JoinGroupRequest (0-9) => groupId sessionTimeoutMs rebalanceTimeoutMs memberId groupInstanceId
 *         protocolType [protocols] reason
 *       groupId => string
 *       sessionTimeoutMs => int32
 *       rebalanceTimeoutMs => int32 (1+)
 *       memberId => string
 *       groupInstanceId => string (5+, nullable)
 *       protocolType => string
 *       protocols => name metadata
 *         name => string
 *         metadata => bytes
 *       reason => string (8+, nullable)
 *     JoinGroupResponse (0-9) => throttleTimeMs errorCode generationId protocolType protocolName leader
 *         skipAssignment memberId [members]
 *       throttleTimeMs => int32 (2+)
 *       errorCode => int16
 *       generationId => int32
 *       protocolType => string (7+, nullable)
 *       protocolName => string (nullable 7+)
 *       leader => string
 *       skipAssignment => bool (9+)
 *       memberId => string
 *       members => memberId groupInstanceId metadata
 *         memberId => string
 *         groupInstanceId => string (5+, nullable)
 *         metadata => bytes
 */
export const JOIN_GROUP = {
  key: 11,
  versions: [0, 9],
  flexibleFrom: 6,
  throttlesFrom: 3,
  request: {
    groupId: { type: 'string', versions: '0+' },
    sessionTimeoutMs: { type: 'int32', versions: '0+' },
    rebalanceTimeoutMs: { type: 'int32', versions: '1+', default: -1, ignorable: true },
    memberId: { type: 'string', versions: '0+' },
    groupInstanceId: { type: 'string', versions: '5+', nullable: '5+', default: null },
    protocolType: { type: 'string', versions: '0+' },
    protocols: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          metadata: { type: 'bytes', versions: '0+' },
        },
      ],
      versions: '0+',
    },
    reason: { type: 'string', versions: '8+', nullable: '8+', default: null, ignorable: true },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '2+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
    generationId: { type: 'int32', versions: '0+', default: -1 },
    protocolType: { type: 'string', versions: '7+', nullable: '7+', default: null, ignorable: true },
    protocolName: { type: 'string', versions: '0+', nullable: '7+' },
    leader: { type: 'string', versions: '0+' },
    skipAssignment: { type: 'bool', versions: '9+', default: false },
    memberId: { type: 'string', versions: '0+' },
    members: {
      type: [
        {
          memberId: { type: 'string', versions: '0+' },
          groupInstanceId: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
          metadata: { type: 'bytes', versions: '0+' },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
