import type { ApiTable } from '../schema.ts'

/**
 * Describes OffsetFetch, which reads the committed offsets of a group. Version 7 can wait for open transactions
 * (KIP-447), version 8 supports several groups at once, version 10 identifies topics by id.
 *
 *     OffsetFetchRequest (1-10) => groupId [topics] [groups] requireStable
 *       groupId => string (0-7)
 *       topics (0-7, nullable 2-7) => name [partitionIndexes]
 *         name => string (0-7)
 *         partitionIndexes => int32 (0-7)
 *       groups (8+) => groupId memberId memberEpoch [topics]
 *         groupId => string (8+)
 *         memberId => string (9+, nullable)
 *         memberEpoch => int32 (9+)
 *         topics (8+, nullable) => name topicId [partitionIndexes]
 *           name => string (8-9)
 *           topicId => uuid (10+)
 *           partitionIndexes => int32 (8+)
 *       requireStable => bool (7+)
 *     OffsetFetchResponse (1-10) => throttleTimeMs [topics] errorCode [groups]
 *       throttleTimeMs => int32 (3+)
 *       topics (0-7) => name [partitions]
 *         name => string (0-7)
 *         partitions (0-7) => partitionIndex committedOffset committedLeaderEpoch metadata errorCode
 *           partitionIndex => int32 (0-7)
 *           committedOffset => int64 (0-7)
 *           committedLeaderEpoch => int32 (5-7)
 *           metadata => string (0-7, nullable)
 *           errorCode => int16 (0-7)
 *       errorCode => int16 (2-7)
 *       groups (8+) => groupId [topics] errorCode
 *         groupId => string (8+)
 *         topics (8+) => name topicId [partitions]
 *           name => string (8-9)
 *           topicId => uuid (10+)
 *           partitions (8+) => partitionIndex committedOffset committedLeaderEpoch metadata errorCode
 *             partitionIndex => int32 (8+)
 *             committedOffset => int64 (8+)
 *             committedLeaderEpoch => int32 (8+)
 *             metadata => string (8+, nullable)
 *             errorCode => int16 (8+)
 *         errorCode => int16 (8+)
 */
export const OFFSET_FETCH = {
  key: 9,
  versions: [1, 10],
  flexibleFrom: 6,
  throttlesFrom: 4,
  request: {
    groupId: { type: 'string', versions: '0-7' },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0-7' },
          partitionIndexes: { type: ['int32'], versions: '0-7' },
        },
      ],
      versions: '0-7',
      nullable: '2-7',
    },
    groups: {
      type: [
        {
          groupId: { type: 'string', versions: '8+' },
          memberId: { type: 'string', versions: '9+', nullable: '9+', default: null, ignorable: true },
          memberEpoch: { type: 'int32', versions: '9+', default: -1, ignorable: true },
          topics: {
            type: [
              {
                name: { type: 'string', versions: '8-9', ignorable: true },
                topicId: { type: 'uuid', versions: '10+', ignorable: true },
                partitionIndexes: { type: ['int32'], versions: '8+' },
              },
            ],
            versions: '8+',
            nullable: '8+',
          },
        },
      ],
      versions: '8+',
    },
    requireStable: { type: 'bool', versions: '7+', default: false },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '3+', ignorable: true },
    topics: {
      type: [
        {
          name: { type: 'string', versions: '0-7' },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0-7' },
                committedOffset: { type: 'int64', versions: '0-7' },
                committedLeaderEpoch: { type: 'int32', versions: '5-7', default: -1, ignorable: true },
                metadata: { type: 'string', versions: '0-7', nullable: '0-7' },
                errorCode: { type: 'int16', versions: '0-7' },
              },
            ],
            versions: '0-7',
          },
        },
      ],
      versions: '0-7',
    },
    errorCode: { type: 'int16', versions: '2-7', default: 0, ignorable: true },
    groups: {
      type: [
        {
          groupId: { type: 'string', versions: '8+' },
          topics: {
            type: [
              {
                name: { type: 'string', versions: '8-9', ignorable: true },
                topicId: { type: 'uuid', versions: '10+', ignorable: true },
                partitions: {
                  type: [
                    {
                      partitionIndex: { type: 'int32', versions: '8+' },
                      committedOffset: { type: 'int64', versions: '8+' },
                      committedLeaderEpoch: { type: 'int32', versions: '8+', default: -1, ignorable: true },
                      metadata: { type: 'string', versions: '8+', nullable: '8+' },
                      errorCode: { type: 'int16', versions: '8+' },
                    },
                  ],
                  versions: '8+',
                },
              },
            ],
            versions: '8+',
          },
          errorCode: { type: 'int16', versions: '8+', default: 0 },
        },
      ],
      versions: '8+',
    },
  },
} as const satisfies ApiTable
