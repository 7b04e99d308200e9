import { PipelineError } from '../../core/errors.ts'
import type { Cluster } from './cluster.ts'
import { BROKER_ERRORS, errorNameOf, isRetriable, refusalCodeOf, TOPIC_NAME_RULE } from './error-codes.ts'

const MISSING = BROKER_ERRORS.UNKNOWN_TOPIC_OR_PARTITION.code
const NO_LEADER = BROKER_ERRORS.LEADER_NOT_AVAILABLE.code
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
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_REFUSED, KD_KAFKA_UNREACHABLE; KD_SOURCE_FAILED, retryable,
 * while the topic is being created
 */
export async function listPartitions(
  cluster: Pick<Cluster, 'metadata'>,
  topic: string,
  rights: string,
): Promise<TopicPartitions> {
  const { topics } = await cluster.metadata([topic], { refresh: true })
  const found = topics.get(topic)
  if (found?.errorCode === INVALID) {
    const detail = `expected a topic name of ${TOPIC_NAME_RULE}, got ${JSON.stringify(topic)}: INVALID_TOPIC_EXCEPTION`
    throw new PipelineError('KD_KAFKA_REFUSED', detail, { topic })
  }
  const { errorCode, topicId, partitions } = found ?? { errorCode: MISSING, topicId: '', partitions: [] }
  if (errorCode === MISSING || (errorCode === 0 && partitions.length === 0))
    throw new PipelineError('KD_TOPIC_MISSING', 'expected the topic to exist', { topic })
  if (partitions.length > 0 && (errorCode === 0 || isRetriable(errorCode)))
    return { topicId, partitions: partitions.map(({ partitionIndex }) => partitionIndex) }
  throw refusalOf(topic, errorCode, rights)
}

/** Returns the error for a topic whose partitions the brokers do not report. */
function refusalOf(topic: string, errorCode: number, rights: string): PipelineError {
  const error = errorNameOf(errorCode)
  const code = refusalCodeOf(error)
  if (code === 'KD_KAFKA_FORBIDDEN') {
    const detail = `expected the right to ${rights} topic ${JSON.stringify(topic)}, got: ${error}`
    return new PipelineError(code, detail, { topic })
  }
  // While a topic is being created, its partitions have no leader yet.
  const detail =
    errorCode === NO_LEADER
      ? `expected the topic's partitions, got: ${error}; the topic is being created, so the next attempt may find them`
      : `expected the topic's partitions, got: ${error}`
  return new PipelineError(code, detail, { topic })
}
