import { randomUUID } from 'node:crypto'
import { PipelineError } from '../../core/errors.ts'
import { type DataType, containsType, type StructField, type StructType } from '../../core/schema.ts'
import type { Metadata, Protocol } from '../protocol/actions.ts'
import { COLUMN_ID_KEY, PHYSICAL_NAME_KEY } from '../schema/column-mapping.ts'
import { allowsOperation, TABLE_FEATURES, featuresOfProperties } from '../protocol/features.ts'
import { writerFeaturesOf } from '../protocol/protocol.ts'
import { checkConstraintNameOf, columnMappingModeOf, isPropertySet } from '../protocol/table-properties.ts'

type Configuration = Metadata['configuration']

/** Holds the protocol, schema and properties of a new table with its features enabled. */
export interface EnabledFeatures {
  readonly protocol: Protocol
  /** Schema, with an id and a physical name for every column of a mapped table. */
  readonly schema: StructType
  /** Properties, with those that features maintain and without those that only name features. */
  readonly configuration: Configuration
}

/** A property `delta.feature.<name> = supported` requests a feature and is not stored in the table. */
const FEATURE_PREFIX = 'delta.feature.'

/** Features of every new table, as under legacy versions. */
const ALWAYS: readonly string[] = ['appendOnly', 'invariants']

/**
 * Returns a new table with the least protocol that its columns and properties need, and with what their features
 * require at creation. Spec: "Table Features for New and Existing Tables", "Writer Requirements for Column Mapping",
 * "Writer Requirements for Row Tracking".
 * @throws KD_TABLE_UNSUPPORTED for a feature with which tables cannot be created
 */
export function enableFeatures(schema: StructType, configuration: Configuration): EnabledFeatures {
  const features = wantedFeatures(schema, configuration)
  const refused = features.filter((feature) => !allowsOperation(feature, 'create'))
  if (refused.length > 0) {
    const detail = `cannot create a table with ${refused.join(', ')}`
    throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, { features: refused })
  }
  const own = Object.fromEntries(
    Object.entries(configuration).filter(([key]) => featureRequestedBy(key) === undefined),
  )
  const protocol = protocolOf(features)
  if (columnMappingModeOf(own) === 'none') {
    return { protocol, schema, configuration: { ...own, ...rowTrackingColumns(own) } }
  }
  const ids = { last: 0 }
  const mapped = mapStruct(schema, ids)
  const configured = {
    ...own,
    ...rowTrackingColumns(own),
    'delta.columnMapping.maxColumnId': String(ids.last),
  }
  return { protocol, schema: mapped, configuration: configured }
}

/** Features that a property alone cannot enable on a table with rows. */
const AT_CREATION: readonly string[] = ['columnMapping', 'inCommitTimestamp', 'rowTracking']

/**
 * Returns why properties cannot be set on an existing table, in words that begin with the property: the table lacks the
 * feature that the property enables, or enabling it takes more than the property. Spec: "Active Features".
 */
export function findEnablementFaults(
  protocol: Protocol,
  before: Configuration,
  properties: Configuration,
): readonly string[] {
  const supported = writerFeaturesOf(protocol)
  const faults = featuresOfProperties(properties).flatMap((feature) => {
    const key = TABLE_FEATURES[feature]?.property?.[0] ?? feature
    if (!supported.includes(feature))
      return [`${key} needs the feature ${feature}, which the table does not have`]
    if (!AT_CREATION.includes(feature) || before[key]?.toLowerCase() === properties[key]?.toLowerCase())
      return []
    return [`${key} can only be enabled when a table is created, or by another engine`]
  })
  const mode = 'delta.columnMapping.mode'
  const isUnmapped = properties[mode] !== undefined && columnMappingModeOf(properties) === 'none'
  const unmapped = isUnmapped && columnMappingModeOf(before) !== 'none'
  return unmapped ? [...faults, `${mode} cannot be disabled`] : faults
}

function wantedFeatures(schema: StructType, configuration: Configuration): readonly string[] {
  const wanted = new Set(featuresOfProperties(configuration))
  for (const key of Object.keys(configuration)) {
    const requested = featureRequestedBy(key)
    if (requested !== undefined) wanted.add(requested)
    if (checkConstraintNameOf(key) !== undefined) wanted.add('checkConstraints')
  }
  if (containsType(schema, 'timestamp_ntz')) wanted.add('timestampNtz')
  // Iterating a set includes elements that are added on the way.
  for (const name of wanted) for (const required of TABLE_FEATURES[name]?.requires ?? []) wanted.add(required)
  return [...wanted]
}

/** Returns the feature that a property requests by name. Names are compared without case, as Spark does. */
function featureRequestedBy(property: string): string | undefined {
  if (!property.toLowerCase().startsWith(FEATURE_PREFIX)) return undefined
  const name = property.slice(FEATURE_PREFIX.length)
  return Object.keys(TABLE_FEATURES).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name
}

/**
 * Returns the protocol for the features. Legacy versions would imply more features than needed, so features beyond the
 * oldest version are listed by name.
 */
function protocolOf(features: readonly string[]): Protocol {
  const isReaders = (name: string): boolean => TABLE_FEATURES[name]?.reader !== 'none'
  if (features.every((name) => ALWAYS.includes(name))) return { minReaderVersion: 1, minWriterVersion: 2 }
  const readers = features.filter(isReaders)
  const writers = [...new Set([...features, ...ALWAYS])]
  // Column mapping is the only reader feature with a legacy version.
  if (readers.every((name) => TABLE_FEATURES[name]?.legacyReader !== undefined)) {
    const minReaderVersion = Math.max(1, ...readers.map((name) => TABLE_FEATURES[name]?.legacyReader ?? 1))
    return { minReaderVersion, minWriterVersion: 7, writerFeatures: writers }
  }
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: readers, writerFeatures: writers }
}

/**
 * Returns properties with names for the hidden columns in which moved rows keep their ids; the UUIDs rule out
 * collisions with other columns.
 */
function rowTrackingColumns(configuration: Configuration): Configuration {
  if (!isPropertySet(configuration, 'delta.enableRowTracking')) return {}
  return {
    'delta.rowTracking.materializedRowIdColumnName': `_row-id-col-${randomUUID()}`,
    'delta.rowTracking.materializedRowCommitVersionColumnName': `_row-commit-version-col-${randomUUID()}`,
  }
}

function mapStruct(type: StructType, ids: { last: number }): StructType {
  return { type: 'struct', fields: type.fields.map((field) => mapField(field, ids)) }
}

function mapField(field: StructField, ids: { last: number }): StructField {
  const own = { [COLUMN_ID_KEY]: ++ids.last, [PHYSICAL_NAME_KEY]: `col-${randomUUID()}` }
  return { ...field, type: mapType(field.type, ids), metadata: { ...field.metadata, ...own } }
}

function mapType(type: DataType, ids: { last: number }): DataType {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return mapStruct(type, ids)
    case 'array':
      return { ...type, elementType: mapType(type.elementType, ids) }
    case 'map':
      return {
        ...type,
        keyType: mapType(type.keyType, ids),
        valueType: mapType(type.valueType, ids),
      }
  }
}
