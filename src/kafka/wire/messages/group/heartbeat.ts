import type { ApiTable } from '../../schema.ts'

/**
 * Describes Heartbeat, which keeps a member of a classic group alive and reports rebalances to it.
 *
 *     HeartbeatRequest (0-4) => groupId generationId memberId groupInstanceId
 *       groupId => string
 *       generationId => int32
 *       memberId => string
 *       groupInstanceId => string (3+, nullable)
 *     HeartbeatResponse (0-4) => throttleTimeMs errorCode
 *       throttleTimeMs => int32 (1+)
 *       errorCode => int16
 */
export const HEARTBEAT = {
  key: 12,
  versions: [0, 4],
  flexibleFrom: 4,
  throttlesFrom: 2,
  request: {
    groupId: { type: 'string', versions: '0+' },
    generationId: { type: 'int32', versions: '0+' },
    memberId: { type: 'string', versions: '0+' },
    groupInstanceId: { type: 'string', versions: '3+', nullable: '3+', default: null },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
  },
} as const satisfies ApiTable
