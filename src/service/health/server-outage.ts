import { deadLetterSinksOf } from '../../../config/dead-letters/sinks.ts'
import type { StorageConfig, TopicConfig } from '../../../config/types.ts'
import type { Circuit } from '../../core/circuit.ts'
import { mayNeedRegistry } from '../../formats/open/candidates.ts'
import { accessCircuitNameOf, circuitNameOf } from '../../storage/circuit-name.ts'

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
  const names = storeNamesOf(topic)
  if (names.includes(name)) return true
  const isLocked = s3.logStore === 'dynamodb' && names.some((each) => each?.startsWith('s3://') === true)
  return isLocked && name === `dynamodb://${dynamodb.table}`
}

/** The names of the stores of each topic. With hundreds of topics and stores they are compared with each other at each probe. */
const STORE_NAMES = new WeakMap<TopicConfig, readonly (string | undefined)[]>()

function storeNamesOf(topic: TopicConfig): readonly (string | undefined)[] {
  const { table, deadLetters } = topic
  // The replay ledger is left out: only `dlq` uses it.
  const letters = deadLetterSinksOf(topic).table ? deadLetters.table : undefined
  const names =
    STORE_NAMES.get(topic) ??
    [table.uri, letters].flatMap((uri) =>
      uri === undefined ? [] : [circuitNameOf(uri), accessCircuitNameOf(uri)],
    )
  STORE_NAMES.set(topic, names)
  return names
}

/** Returns true while the circuit holds back the requests to its server, or the server answers none of them. */
export function makesTopicsWait({ state, isPassing, silentSinceMs }: Circuit): boolean {
  return silentSinceMs !== undefined || (state !== 'closed' && isPassing !== true)
}
