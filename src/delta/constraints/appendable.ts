import type { DataType } from '../../core/schema.ts'
import type { Protocol, Metadata } from '../protocol/actions.ts'
import { allowsUse } from '../protocol/features.ts'
import { checkReaderVersion, checkWriterVersion, writerFeatures, refuse } from '../protocol/protocol.ts'
import { unenforceable } from './constraints.ts'

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

/** What the table holds of a feature that an append cannot enforce, in words that begin with the feature's name. */
export function inUse(feature: string, metadata: Metadata): readonly string[] {
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

/** Columns, nested ones by their dotted path, whose metadata holds `key`; `elementsAlone` leaves out those in structs alone. */
export function columnsHolding(
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
