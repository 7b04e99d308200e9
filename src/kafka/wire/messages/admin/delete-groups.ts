import type { ApiTable } from '../../schema.ts'

/**
 * Describes DeleteGroups, which deletes groups without members.
 *
 *     DeleteGroupsRequest (0-2) => [groupsNames]
 *       groupsNames => string
 *     DeleteGroupsResponse (0-2) => throttleTimeMs [results]
 *       throttleTimeMs => int32
 *       results => groupId errorCode
 *         groupId => string
 *         errorCode => int16
 */
export const DELETE_GROUPS = {
  key: 42,
  versions: [0, 2],
  flexibleFrom: 2,
  throttlesFrom: 1,
  request: { groupsNames: { type: ['string'], versions: '0+' } },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    results: {
      type: [{ groupId: { type: 'string', versions: '0+' }, errorCode: { type: 'int16', versions: '0+' } }],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
