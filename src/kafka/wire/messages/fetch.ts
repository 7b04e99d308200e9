import type { ApiTable } from '../schema.ts'

/**
 * Describes Fetch, which reads records of partitions. Version 4 is the first with transactions; later versions add
 * sessions (7, KIP-227), leader epochs (9, KIP-320), preferred replicas (11, KIP-392), divergence in tagged fields
 * (12), topic ids (13, KIP-516), the replica state (15, KIP-903) and the addresses of new leaders (16, KIP-951).
 *
 *     FetchRequest (4-18) => clusterId replicaId replicaState maxWaitMs minBytes maxBytes isolationLevel
 *         sessionId sessionEpoch [topics] [forgottenTopicsData] rackId
 *       clusterId => string (12+, nullable, tag 0)
 *       replicaId => int32 (0-14)
 *       replicaState (15+, tag 1) => replicaId replicaEpoch
 *         replicaId => int32 (15+)
 *         replicaEpoch => int64 (15+)
 *       maxWaitMs => int32
 *       minBytes => int32
 *       maxBytes => int32 (3+)
 *       isolationLevel => int8 (4+)
 *       sessionId => int32 (7+)
 *       sessionEpoch => int32 (7+)
 *       topics => topic topicId [partitions]
 *         topic => string (0-12)
 *         topicId => uuid (13+)
 *         partitions => partition currentLeaderEpoch fetchOffset lastFetchedEpoch logStartOffset
 *             partitionMaxBytes replicaDirectoryId highWatermark
 *           partition => int32
 *           currentLeaderEpoch => int32 (9+)
 *           fetchOffset => int64
 *           lastFetchedEpoch => int32 (12+)
 *           logStartOffset => int64 (5+)
 *           partitionMaxBytes => int32
 *           replicaDirectoryId => uuid (17+, tag 0)
 *           highWatermark => int64 (18+, tag 1)
 *       forgottenTopicsData (7+) => topic topicId [partitions]
 *         topic => string (7-12)
 *         topicId => uuid (13+)
 *         partitions => int32 (7+)
 *       rackId => string (11+)
 *     FetchResponse (4-18) => throttleTimeMs errorCode sessionId [responses] [nodeEndpoints]
 *       throttleTimeMs => int32 (1+)
 *       errorCode => int16 (7+)
 *       sessionId => int32 (7+)
 *       responses => topic topicId [partitions]
 *         topic => string (0-12)
 *         topicId => uuid (13+)
 *         partitions => partitionIndex errorCode highWatermark lastStableOffset logStartOffset
 *             divergingEpoch currentLeader snapshotId [abortedTransactions] preferredReadReplica records
 *           partitionIndex => int32
 *           errorCode => int16
 *           highWatermark => int64
 *           lastStableOffset => int64 (4+)
 *           logStartOffset => int64 (5+)
 *           divergingEpoch (12+, tag 0) => epoch endOffset
 *             epoch => int32 (12+)
 *             endOffset => int64 (12+)
 *           currentLeader (12+, tag 1) => leaderId leaderEpoch
 *             leaderId => int32 (12+)
 *             leaderEpoch => int32 (12+)
 *           snapshotId (12+, tag 2) => endOffset epoch
 *             endOffset => int64
 *             epoch => int32
 *           abortedTransactions (4+, nullable) => producerId firstOffset
 *             producerId => int64 (4+)
 *             firstOffset => int64 (4+)
 *           preferredReadReplica => int32 (11+)
 *           records => records (nullable)
 *       nodeEndpoints (16+, tag 0) => nodeId host port rack
 *         nodeId => int32 (16+)
 *         host => string (16+)
 *         port => int32 (16+)
 *         rack => string (16+, nullable)
 */
