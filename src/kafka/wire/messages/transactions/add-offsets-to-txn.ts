import type { ApiTable } from '../../schema.ts'

/**
 * Describes AddOffsetsToTxn, which announces that a transaction commits offsets of a group.
 *
 *     AddOffsetsToTxnRequest (0-4) => transactionalId producerId producerEpoch groupId
 *       transactionalId => string
 *       producerId => int64
 *       producerEpoch => int16
 *       groupId => string
 *     AddOffsetsToTxnResponse (0-4) => throttleTimeMs errorCode
 *       throttleTimeMs => int32
 *       errorCode => int16
 */
export const ADD_OFFSETS_TO_TXN = {
  key: 25,
  versions: [0, 4],
  flexibleFrom: 3,
  throttlesFrom: 1,
  request: {
    transactionalId: { type: 'string', versions: '0+' },
    producerId: { type: 'int64', versions: '0+' },
    producerEpoch: { type: 'int16', versions: '0+' },
    groupId: { type: 'string', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    errorCode: { type: 'int16', versions: '0+' },
  },
} as const satisfies ApiTable
