import type { ApiTable } from '../schema.ts'

/**
 * Describes OffsetCommit, which commits offsets of a group. It carries the generation in the classic protocol, and the
 * member epoch with KIP-848 (version 9). Version 10 identifies topics by id.
 *
 *     OffsetCommitRequest (2-10) => groupId generationIdOrMemberEpoch memberId groupInstanceId
 *         retentionTimeMs [topics]
 *       groupId => string
 *       generationIdOrMemberEpoch => int32 (1+)
 *       memberId => string (1+)
 *       groupInstanceId => string (7+, nullable)
 *       retentionTimeMs => int64 (2-4)
 *       topics => name topicId [partitions]
 *         name => string (0-9)
 *         topicId => uuid (10+)
 *         partitions => partitionIndex committedOffset committedLeaderEpoch committedMetadata
 *           partitionIndex => int32
 *           committedOffset => int64
 *           committedLeaderEpoch => int32 (6+)
 *           committedMetadata => string (nullable)
 *     OffsetCommitResponse (2-10) => throttleTimeMs [topics]
 *       throttleTimeMs => int32 (3+)
 *       topics => name topicId [partitions]
 *         name => string (0-9)
 *         topicId => uuid (10+)
 *         partitions => partitionIndex errorCode
 *           partitionIndex => int32
 *           errorCode => int16
 */
export const OFFSET_COMMIT = {
  key: 8,
  versions: [2, 10],
  flexibleFrom: 8,
  throttlesFrom: 4,
  request: {
    groupId: { type: 'string', versions: '0+' },
    generationIdOrMemberEpoch: { type: 'int32', versions: '1+', default: -1, ignorable: true },
    memberId: { type: 'string', versions: '1+', ignorable: true },
    groupInstanceId: { type: 'string', versions: '7+', nullable: '7+', default: null },
    retentionTimeMs: { type: 'int64', versions: '2-4', default: -1n, ignorable: true },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0-9', ignorable: true },
          topicId: { type: 'uuid', versions: '10+', ignorable: true },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                committedOffset: { type: 'int64', versions: '0+' },
                committedLeaderEpoch: { type: 'int32', versions: '6+', default: -1, ignorable: true },
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
    throttleTimeMs: { type: 'int32', versions: '3+', ignorable: true },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0-9', ignorable: true },
          topicId: { type: 'uuid', versions: '10+', ignorable: true },
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
