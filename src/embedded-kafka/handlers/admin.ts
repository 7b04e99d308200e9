import type { BrokerErrorName } from '../../kafka/wire/error-codes.ts'
import { EMBEDDED_TOPIC_OPTIONS, topicOptionFaultOf } from '../topic-options.ts'
import { codeOf, findPartition, NODE_ID, type Handler } from './handler.ts'

const DEFAULT_PARTITIONS = 1
const TOPIC_RESOURCE = 2
const BROKER_RESOURCE = 4
const DEFAULT_SOURCE = 5
const TOPIC_SOURCE = 1

/** Answers CreateTopics; each topic is created or refused by itself. */
export const answerCreateTopics: Handler<'CreateTopics'> = (
  { topics: wanted, validateOnly },
  { topics },
) => ({
  topics: wanted.map(({ name, numPartitions, assignments, configs }) => {
    const assigned = assignments.length > 0 ? assignments.length : DEFAULT_PARTITIONS
    const partitions = numPartitions < 0 ? assigned : numPartitions
    const fault = topics.faultOf(name, partitions)
    if (fault !== undefined) return { name, errorCode: codeOf(fault) }
    const options = new Map(configs.map(({ name: key, value }) => [key, value ?? '']))
    for (const [key, value] of options) {
      const errorMessage = topicOptionFaultOf(key, value)
      if (errorMessage !== undefined) return { name, errorCode: codeOf('INVALID_CONFIG'), errorMessage }
    }
    const made = validateOnly ? undefined : topics.create(name, partitions, options)
    return {
      ...{ name, errorCode: 0, numPartitions: partitions, replicationFactor: 1 },
      ...(made === undefined ? {} : { topicId: made.id }),
    }
  }),
})

/** Answers DeleteTopics, by name or by id. */
export const answerDeleteTopics: Handler<'DeleteTopics'> = (body, { topics, groups }) => {
  const named = body.topicNames.map((name) => ({ name, topicId: '' }))
  const wanted = body.topics.length > 0 ? body.topics : named
  return {
    responses: wanted.map(({ name, topicId }) => {
      const topic = topics.find({ topicId, name: name ?? '' })
      if (topic === undefined) {
        const error = name === null || name === '' ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
        return { name, ...(topicId === '' ? {} : { topicId }), errorCode: codeOf(error) }
      }
      topics.delete(topic)
      groups.forgetTopic(topic.name)
      return { name: topic.name, topicId: topic.id, errorCode: 0 }
    }),
  }
}

/** Answers CreatePartitions: topics only grow. */
export const answerCreatePartitions: Handler<'CreatePartitions'> = (
  { topics: wanted, validateOnly },
  { topics },
) => ({
  results: wanted.map(({ name, count }) => {
    const topic = topics.named(name)
    if (topic === undefined) return { name, errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION') }
    if (count <= topic.partitions.length) return { name, errorCode: codeOf('INVALID_PARTITIONS') }
    if (!validateOnly) topics.extend(topic, count)
    return { name, errorCode: 0 }
  }),
})

/** Answers DeleteRecords: -1 stands for the end of a partition. */
export const answerDeleteRecords: Handler<'DeleteRecords'> = ({ topics: wanted }, { topics }) => ({
  topics: wanted.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset }) => {
      const found = findPartition(topics, { name }, partitionIndex)
      if (typeof found === 'string') return { partitionIndex, lowWatermark: -1n, errorCode: codeOf(found) }
      const { log } = found
      if (offset > log.end)
        return { partitionIndex, lowWatermark: -1n, errorCode: codeOf('OFFSET_OUT_OF_RANGE') }
      log.dropBefore(offset < 0n ? log.end : offset)
      return { partitionIndex, lowWatermark: log.start, errorCode: 0 }
    }),
  })),
})

/** Answers DescribeConfigs with the options of topics; a broker has none that a client could ask for. */
export const answerDescribeConfigs: Handler<'DescribeConfigs'> = ({ resources }, { topics }) => ({
  results: resources.map(({ resourceType, resourceName, configurationKeys }) => {
    const answer = (error: BrokerErrorName, options: readonly (readonly [string, string, number])[]) => ({
      ...{ errorCode: codeOf(error), errorMessage: null, resourceType, resourceName },
      configs: options
        .filter(([name]) => configurationKeys?.includes(name) ?? true)
        .map(([name, value, configSource]) => ({
          ...{ name, value, readOnly: false, isSensitive: false },
          ...{ isDefault: configSource === DEFAULT_SOURCE, configSource },
        })),
    })
    if (resourceType === BROKER_RESOURCE)
      return answer(resourceName === '' || resourceName === String(NODE_ID) ? 'NONE' : 'INVALID_REQUEST', [])
    const topic = topics.named(resourceName)
    if (resourceType !== TOPIC_RESOURCE || topic === undefined)
      return answer(resourceType === TOPIC_RESOURCE ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_REQUEST', [])
    const defaults = [...EMBEDDED_TOPIC_OPTIONS].filter(([name]) => !topic.configs.has(name))
    return answer('NONE', [
      ...[...topic.configs].map(([name, value]) => [name, value, TOPIC_SOURCE] as const),
      ...defaults.map(([name, value]) => [name, value, DEFAULT_SOURCE] as const),
    ])
  }),
})
