import { PipelineError } from '../../core/errors.ts'
import type { BrokerConnection } from './broker.ts'
import type { BrokerNode } from './cluster.ts'
import { BROKER_ERRORS, errorNameOf, isRetriable, refusalCodeOf } from './error-codes.ts'

const GROUP = 0
/** First version that looks up several groups in one request. */
const BATCHED_FROM = 4

/**
 * Requests the coordinator of a group from a broker.
 * @throws KD_KAFKA_UNREACHABLE, retryable, while the group has no coordinator; KD_KAFKA_FORBIDDEN if the group may not
 * be read; KD_KAFKA_REFUSED if the request is refused for what it says; KD_SOURCE_FAILED for any other error code
 */
export async function findCoordinator(
  broker: BrokerConnection,
  groupId: string,
  timeoutMs: number,
): Promise<Omit<BrokerNode, 'rack'>> {
  const isBatched = (broker.versionOf('FindCoordinator') ?? 0) >= BATCHED_FROM
  const body = isBatched ? { keyType: GROUP, coordinatorKeys: [groupId] } : { key: groupId }
  const response = await broker.request('FindCoordinator', body, { timeoutMs })
  const found = isBatched ? response.coordinators.find(({ key }) => key === groupId) : response
  const {
    errorCode = BROKER_ERRORS.COORDINATOR_NOT_AVAILABLE.code,
    nodeId = -1,
    host = '',
    port = 0,
  } = found ?? {}
  if (errorCode === 0) return { nodeId, host, port }
  const got = errorNameOf(errorCode)
  if (errorCode === BROKER_ERRORS.GROUP_AUTHORIZATION_FAILED.code) {
    const detail = `expected the right to Describe and Read group ${JSON.stringify(groupId)}, got: ${got}`
    throw new PipelineError('KD_KAFKA_FORBIDDEN', detail, { groupId })
  }
  const detail = `expected a coordinator of the group, got: ${got}`
  if (isRetriable(errorCode)) throw new PipelineError('KD_KAFKA_UNREACHABLE', detail, { groupId })
  throw new PipelineError(refusalCodeOf(got), detail, { groupId }, { retryable: false })
}
