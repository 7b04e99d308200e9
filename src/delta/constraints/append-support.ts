import type { DataType } from '../../core/schema.ts'
import type { Protocol, Metadata } from '../protocol/actions.ts'
import { allowsOperation } from '../protocol/features.ts'
import {
  checkReaderVersion,
  checkWriterVersion,
  writerFeaturesOf,
  refuseFeatures,
} from '../protocol/protocol.ts'
import { findUnenforceableExpressions } from './constraints.ts'

/**
 * Refuses a table to which files cannot be appended correctly: tables with unsupported features, and tables with
 * supported features of which an instance cannot be enforced (an identity column; an invariant, a constraint, a
 * generated or default column whose expression cannot be evaluated). Spec: "Additional Requirements for Writers".
 * @throws KD_TABLE_UNSUPPORTED with the names of the features
 */
export function checkAppendable(protocol: Protocol, metadata: Metadata): void {
  checkReaderVersion(protocol)
  checkWriterVersion(protocol)
  const features = writerFeaturesOf(protocol)
  refuseFeatures(
    'write',
    features.filter((feature) => !allowsOperation(feature, 'append')),
  )
  refuseFeatures(
    'write',
    features.flatMap((feature) => findUnenforceable(feature, metadata)),
  )
}

/**
 * Returns the instances of a feature in the table that an append cannot enforce, in words that begin with the feature's
 * name.
 */
function findUnenforceable(feature: string, metadata: Metadata): readonly string[] {
  const columnsWith = (key: string): readonly string[] =>
    columnsWithMetadata(metadata.schema, key).map((column) => `${feature} (column ${column})`)
  // Inside arrays and maps there is no row for which an expression could be evaluated.
  const unreachable = (key: string): readonly string[] =>
    columnsWithMetadata(metadata.schema, key, { elementsAlone: true }).map(
      (column) => `${feature} (column ${column})`,
    )
  switch (feature) {
    case 'identityColumns':
      return columnsWith('delta.identity.start')
    case 'invariants':
      return [...findUnenforceableExpressions(feature, metadata), ...unreachable('delta.invariants')]
    case 'generatedColumns':
      return [
        ...findUnenforceableExpressions(feature, metadata),
        ...unreachable('delta.generationExpression'),
      ]
    default:
      return findUnenforceableExpressions(feature, metadata)
  }
}

/**
 * Returns the columns whose metadata holds `key`, nested ones by their dotted path; with `elementsAlone` only those
 * inside arrays and maps.
 */
function columnsWithMetadata(
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
        return [...own, ...columnsWithMetadata(field.type, key, { elementsAlone, path: name })]
      })
    case 'array':
      return columnsWithMetadata(type.elementType, key, inElement('element'))
    case 'map':
      return [
        ...columnsWithMetadata(type.keyType, key, inElement('key')),
        ...columnsWithMetadata(type.valueType, key, inElement('value')),
      ]
  }
}
