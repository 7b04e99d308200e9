import { randomUUID } from 'node:crypto'
import { PipelineError } from '../../core/errors.ts'
import { type DataType, holdsType, type StructField, type StructType } from '../../core/schema.ts'
import type { Metadata, Protocol } from '../protocol/actions.ts'
import { ID_KEY, NAME_KEY } from '../schema/column-mapping.ts'
import { allowsUse, FEATURES, featuresOfProperties } from '../protocol/features.ts'
import { writerFeatures } from '../protocol/protocol.ts'

type Configuration = Metadata['configuration']

/** What a new table must be so that its properties are in force. */
export interface Enabled {
  readonly protocol: Protocol
  /** With an id and a physical name for every column of a mapped table. */
  readonly schema: StructType
  /** With the properties that features keep for themselves; without those that only name features. */
  readonly configuration: Configuration
}

/** A property `delta.feature.<name> = supported` asks for a feature and is none of the table's own. */
const FEATURE_PREFIX = 'delta.feature.'

/** What tables of before the features got, and every table still gets. */
const ALWAYS: readonly string[] = ['appendOnly', 'invariants']

/**
 * A new table with the least protocol that its columns and properties need, and with what their features ask for at
 * creation. Throws `KD_TABLE_UNSUPPORTED` for properties that ask for a feature under which no table is created.
 * Spec: "Table Features for New and Existing Tables", "Writer Requirements for Column Mapping", "Writer Requirements for
 * Row Tracking".
 */
export function enabled(schema: StructType, configuration: Configuration): Enabled {
  const features = wantedFeatures(schema, configuration)
  const refused = features.filter((feature) => !allowsUse(feature, 'create'))
  if (refused.length > 0) {
    const detail = `cannot create a table with ${refused.join(', ')}`
    throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, { features: refused })
  }
  const own = Object.fromEntries(
    Object.entries(configuration).filter(([key]) => !key.startsWith(FEATURE_PREFIX)),
  )
  const protocol = protocolOf(features)
  if ((own['delta.columnMapping.mode'] ?? 'none') === 'none') {
    return { protocol, schema, configuration: { ...own, ...rowTrackingColumns(own) } }
  }
  const ids = { last: 0 }
  const mapped = mappedStruct(schema, ids)
  const configured = {
    ...own,
    ...rowTrackingColumns(own),
    'delta.columnMapping.maxColumnId': String(ids.last),
  }
  return { protocol, schema: mapped, configuration: configured }
}

/** Features that ask more of a table that has rows already than a property. */
const AT_CREATION: readonly string[] = ['columnMapping', 'inCommitTimestamp', 'rowTracking']

/**
 * Why properties cannot be set of a table that is there, in words that begin with the property: it lacks the feature that
 * one switches on, or switching it on takes more than that. Spec: "Active Features".
 */
export function switchFaults(
  protocol: Protocol,
  before: Configuration,
  properties: Configuration,
): readonly string[] {
  const supported = writerFeatures(protocol)
  const faults = featuresOfProperties(properties).flatMap((feature) => {
    const key = FEATURES[feature]?.property?.[0] ?? feature
    if (!supported.includes(feature))
      return [`${key} needs the feature ${feature}, which the table does not have`]
    if (!AT_CREATION.includes(feature) || before[key] === properties[key]) return []
    return [`${key} is switched on when a table is created, or by another engine`]
  })
  const mode = 'delta.columnMapping.mode'
  const unmapped = properties[mode] === 'none' && (before[mode] ?? 'none') !== 'none'
  return unmapped ? [...faults, `${mode} cannot be switched off`] : faults
}

function wantedFeatures(schema: StructType, configuration: Configuration): readonly string[] {
  const wanted = new Set(featuresOfProperties(configuration))
  for (const key of Object.keys(configuration)) {
    if (key.startsWith(FEATURE_PREFIX)) wanted.add(key.slice(FEATURE_PREFIX.length))
    if (key.startsWith('delta.constraints.')) wanted.add('checkConstraints')
  }
  if (holdsType(schema, 'timestamp_ntz')) wanted.add('timestampNtz')
  // A set hands out what is added to it while it is gone through.
  for (const name of wanted) for (const required of FEATURES[name]?.requires ?? []) wanted.add(required)
  return [...wanted]
}

/** Versions alone say more than is asked for, so whatever goes beyond the oldest of them is named. */
function protocolOf(features: readonly string[]): Protocol {
  const isReaders = (name: string): boolean => FEATURES[name]?.reader !== 'none'
  if (features.every((name) => ALWAYS.includes(name))) return { minReaderVersion: 1, minWriterVersion: 2 }
  const readers = features.filter(isReaders)
  const writers = [...new Set([...features, ...ALWAYS])]
  // Column mapping is the one feature of readers that has a version of its own.
  if (readers.every((name) => FEATURES[name]?.legacyReader !== undefined)) {
    const minReaderVersion = Math.max(1, ...readers.map((name) => FEATURES[name]?.legacyReader ?? 1))
    return { minReaderVersion, minWriterVersion: 7, writerFeatures: writers }
  }
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: readers, writerFeatures: writers }
}

/** Names of the hidden columns in which rows keep their ids when they are copied; no column will ever be called so. */
function rowTrackingColumns(configuration: Configuration): Configuration {
  if (configuration['delta.enableRowTracking']?.toLowerCase() !== 'true') return {}
  return {
    'delta.rowTracking.materializedRowIdColumnName': `_row-id-col-${randomUUID()}`,
    'delta.rowTracking.materializedRowCommitVersionColumnName': `_row-commit-version-col-${randomUUID()}`,
  }
}

function mappedStruct(type: StructType, ids: { last: number }): StructType {
  return { type: 'struct', fields: type.fields.map((field) => mappedField(field, ids)) }
}

function mappedField(field: StructField, ids: { last: number }): StructField {
  const own = { [ID_KEY]: ++ids.last, [NAME_KEY]: `col-${randomUUID()}` }
  return { ...field, type: mappedType(field.type, ids), metadata: { ...field.metadata, ...own } }
}

function mappedType(type: DataType, ids: { last: number }): DataType {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return mappedStruct(type, ids)
    case 'array':
      return { ...type, elementType: mappedType(type.elementType, ids) }
    case 'map':
      return {
        ...type,
        keyType: mappedType(type.keyType, ids),
        valueType: mappedType(type.valueType, ids),
      }
  }
}
