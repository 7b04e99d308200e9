import type { StorageConfig, TopicConfig } from '../../../config/types.ts'
import type { Circuit } from '../../core/circuit.ts'
import { mayNeedRegistry } from '../../formats/open/candidates.ts'
import { circuitNameOf } from '../../storage/circuit-name.ts'

/**
 * Returns true when a topic must wait while this circuit is open, because the topic uses the server behind it. The
 * requests themselves are held by `src/resilience/circuit-breaker.ts`, and reading stops once the topic's credit is
 * used up.
 */
export function needsCircuit(
  topic: TopicConfig,
  { kind, name }: Pick<Circuit, 'kind' | 'name'>,
  { s3, dynamodb }: Pick<StorageConfig, 's3' | 'dynamodb'>,
): boolean {
  // All topics of a process share its brokers and its schema registry.
  if (kind === 'kafka') return true
  if (kind === 'registry') return mayNeedRegistry(topic)
  const { table, deadLetters } = topic
  const names = [table.uri, deadLetters.table, deadLetters.replayLedger].flatMap((uri) =>
    uri === undefined ? [] : [circuitNameOf(uri)],
  )
  if (names.includes(name)) return true
  const isLocked = s3.logStore === 'dynamodb' && names.some((each) => each?.startsWith('s3://') === true)
  return isLocked && name === `dynamodb://${dynamodb.table}`
}

/** Returns true while the circuit holds back the requests to its server. */
export function isHoldingRequests({ state, isPassing }: Circuit): boolean {
  return state !== 'closed' && isPassing !== true
}
