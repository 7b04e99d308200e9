import { PipelineError } from '../../core/errors.ts'
import type { DataType } from '../../core/schema.ts'
import type { Metadata, MetadataAction, Protocol } from './actions.ts'
import { unenforceable } from '../constraints/constraints.ts'
import { allowsUse, legacyFeatures, readsFeature } from './features.ts'

/** The newest protocol versions that the specification knows. Spec: "Table Features". */
const READER_VERSION_MAX = 3
const WRITER_VERSION_MAX = 7

/**
 * Refuses a table that cannot be read rightly. Throws `KD_TABLE_UNSUPPORTED` with the names of the features.
 * Spec: "Requirements for Readers".
 */
export function checkReadable(protocol: Protocol, metadata: Pick<MetadataAction, 'format'>): void {
  checkReaderVersion(protocol)
  refuse(
    'read',
    readerFeatures(protocol).filter((feature) => !readsFeature(feature)),
  )
  if (metadata.format.provider !== 'parquet') refuse('read', [`the format ${metadata.format.provider}`])
}

/**
 * Refuses a table to which files cannot be appended rightly: features that are not supported, and supported ones of
 * which the table holds an instance that cannot be enforced (an identity column; an invariant, a constraint, a generated
 * or default column with an expression that cannot be evaluated). Throws `KD_TABLE_UNSUPPORTED` with their names.
 * Spec: "Additional Requirements for Writers".
 */
export function checkAppendable(protocol: Protocol, metadata: Metadata): void {
  checkReaderVersion(protocol)
  checkWriterVersion(protocol)
  const features = writerFeatures(protocol)
  refuse(
    'write',
    features.filter((feature) => !allowsUse(feature, 'append')),
  )
  refuse(
    'write',
    features.flatMap((feature) => inUse(feature, metadata)),
  )
}

/** All features that the protocol asks of a reader, legacy versions as the features they stand for. */
export function readerFeatures(protocol: Protocol): readonly string[] {
  return protocol.minReaderVersion >= 3
    ? (protocol.readerFeatures ?? [])
    : legacyFeatures('legacyReader', protocol.minReaderVersion)
}

/** All features that the protocol asks of a writer, which must respect those of readers too. */
export function writerFeatures(protocol: Protocol): readonly string[] {
  const names =
    protocol.minWriterVersion >= 7
      ? (protocol.writerFeatures ?? [])
      : legacyFeatures('legacyWriter', protocol.minWriterVersion)
  return [...new Set([...names, ...readerFeatures(protocol)])]
}

function checkReaderVersion({ minReaderVersion, readerFeatures: features }: Protocol): void {
  if (minReaderVersion > READER_VERSION_MAX) refuse('read', [`reader version ${minReaderVersion}`])
  if (minReaderVersion < READER_VERSION_MAX || features !== undefined) return
  throw new PipelineError('KD_TABLE_CORRUPT', 'protocol.readerFeatures is missing at reader version 3')
}

function checkWriterVersion({ minWriterVersion, writerFeatures: features }: Protocol): void {
  if (minWriterVersion > WRITER_VERSION_MAX) refuse('write', [`writer version ${minWriterVersion}`])
  if (minWriterVersion < WRITER_VERSION_MAX || features !== undefined) return
  throw new PipelineError('KD_TABLE_CORRUPT', 'protocol.writerFeatures is missing at writer version 7')
}

/** What the table holds of a feature that an append cannot enforce, in words that begin with the feature's name. */
function inUse(feature: string, metadata: Metadata): readonly string[] {
  const columnsWith = (key: string): readonly string[] =>
    columnsHolding(metadata.schema, key).map((column) => `${feature} (column ${column})`)
  // Within arrays and maps there is no row of which an expression could be asked.
  const unreachable = (key: string): readonly string[] =>
    columnsHolding(metadata.schema, key, { elementsAlone: true }).map(
      (column) => `${feature} (column ${column})`,
    )
  switch (feature) {
    case 'identityColumns':
      return columnsWith('delta.identity.start')
    case 'invariants':
      return [...unenforceable(feature, metadata), ...unreachable('delta.invariants')]
    case 'generatedColumns':
      return [...unenforceable(feature, metadata), ...unreachable('delta.generationExpression')]
    default:
      return unenforceable(feature, metadata)
  }
}

function refuse(what: 'read' | 'write' | 'create', features: readonly string[]): void {
  if (features.length === 0) return
  throw new PipelineError('KD_TABLE_UNSUPPORTED', `cannot ${what} a table with ${features.join(', ')}`, {
    features,
  })
}

/** Columns, nested ones by their dotted path, whose metadata holds `key`; `elementsAlone` leaves out those in structs alone. */
function columnsHolding(
  type: DataType,
  key: string,
  { elementsAlone = false, path = '' } = {},
): readonly string[] {
  if (typeof type === 'string') return []
  const inElement = (part: string): { path: string } => ({ path: `${path}.${part}` })
  switch (type.type) {
    case 'struct':
      return type.fields.flatMap((field) => {
        const name = path === '' ? field.name : `${path}.${field.name}`
        const own = Object.hasOwn(field.metadata, key) && !elementsAlone ? [name] : []
        return [...own, ...columnsHolding(field.type, key, { elementsAlone, path: name })]
      })
    case 'array':
      return columnsHolding(type.elementType, key, inElement('element'))
    case 'map':
      return [
        ...columnsHolding(type.keyType, key, inElement('key')),
        ...columnsHolding(type.valueType, key, inElement('value')),
      ]
  }
}
