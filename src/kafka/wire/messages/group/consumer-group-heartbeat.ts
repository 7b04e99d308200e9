import type { ApiTable } from '../../schema.ts'

/**
 * Describes ConsumerGroupHeartbeat, which joins, keeps alive and leaves a group whose coordinator assigns partitions
 * (KIP-848). Null means that a field has not changed since the last heartbeat. In version 1 members can subscribe with
 * a regular expression and create their own ids (KIP-1082).
 *
 *     ConsumerGroupHeartbeatRequest (0-1) => groupId memberId memberEpoch instanceId rackId
 *         rebalanceTimeoutMs [subscribedTopicNames] subscribedTopicRegex serverAssignor [topicPartitions]
 *       groupId => string
 *       memberId => string
 *       memberEpoch => int32
 *       instanceId => string (nullable)
 *       rackId => string (nullable)
 *       rebalanceTimeoutMs => int32
 *       subscribedTopicNames => string (nullable)
 *       subscribedTopicRegex => string (1+, nullable)
 *       serverAssignor => string (nullable)
 *       topicPartitions (nullable) => topicId [partitions]
 *         topicId => uuid
 *         partitions => int32
 *     ConsumerGroupHeartbeatResponse (0-1) => throttleTimeMs errorCode errorMessage memberId memberEpoch
 *         heartbeatIntervalMs assignment
 *       throttleTimeMs => int32
 *       errorCode => int16
 *       errorMessage => string (nullable)
 *       memberId => string (nullable)
 *       memberEpoch => int32
 *       heartbeatIntervalMs => int32
 *       assignment (nullable) => [topicPartitions]
 *         topicPartitions => topicId [partitions]
 *           topicId => uuid
 *           partitions => int32
 */
export const CONSUMER_GROUP_HEARTBEAT = {
  key: 68,
  versions: [0, 1],
  flexibleFrom: 0,
  throttlesFrom: 0,
  request: {
    groupId: { type: 'string', versions: '0+' },
    memberId: { type: 'string', versions: '0+' },
    memberEpoch: { type: 'int32', versions: '0+' },
    instanceId: { type: 'string', versions: '0+', nullable: '0+', default: null },
    rackId: { type: 'string', versions: '0+', nullable: '0+', default: null },
    rebalanceTimeoutMs: { type: 'int32', versions: '0+', default: -1 },
    subscribedTopicNames: { type: ['string'], versions: '0+', nullable: '0+', default: null },
    subscribedTopicRegex: { type: 'string', versions: '1+', nullable: '1+', default: null },
    serverAssignor: { type: 'string', versions: '0+', nullable: '0+', default: null },
    topicPartitions: {
      type: [
        {
          topicId: { type: 'uuid', versions: '0+' },
          partitions: { type: ['int32'], versions: '0+' },
        },
      ],
      versions: '0+',
      nullable: '0+',
      default: null,
    },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    errorCode: { type: 'int16', versions: '0+' },
    errorMessage: { type: 'string', versions: '0+', nullable: '0+', default: null },
    memberId: { type: 'string', versions: '0+', nullable: '0+', default: null },
    memberEpoch: { type: 'int32', versions: '0+' },
    heartbeatIntervalMs: { type: 'int32', versions: '0+' },
    assignment: {
      type: {
        topicPartitions: {
          type: [
            {
              topicId: { type: 'uuid', versions: '0+' },
              partitions: { type: ['int32'], versions: '0+' },
            },
          ],
          versions: '0+',
        },
      },
      versions: '0+',
      nullable: '0+',
      default: null,
    },
  },
} as const satisfies ApiTable
