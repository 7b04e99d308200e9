import { PipelineError } from '../../core/errors.ts'
import type { Cluster } from './cluster.ts'
import { BROKER_ERRORS, errorNameOf, isPermanentRefusal, TOPIC_NAME_RULE } from './error-codes.ts'

const MISSING = BROKER_ERRORS.UNKNOWN_TOPIC_OR_PARTITION.code
const FORBIDDEN = BROKER_ERRORS.TOPIC_AUTHORIZATION_FAILED.code
const INVALID = BROKER_ERRORS.INVALID_TOPIC_EXCEPTION.code

/** Names the partitions of a topic. */
interface TopicPartitions {
  /** 32 hex digits; `NO_UUID` if the brokers report no ids. */
  readonly topicId: string
  /** Ascending. */
  readonly partitions: readonly number[]
}

/**
 * Returns the partitions of a topic, from fresh metadata. `rights` names the permissions that the caller needs, for the
 * error of a refusal.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_REFUSED, KD_KAFKA_UNREACHABLE
 */
export async function listPartitions(
  cluster: Pick<Cluster, 'metadata'>,
  topic: string,
  rights: string,
): Promise<TopicPartitions> {
  const { topics } = await cluster.metadata([topic], { refresh: true })
  const found = topics.get(topic)
  if (found?.errorCode === FORBIDDEN) {
    const detail = `expected the right to ${rights} topic ${JSON.stringify(topic)}, got: TOPIC_AUTHORIZATION_FAILED`
    throw new PipelineError('KD_KAFKA_FORBIDDEN', detail, { topic })
  }
  if (found?.errorCode === INVALID) {
    const detail = `expected a topic name of ${TOPIC_NAME_RULE}, got ${JSON.stringify(topic)}: INVALID_TOPIC_EXCEPTION`
    throw new PipelineError('KD_KAFKA_REFUSED', detail, { topic })
  }
  const error = errorNameOf(found?.errorCode ?? 0)
  if (isPermanentRefusal(error))
    throw new PipelineError('KD_KAFKA_REFUSED', `expected the topic's partitions, got: ${error}`, { topic })
  if (found === undefined || found.errorCode === MISSING || found.partitions.length === 0)
    throw new PipelineError('KD_TOPIC_MISSING', 'expected the topic to exist', { topic })
  return {
    topicId: found.topicId,
    partitions: found.partitions.map(({ partitionIndex }) => partitionIndex),
  }
}
