import type { ApiTable } from '../../schema.ts'

/**
 * Describes ListGroups, which returns the groups that a broker coordinates.
 *
 *     ListGroupsRequest (0-5) => [statesFilter] [typesFilter]
 *       statesFilter => string (4+)
 *       typesFilter => string (5+)
 *     ListGroupsResponse (0-5) => throttleTimeMs errorCode [groups]
 *       throttleTimeMs => int32 (1+)
 *       errorCode => int16
 *       groups => groupId protocolType groupState groupType
 *         groupId => string
 *         protocolType => string
 *         groupState => string (4+)
 *         groupType => string (5+)
 */
export const LIST_GROUPS = {
  key: 16,
  versions: [0, 5],
  flexibleFrom: 3,
  throttlesFrom: 2,
  request: {
    statesFilter: { type: ['string'], versions: '4+' },
    typesFilter: { type: ['string'], versions: '5+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
    groups: {
      type: [
        {
          groupId: { type: 'string', versions: '0+' },
          protocolType: { type: 'string', versions: '0+' },
          groupState: { type: 'string', versions: '4+', ignorable: true },
          groupType: { type: 'string', versions: '5+', ignorable: true },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
