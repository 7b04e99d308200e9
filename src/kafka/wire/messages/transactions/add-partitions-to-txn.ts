import type { ApiTable } from '../../schema.ts'

/**
 * Describes AddPartitionsToTxn, which announces the partitions that a transaction writes to.
 *
 *     AddPartitionsToTxnRequest (0-5) => [transactions] v3AndBelowTransactionalId v3AndBelowProducerId
 *         v3AndBelowProducerEpoch [v3AndBelowTopics]
 *       transactions (4+) => transactionalId producerId producerEpoch verifyOnly [topics]
 *         transactionalId => string (4+)
 *         producerId => int64 (4+)
 *         producerEpoch => int16 (4+)
 *         verifyOnly => bool (4+)
 *         topics (4+) => name [partitions]
 *           name => string
 *           partitions => int32
 *       v3AndBelowTransactionalId => string (0-3)
 *       v3AndBelowProducerId => int64 (0-3)
 *       v3AndBelowProducerEpoch => int16 (0-3)
 *       v3AndBelowTopics (0-3) => name [partitions]
 *         name => string
 *         partitions => int32
 *     AddPartitionsToTxnResponse (0-5) => throttleTimeMs errorCode [resultsByTransaction]
 *         [resultsByTopicV3AndBelow]
 *       throttleTimeMs => int32
 *       errorCode => int16 (4+)
 *       resultsByTransaction (4+) => transactionalId [topicResults]
 *         transactionalId => string (4+)
 *         topicResults (4+) => name [resultsByPartition]
 *           name => string
 *           resultsByPartition => partitionIndex partitionErrorCode
 *             partitionIndex => int32
 *             partitionErrorCode => int16
 *       resultsByTopicV3AndBelow (0-3) => name [resultsByPartition]
 *         name => string
 *         resultsByPartition => partitionIndex partitionErrorCode
 *           partitionIndex => int32
 *           partitionErrorCode => int16
 */
export const ADD_PARTITIONS_TO_TXN = {
  key: 24,
  versions: [0, 5],
  flexibleFrom: 3,
  throttlesFrom: 1,
  request: {
    transactions: {
      type: [
        {
          transactionalId: { type: 'string', versions: '4+' },
          producerId: { type: 'int64', versions: '4+' },
          producerEpoch: { type: 'int16', versions: '4+' },
          verifyOnly: { type: 'bool', versions: '4+', default: false },
          topics: {
            type: [
              { name: { type: 'string', versions: '0+' }, partitions: { type: ['int32'], versions: '0+' } },
            ],
            versions: '4+',
          },
        },
      ],
      versions: '4+',
    },
    v3AndBelowTransactionalId: { type: 'string', versions: '0-3' },
    v3AndBelowProducerId: { type: 'int64', versions: '0-3' },
    v3AndBelowProducerEpoch: { type: 'int16', versions: '0-3' },
    v3AndBelowTopics: {
      type: [{ name: { type: 'string', versions: '0+' }, partitions: { type: ['int32'], versions: '0+' } }],
      versions: '0-3',
    },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    errorCode: { type: 'int16', versions: '4+', ignorable: true },
    resultsByTransaction: {
      type: [
        {
          transactionalId: { type: 'string', versions: '4+' },
          topicResults: {
            type: [
              {
                name: { type: 'string', versions: '0+' },
                resultsByPartition: {
                  type: [
                    {
                      partitionIndex: { type: 'int32', versions: '0+' },
                      partitionErrorCode: { type: 'int16', versions: '0+' },
                    },
                  ],
                  versions: '0+',
                },
              },
            ],
            versions: '4+',
          },
        },
      ],
      versions: '4+',
    },
    resultsByTopicV3AndBelow: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          resultsByPartition: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                partitionErrorCode: { type: 'int16', versions: '0+' },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0-3',
    },
  },
} as const satisfies ApiTable
