import type { ApiTable } from '../../schema.ts'

/**
 * Describes EndTxn, which commits or aborts a transaction.
 *
 *     EndTxnRequest (0-5) => transactionalId producerId producerEpoch committed
 *       transactionalId => string
 *       producerId => int64
 *       producerEpoch => int16
 *       committed => bool
 *     EndTxnResponse (0-5) => throttleTimeMs errorCode producerId producerEpoch
 *       throttleTimeMs => int32
 *       errorCode => int16
 *       producerId => int64 (5+)
 *       producerEpoch => int16 (5+)
 */
export const END_TXN = {
  key: 26,
  versions: [0, 5],
  flexibleFrom: 3,
  throttlesFrom: 1,
  request: {
    transactionalId: { type: 'string', versions: '0+' },
    producerId: { type: 'int64', versions: '0+' },
    producerEpoch: { type: 'int16', versions: '0+' },
    committed: { type: 'bool', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    errorCode: { type: 'int16', versions: '0+' },
    producerId: { type: 'int64', versions: '5+', default: -1n, ignorable: true },
    producerEpoch: { type: 'int16', versions: '5+', default: -1, ignorable: true },
  },
} as const satisfies ApiTable
