import type { ApiTable } from '../../schema.ts'

/**
 * Describes TxnOffsetCommit, which commits offsets of a group as part of a transaction.
 *
 *     TxnOffsetCommitRequest (0-5) => transactionalId groupId producerId producerEpoch generationId
 *         memberId groupInstanceId [topics]
 *       transactionalId => string
 *       groupId => string
 *       producerId => int64
 *       producerEpoch => int16
 *       generationId => int32 (3+)
 *       memberId => string (3+)
 *       groupInstanceId => string (3+, nullable)
 *       topics => name [partitions]
 *         name => string
 *         partitions => partitionIndex committedOffset committedLeaderEpoch committedMetadata
 *           partitionIndex => int32
 *           committedOffset => int64
 *           committedLeaderEpoch => int32 (2+)
 *           committedMetadata => string (nullable)
 *     TxnOffsetCommitResponse (0-5) => throttleTimeMs [topics]
 *       throttleTimeMs => int32
 *       topics => name [partitions]
 *         name => string
 *         partitions => partitionIndex errorCode
 *           partitionIndex => int32
 *           errorCode => int16
 */
export const TXN_OFFSET_COMMIT = {
  key: 28,
  versions: [0, 5],
  flexibleFrom: 3,
  throttlesFrom: 1,
  request: {
    transactionalId: { type: 'string', versions: '0+' },
    groupId: { type: 'string', versions: '0+' },
    producerId: { type: 'int64', versions: '0+' },
    producerEpoch: { type: 'int16', versions: '0+' },
    generationId: { type: 'int32', versions: '3+', default: -1 },
    memberId: { type: 'string', versions: '3+', default: '' },
    groupInstanceId: { type: 'string', versions: '3+', nullable: '3+', default: null },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                committedOffset: { type: 'int64', versions: '0+' },
                committedLeaderEpoch: { type: 'int32', versions: '2+', default: -1, ignorable: true },
                committedMetadata: { type: 'string', versions: '0+', nullable: '0+' },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0+' },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                errorCode: { type: 'int16', versions: '0+' },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
