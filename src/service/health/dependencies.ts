import type { StorageConfig, TopicConfig } from '../../../config/types.ts'
import type { Circuit } from '../../core/circuit.ts'
import { circuitNameOf } from '../../storage/circuit-name.ts'

/** Whether a topic cannot go on while the server behind a circuit does not answer. */
export function needsCircuit(
  topic: TopicConfig,
  { kind, name }: Pick<Circuit, 'kind' | 'name'>,
  { s3, dynamodb }: Pick<StorageConfig, 's3' | 'dynamodb'>,
): boolean {
  // All topics of a process share its brokers and its registry.
  if (kind === 'kafka') return true
  if (kind === 'registry') return topic.framing === 'registry'
  const { table, deadLetters } = topic
  const names = [table.uri, deadLetters.table, deadLetters.marks].flatMap((uri) =>
    uri === undefined ? [] : [circuitNameOf(uri)],
  )
  if (names.includes(name)) return true
  const isLocked = s3.logStore === 'dynamodb' && names.some((each) => each?.startsWith('s3://') === true)
  return isLocked && name === `dynamodb://${dynamodb.table}`
}
