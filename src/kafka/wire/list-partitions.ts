import { PipelineError } from '../../core/errors.ts'
import type { Cluster } from './cluster.ts'
import { BROKER_ERRORS } from './error-codes.ts'

const MISSING = BROKER_ERRORS.UNKNOWN_TOPIC_OR_PARTITION.code
const FORBIDDEN = BROKER_ERRORS.TOPIC_AUTHORIZATION_FAILED.code

/**
 * Returns the partitions of a topic, ascending, from fresh metadata. `rights` names the permissions that the caller needs,
 * for the error of a refusal.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_UNREACHABLE
 */
export async function listPartitions(
  cluster: Pick<Cluster, 'metadata'>,
  topic: string,
  rights: string,
): Promise<readonly number[]> {
  const { topics } = await cluster.metadata([topic], { refresh: true })
  const found = topics.get(topic)
  if (found?.errorCode === FORBIDDEN) {
    const detail = `expected the right to ${rights} topic ${JSON.stringify(topic)}, got: TOPIC_AUTHORIZATION_FAILED`
    throw new PipelineError('KD_KAFKA_FORBIDDEN', detail, { topic })
  }
  if (found === undefined || found.errorCode === MISSING || found.partitions.length === 0)
    throw new PipelineError('KD_TOPIC_MISSING', 'expected the topic to exist', { topic })
  return found.partitions.map(({ partitionIndex }) => partitionIndex)
}
