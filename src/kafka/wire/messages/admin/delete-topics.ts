import type { ApiTable } from '../../schema.ts'

/**
 * Describes DeleteTopics, which deletes topics by their names or ids.
 *
 *     DeleteTopicsRequest (1-6) => [topics] [topicNames] timeoutMs
 *       topics (6+) => name topicId
 *         name => string (6+, nullable)
 *         topicId => uuid (6+)
 *       topicNames => string (0-5)
 *       timeoutMs => int32
 *     DeleteTopicsResponse (1-6) => throttleTimeMs [responses]
 *       throttleTimeMs => int32 (1+)
 *       responses => name topicId errorCode errorMessage
 *         name => string (nullable 6+)
 *         topicId => uuid (6+)
 *         errorCode => int16
 *         errorMessage => string (5+, nullable)
 */
export const DELETE_TOPICS = {
  key: 20,
  versions: [1, 6],
  flexibleFrom: 4,
  throttlesFrom: 2,
  request: {
    topics: {
      type: [
        {
          name: { type: 'string', versions: '6+', nullable: '6+', default: null },
          topicId: { type: 'uuid', versions: '6+' },
        },
      ],
      versions: '6+',
    },
    topicNames: { type: ['string'], versions: '0-5', ignorable: true },
    timeoutMs: { type: 'int32', versions: '0+' },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    responses: {
      type: [
        {
          name: { type: 'string', versions: '0+', nullable: '6+' },
          topicId: { type: 'uuid', versions: '6+', ignorable: true },
          errorCode: { type: 'int16', versions: '0+' },
          errorMessage: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
