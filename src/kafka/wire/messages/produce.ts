import type { ApiTable } from '../schema.ts'

/**
 * Describes Produce, which appends record batches to partitions. Topics are identified by name or, since version 13, by id.
 *
 *     ProduceRequest (3-13) => transactionalId acks timeoutMs [topicData]
 *       transactionalId => string (3+, nullable)
 *       acks => int16
 *       timeoutMs => int32
 *       topicData => name topicId [partitionData]
 *         name => string (0-12)
 *         topicId => uuid (13+)
 *         partitionData => index records
 *           index => int32
 *           records => records (nullable)
 *     ProduceResponse (3-13) => [responses] throttleTimeMs [nodeEndpoints]
 *       responses => name topicId [partitionResponses]
 *         name => string (0-12)
 *         topicId => uuid (13+)
 *         partitionResponses => index errorCode baseOffset logAppendTimeMs logStartOffset [recordErrors]
 *             errorMessage currentLeader
 *           index => int32
 *           errorCode => int16
 *           baseOffset => int64
 *           logAppendTimeMs => int64 (2+)
 *           logStartOffset => int64 (5+)
 *           recordErrors (8+) => batchIndex batchIndexErrorMessage
 *             batchIndex => int32 (8+)
 *             batchIndexErrorMessage => string (8+, nullable)
 *           errorMessage => string (8+, nullable)
 *           currentLeader (10+, tag 0) => leaderId leaderEpoch
 *             leaderId => int32 (10+)
 *             leaderEpoch => int32 (10+)
 *       throttleTimeMs => int32 (1+)
 *       nodeEndpoints (10+, tag 0) => nodeId host port rack
 *         nodeId => int32 (10+)
 *         host => string (10+)
 *         port => int32 (10+)
 *         rack => string (10+, nullable)
 */
export const PRODUCE = {
  key: 0,
  versions: [3, 13],
  flexibleFrom: 9,
  throttlesFrom: 6,
  request: {
    transactionalId: { type: 'string', versions: '3+', nullable: '3+', default: null },
    acks: { type: 'int16', versions: '0+' },
    timeoutMs: { type: 'int32', versions: '0+' },
    topicData: {
      type: [
        {
          name: { type: 'string', versions: '0-12', ignorable: true },
          topicId: { type: 'uuid', versions: '13+', ignorable: true },
          partitionData: {
            type: [
              {
                index: { type: 'int32', versions: '0+' },
                records: { type: 'records', versions: '0+', nullable: '0+' },
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
    responses: {
      type: [
        {
          name: { type: 'string', versions: '0-12', ignorable: true },
          topicId: { type: 'uuid', versions: '13+', ignorable: true },
          partitionResponses: {
            type: [
              {
                index: { type: 'int32', versions: '0+' },
                errorCode: { type: 'int16', versions: '0+' },
                baseOffset: { type: 'int64', versions: '0+' },
                logAppendTimeMs: { type: 'int64', versions: '2+', default: -1n, ignorable: true },
                logStartOffset: { type: 'int64', versions: '5+', default: -1n, ignorable: true },
                recordErrors: {
                  type: [
                    {
                      batchIndex: { type: 'int32', versions: '8+' },
                      batchIndexErrorMessage: {
                        type: 'string',
                        versions: '8+',
                        nullable: '8+',
                        default: null,
                      },
                    },
                  ],
                  versions: '8+',
                  ignorable: true,
                },
                errorMessage: {
                  type: 'string',
                  versions: '8+',
                  nullable: '8+',
                  default: null,
                  ignorable: true,
                },
                currentLeader: {
                  type: {
                    leaderId: { type: 'int32', versions: '10+', default: -1 },
                    leaderEpoch: { type: 'int32', versions: '10+', default: -1 },
                  },
                  versions: '10+',
                  tag: 0,
                },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0, ignorable: true },
    nodeEndpoints: {
      type: [
        {
          nodeId: { type: 'int32', versions: '10+' },
          host: { type: 'string', versions: '10+' },
          port: { type: 'int32', versions: '10+' },
          rack: { type: 'string', versions: '10+', nullable: '10+', default: null },
        },
      ],
      versions: '10+',
      tag: 0,
    },
  },
} as const satisfies ApiTable
