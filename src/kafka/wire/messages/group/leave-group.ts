import type { ApiTable } from '../../schema.ts'

/**
 * Describes LeaveGroup, which removes members from a group; since version 3 several at once, static members by their
 * instance ids.
 *
 *     LeaveGroupRequest (0-5) => groupId memberId [members]
 *       groupId => string
 *       memberId => string (0-2)
 *       members (3+) => memberId groupInstanceId reason
 *         memberId => string (3+)
 *         groupInstanceId => string (3+, nullable)
 *         reason => string (5+, nullable)
 *     LeaveGroupResponse (0-5) => throttleTimeMs errorCode [members]
 *       throttleTimeMs => int32 (1+)
 *       errorCode => int16
 *       members (3+) => memberId groupInstanceId errorCode
 *         memberId => string (3+)
 *         groupInstanceId => string (3+, nullable)
 *         errorCode => int16 (3+)
 */
export const LEAVE_GROUP = {
  key: 13,
  versions: [0, 5],
  flexibleFrom: 4,
  throttlesFrom: 2,
  request: {
    groupId: { type: 'string', versions: '0+' },
    memberId: { type: 'string', versions: '0-2' },
    members: {
      type: [
        {
          memberId: { type: 'string', versions: '3+' },
          groupInstanceId: { type: 'string', versions: '3+', nullable: '3+', default: null },
          reason: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
        },
      ],
      versions: '3+',
    },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
    members: {
      type: [
        {
          memberId: { type: 'string', versions: '3+' },
          groupInstanceId: { type: 'string', versions: '3+', nullable: '3+' },
          errorCode: { type: 'int16', versions: '3+' },
        },
      ],
      versions: '3+',
    },
  },
} as const satisfies ApiTable