export const FETCH = {
  key: 1,
  versions: [4, 18],
  flexibleFrom: 12,
  throttlesFrom: 8,
  request: {
    clusterId: { type: 'string', versions: '12+', nullable: '12+', tag: 0, default: null, ignorable: true },
    replicaId: { type: 'int32', versions: '0-14', default: -1 },
    replicaState: {
      type: {
        replicaId: { type: 'int32', versions: '15+', default: -1 },
        replicaEpoch: { type: 'int64', versions: '15+', default: -1n },
      },
      versions: '15+',
      tag: 1,
    },
    maxWaitMs: { type: 'int32', versions: '0+' },
    minBytes: { type: 'int32', versions: '0+' },
    maxBytes: { type: 'int32', versions: '3+', default: 0x7fff_ffff, ignorable: true },
    isolationLevel: { type: 'int8', versions: '4+', default: 0, ignorable: true },
    sessionId: { type: 'int32', versions: '7+', default: 0, ignorable: true },
    sessionEpoch: { type: 'int32', versions: '7+', default: -1, ignorable: true },
    topics: {
      type: [
        {
          topic: { type: 'string', versions: '0-12', ignorable: true },
          topicId: { type: 'uuid', versions: '13+', ignorable: true },
          partitions: {
            type: [
              {
                partition: { type: 'int32', versions: '0+' },
                currentLeaderEpoch: { type: 'int32', versions: '9+', default: -1, ignorable: true },
                fetchOffset: { type: 'int64', versions: '0+' },
                lastFetchedEpoch: { type: 'int32', versions: '12+', default: -1 },
                logStartOffset: { type: 'int64', versions: '5+', default: -1n, ignorable: true },
                partitionMaxBytes: { type: 'int32', versions: '0+' },
                replicaDirectoryId: { type: 'uuid', versions: '17+', tag: 0, ignorable: true },
                highWatermark: {
                  type: 'int64',
                  versions: '18+',
                  tag: 1,
                  default: 9223372036854775807n,
                  ignorable: true,
                },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
    forgottenTopicsData: {
      type: [
        {
          topic: { type: 'string', versions: '7-12', ignorable: true },
          topicId: { type: 'uuid', versions: '13+', ignorable: true },
          partitions: { type: ['int32'], versions: '7+' },
        },
      ],
      versions: '7+',
    },
    rackId: { type: 'string', versions: '11+', default: '', ignorable: true },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    errorCode: { type: 'int16', versions: '7+', ignorable: true },
    sessionId: { type: 'int32', versions: '7+', default: 0 },
    responses: {
      type: [
        {
          topic: { type: 'string', versions: '0-12', ignorable: true },
          topicId: { type: 'uuid', versions: '13+', ignorable: true },
          partitions: {
            type: [
              {
                partitionIndex: { type: 'int32', versions: '0+' },
                errorCode: { type: 'int16', versions: '0+' },
                highWatermark: { type: 'int64', versions: '0+' },
                lastStableOffset: { type: 'int64', versions: '4+', default: -1n, ignorable: true },
                logStartOffset: { type: 'int64', versions: '5+', default: -1n, ignorable: true },
                divergingEpoch: {
                  type: {
                    epoch: { type: 'int32', versions: '12+', default: -1 },
                    endOffset: { type: 'int64', versions: '12+', default: -1n },
                  },
                  versions: '12+',
                  tag: 0,
                },
                currentLeader: {
                  type: {
                    leaderId: { type: 'int32', versions: '12+', default: -1 },
                    leaderEpoch: { type: 'int32', versions: '12+', default: -1 },
                  },
                  versions: '12+',
                  tag: 1,
                },
                snapshotId: {
                  type: {
                    endOffset: { type: 'int64', versions: '0+', default: -1n },
                    epoch: { type: 'int32', versions: '0+', default: -1 },
                  },
                  versions: '12+',
                  tag: 2,
                },
                abortedTransactions: {
                  type: [
                    {
                      producerId: { type: 'int64', versions: '4+' },
                      firstOffset: { type: 'int64', versions: '4+' },
                    },
                  ],
                  versions: '4+',
                  nullable: '4+',
                  ignorable: true,
                },
                preferredReadReplica: { type: 'int32', versions: '11+', default: -1 },
                records: { type: 'records', versions: '0+', nullable: '0+' },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
    nodeEndpoints: {
      type: [
        {
          nodeId: { type: 'int32', versions: '16+' },
          host: { type: 'string', versions: '16+' },
          port: { type: 'int32', versions: '16+' },
          rack: { type: 'string', versions: '16+', nullable: '16+', default: null },
        },
      ],
      versions: '16+',
      tag: 0,
    },
  },
} as const satisfies ApiTable
