/**
 * A `TableOperation` is what a client does with a table: `append` files, `create` it with the feature, `rewrite` files
 * with the same rows or restate file actions, `vacuum` files that the log no longer references, `verify` its contents,
 * `commit` metadata or restate the log. Reading is separate: it depends on reader features only.
 */
export type TableOperation = 'append' | 'create' | 'rewrite' | 'vacuum' | 'verify' | 'commit'

/** Describes how this implementation treats a table feature. Spec: "Valid Feature Names in Table Features". */
interface TableFeature {
  /** `none` if the feature has no requirements for readers; otherwise whether tables with it are read or refused. */
  readonly reader: 'reads' | 'refuses' | 'none'
  /** Operations that are allowed on a table with the feature; all others are refused by the feature's name. */
  readonly allows: readonly TableOperation[]
  /**
   * Legacy writer version that implies the feature and those of all lower versions. Spec: "Writer Version
   * Requirements".
   */
  readonly legacyWriter?: number
  /** Legacy reader version that implies the feature. Spec: "Reader Version Requirements". */
  readonly legacyReader?: number
  /** Table property that enables the feature, and the values that do so. */
  readonly property?: readonly [key: string, ...values: string[]]
  /** Features that the table must have as well. */
  readonly requires?: readonly string[]
}

/** All operations: for a feature without requirements for these operations. */
const ALL: readonly TableOperation[] = ['append', 'create', 'rewrite', 'vacuum', 'verify', 'commit']
/** All operations except creating a table with the feature. */
const ALL_BUT_CREATE: readonly TableOperation[] = ALL.filter((operation) => operation !== 'create')

/**
 * Lists the table features by their name in the log: the only place that says which features are supported. A feature
 * may be listed for `append` although an append is correct only if the table holds no instance of it;
 * `findUnenforceable` finds such instances. Vacuum is allowed under every feature that references no other files than
 * those of `add` and `remove`.
 */
export const TABLE_FEATURES: Readonly<Record<string, TableFeature>> = {
  appendOnly: { reader: 'none', allows: ALL, legacyWriter: 2, property: ['delta.appendOnly', 'true'] },
  invariants: { reader: 'none', allows: ALL, legacyWriter: 2 },
  checkConstraints: { reader: 'none', allows: ALL_BUT_CREATE, legacyWriter: 3 },
  // Spec: "Change Data Files": appends, and rewrites without changed data, need no such files.
  changeDataFeed: {
    reader: 'none',
    allows: ALL,
    legacyWriter: 4,
    property: ['delta.enableChangeDataFeed', 'true'],
  },
  generatedColumns: { reader: 'none', allows: ALL_BUT_CREATE, legacyWriter: 4 },
  columnMapping: {
    reader: 'reads',
    allows: ALL,
    legacyWriter: 5,
    legacyReader: 2,
    property: ['delta.columnMapping.mode', 'name', 'id'],
  },
  identityColumns: { reader: 'none', allows: ALL_BUT_CREATE, legacyWriter: 6 },
  allowColumnDefaults: { reader: 'none', allows: ALL_BUT_CREATE },
  domainMetadata: { reader: 'none', allows: ALL },
  timestampNtz: { reader: 'reads', allows: ALL },
  vacuumProtocolCheck: { reader: 'reads', allows: ALL },
  // Spec: "Deletion Vectors": files added by an append need no vectors.
  deletionVectors: {
    reader: 'reads',
    allows: ALL,
    property: ['delta.enableDeletionVectors', 'true'],
  },
  v2Checkpoint: {
    reader: 'reads',
    allows: ALL,
    property: ['delta.checkpointPolicy', 'v2'],
  },
  typeWidening: {
    reader: 'reads',
    allows: ALL,
    property: ['delta.enableTypeWidening', 'true'],
  },
  'typeWidening-preview': { reader: 'refuses', allows: ['vacuum'] },
  rowTracking: {
    reader: 'none',
    allows: ALL,
    property: ['delta.enableRowTracking', 'true'],
    requires: ['domainMetadata'],
  },
  clustering: { reader: 'none', allows: ALL_BUT_CREATE, requires: ['domainMetadata'] },
  inCommitTimestamp: {
    reader: 'none',
    allows: ALL,
    property: ['delta.enableInCommitTimestamps', 'true'],
  },
  icebergCompatV1: { reader: 'none', allows: [], property: ['delta.enableIcebergCompatV1', 'true'] },
  icebergCompatV2: { reader: 'none', allows: [], property: ['delta.enableIcebergCompatV2', 'true'] },
  variantType: { reader: 'refuses', allows: [] },
  variantShredding: { reader: 'refuses', allows: [], property: ['delta.enableVariantShredding', 'true'] },
  // DROP FEATURE leaves it behind: it restricts log cleanup and checkpoints of older versions than the newest.
  checkpointProtection: { reader: 'none', allows: ['append', 'verify'] },
  catalogManaged: { reader: 'refuses', allows: [] },
}

/** Tells whether tables with the feature can be read; an unknown feature cannot. */
export function canReadFeature(name: string): boolean {
  return knownFeature(name)?.reader === 'reads'
}

/** Tells whether `operation` is allowed on a table with the feature; never for an unknown feature. */
export function allowsOperation(name: string, operation: TableOperation): boolean {
  return knownFeature(name)?.allows.includes(operation) === true
}

/** Returns the features that a legacy version implies: its own and those of all lower versions, in version order. */
export function legacyFeaturesOf(side: 'legacyReader' | 'legacyWriter', version: number): readonly string[] {
  return Object.entries(TABLE_FEATURES)
    .flatMap(([name, feature]) => {
      const since = feature[side]
      return since !== undefined && since <= version ? [{ name, since }] : []
    })
    .sort((a, b) => a.since - b.since)
    .map(({ name }) => name)
}

/** Returns the names of the features that these properties enable. */
export function featuresOfProperties(configuration: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(TABLE_FEATURES).flatMap(([name, { property }]) =>
    property?.slice(1).includes(configuration[property[0]]?.toLowerCase() ?? '') === true ? [name] : [],
  )
}

function knownFeature(name: string): TableFeature | undefined {
  return Object.hasOwn(TABLE_FEATURES, name) ? TABLE_FEATURES[name] : undefined
}
