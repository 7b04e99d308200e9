import type { ApiTable } from '../../schema.ts'

/**
 * Describes SyncGroup, which sends the leader's assignments to the coordinator and returns the assignment of the
 * member.
 *
 *     SyncGroupRequest (0-5) => groupId generationId memberId groupInstanceId protocolType protocolName
 *         [assignments]
 *       groupId => string
 *       generationId => int32
 *       memberId => string
 *       groupInstanceId => string (3+, nullable)
 *       protocolType => string (5+, nullable)
 *       protocolName => string (5+, nullable)
 *       assignments => memberId assignment
 *         memberId => string
 *         assignment => bytes
 *     SyncGroupResponse (0-5) => throttleTimeMs errorCode protocolType protocolName assignment
 *       throttleTimeMs => int32 (1+)
 *       errorCode => int16
 *       protocolType => string (5+, nullable)
 *       protocolName => string (5+, nullable)
 *       assignment => bytes
 */
export const SYNC_GROUP = {
  key: 14,
  versions: [0, 5],
  flexibleFrom: 4,
  throttlesFrom: 2,
  request: {
    groupId: { type: 'string', versions: '0+' },
    generationId: { type: 'int32', versions: '0+' },
    memberId: { type: 'string', versions: '0+' },
    groupInstanceId: { type: 'string', versions: '3+', nullable: '3+', default: null },
    protocolType: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    protocolName: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    assignments: {
      type: [
        {
          memberId: { type: 'string', versions: '0+' },
          assignment: { type: 'bytes', versions: '0+' },
        },
      ],
      versions: '0+',
    },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
    protocolType: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    protocolName: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    assignment: { type: 'bytes', versions: '0+' },
  },
} as const satisfies ApiTable
