import type { ApiTable } from '../schema.ts'

/**
 * Describes InitProducerId, which returns the id and the epoch of an idempotent or transactional producer.
 *
 *     InitProducerIdRequest (0-6) => transactionalId transactionTimeoutMs producerId producerEpoch
 *         enable2Pc keepPreparedTxn
 *       transactionalId => string (nullable)
 *       transactionTimeoutMs => int32
 *       producerId => int64 (3+)
 *       producerEpoch => int16 (3+)
 *       enable2Pc => bool (6+)
 *       keepPreparedTxn => bool (6+)
 *     InitProducerIdResponse (0-6) => throttleTimeMs errorCode producerId producerEpoch
 *         ongoingTxnProducerId ongoingTxnProducerEpoch
 *       throttleTimeMs => int32
 *       errorCode => int16
 *       producerId => int64
 *       producerEpoch => int16
 *       ongoingTxnProducerId => int64 (6+)
 *       ongoingTxnProducerEpoch => int16 (6+)
 */
export const INIT_PRODUCER_ID = {
  key: 22,
  versions: [0, 6],
  flexibleFrom: 2,
  throttlesFrom: 1,
  request: {
    transactionalId: { type: 'string', versions: '0+', nullable: '0+' },
    transactionTimeoutMs: { type: 'int32', versions: '0+' },
    producerId: { type: 'int64', versions: '3+', default: -1n },
    producerEpoch: { type: 'int16', versions: '3+', default: -1 },
    enable2Pc: { type: 'bool', versions: '6+', default: false },
    keepPreparedTxn: { type: 'bool', versions: '6+', default: false },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+', ignorable: true },
    errorCode: { type: 'int16', versions: '0+' },
    producerId: { type: 'int64', versions: '0+', default: -1n },
    producerEpoch: { type: 'int16', versions: '0+' },
    ongoingTxnProducerId: { type: 'int64', versions: '6+', default: -1n },
    ongoingTxnProducerEpoch: { type: 'int16', versions: '6+', default: -1 },
  },
} as const satisfies ApiTable
