import type { ApiTable } from '../../schema.ts'

const ASSIGNMENT = {
  topicPartitions: {
    type: [
      {
        topicId: { type: 'uuid', versions: '0+' },
        topicName: { type: 'string', versions: '0+' },
        partitions: { type: ['int32'], versions: '0+' },
      },
    ],
    versions: '0+',
  },
} as const

/**
 * Describes ConsumerGroupDescribe, which lists the members of groups whose coordinator assigns partitions (KIP-848), with
 * their ids and epochs.
 *
 *     ConsumerGroupDescribeRequest (0-1) => [groupIds] includeAuthorizedOperations
 *       groupIds => string
 *       includeAuthorizedOperations => bool
 *     ConsumerGroupDescribeResponse (0-1) => throttleTimeMs [groups]
 *       throttleTimeMs => int32
 *       groups => errorCode errorMessage groupId groupState groupEpoch assignmentEpoch assignorName
 *           [members] authorizedOperations
 *         errorCode => int16
 *         errorMessage => string (nullable)
 *         groupId => string
 *         groupState => string
 *         groupEpoch => int32
 *         assignmentEpoch => int32
 *         assignorName => string
 *         members => memberId instanceId rackId memberEpoch clientId clientHost [subscribedTopicNames]
 *             subscribedTopicRegex assignment targetAssignment memberType
 *           memberId => string
 *           instanceId => string (nullable)
 *           rackId => string (nullable)
 *           memberEpoch => int32
 *           clientId => string
 *           clientHost => string
 *           subscribedTopicNames => string
 *           subscribedTopicRegex => string (nullable)
 *           assignment => [topicPartitions]
 *             topicPartitions => topicId topicName [partitions]
 *               topicId => uuid
 *               topicName => string
 *               partitions => int32
 *           targetAssignment => [topicPartitions]
 *             topicPartitions => topicId topicName [partitions]
 *               topicId => uuid
 *               topicName => string
 *               partitions => int32
 *           memberType => int8 (1+)
 *         authorizedOperations => int32
 */
export const CONSUMER_GROUP_DESCRIBE = {
  key: 69,
  versions: [0, 1],
  flexibleFrom: 0,
  throttlesFrom: 0,
  request: {
    groupIds: { type: ['string'], versions: '0+' },
    includeAuthorizedOperations: { type: 'bool', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    groups: {
      type: [
        {
          errorCode: { type: 'int16', versions: '0+' },
          errorMessage: { type: 'string', versions: '0+', nullable: '0+', default: null },
          groupId: { type: 'string', versions: '0+' },
          groupState: { type: 'string', versions: '0+' },
          groupEpoch: { type: 'int32', versions: '0+' },
          assignmentEpoch: { type: 'int32', versions: '0+' },
          assignorName: { type: 'string', versions: '0+' },
          members: {
            type: [
              {
                memberId: { type: 'string', versions: '0+' },
                instanceId: { type: 'string', versions: '0+', nullable: '0+', default: null },
                rackId: { type: 'string', versions: '0+', nullable: '0+', default: null },
                memberEpoch: { type: 'int32', versions: '0+' },
                clientId: { type: 'string', versions: '0+' },
                clientHost: { type: 'string', versions: '0+' },
                subscribedTopicNames: { type: ['string'], versions: '0+' },
                subscribedTopicRegex: { type: 'string', versions: '0+', nullable: '0+', default: null },
                assignment: { type: ASSIGNMENT, versions: '0+' },
                targetAssignment: { type: ASSIGNMENT, versions: '0+' },
                memberType: { type: 'int8', versions: '1+', default: -1, ignorable: true },
              },
            ],
            versions: '0+',
          },
          authorizedOperations: { type: 'int32', versions: '0+', default: -2147483648 },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
