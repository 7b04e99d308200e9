import type { ApiTable } from '../schema.ts'

/**
 * Describes FindCoordinator, which returns the coordinator of groups (key type 0) or transactions (key type 1).
 * Version 4 looks up several keys at once (KIP-699).
 *
 *     FindCoordinatorRequest (0-6) => key keyType [coordinatorKeys]
 *       key => string (0-3)
 *       keyType => int8 (1+)
 *       coordinatorKeys => string (4+)
 *     FindCoordinatorResponse (0-6) => throttleTimeMs errorCode errorMessage nodeId host port
 *         [coordinators]
 *       throttleTimeMs => int32 (1+)
 *       errorCode => int16 (0-3)
 *       errorMessage => string (1-3, nullable)
 *       nodeId => int32 (0-3)
 *       host => string (0-3)
 *       port => int32 (0-3)
 *       coordinators (4+) => key nodeId host port errorCode errorMessage
 *         key => string (4+)
 *         nodeId => int32 (4+)
 *         host => string (4+)
 *         port => int32 (4+)
 *         errorCode => int16 (4+)
 *         errorMessage => string (4+, nullable)
 */
export const FIND_COORDINATOR = {
  key: 10,
  versions: [0, 6],
  flexibleFrom: 3,
  throttlesFrom: 2,
  request: {
    key: { type: 'string', versions: '0-3' },
    keyType: { type: 'int8', versions: '1+', default: 0 },
    coordinatorKeys: { type: ['string'], versions: '4+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '0-3' },
    errorMessage: { type: 'string', versions: '1-3', nullable: '1-3', ignorable: true },
    nodeId: { type: 'int32', versions: '0-3' },
    host: { type: 'string', versions: '0-3' },
    port: { type: 'int32', versions: '0-3' },
    coordinators: {
      type: [
        {
          key: { type: 'string', versions: '4+' },
          nodeId: { type: 'int32', versions: '4+' },
          host: { type: 'string', versions: '4+' },
          port: { type: 'int32', versions: '4+' },
          errorCode: { type: 'int16', versions: '4+' },
          errorMessage: { type: 'string', versions: '4+', nullable: '4+', ignorable: true },
        },
      ],
      versions: '4+',
    },
  },
} as const satisfies ApiTable
