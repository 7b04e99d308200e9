/**
 * What somebody wants to do with a table: `append` files, `create` it with the feature, `rewrite` files with the same rows
 * or name files again, `vacuum` files that the log names no more, `verify` what it holds, `commit` metadata or restate the
 * log alone. Whether a table can be read stands apart: it is asked of features of readers only.
 */
export type Use = 'append' | 'create' | 'rewrite' | 'vacuum' | 'verify' | 'commit'

/** What is known of a feature of tables. Spec: "Valid Feature Names in Table Features". */
export interface Feature {
  /** Whether the feature asks something of readers too, and whether tables with it are read rightly. */
  readonly reader: 'reads' | 'refuses' | 'none'
  /** What is right on a table with the feature. What is not named here is refused by the feature's name. */
  readonly allows: readonly Use[]
  /** The version that stands for the feature and all of lower ones. Spec: "Writer Version Requirements". */
  readonly legacyWriter?: number
  /** Spec: "Reader Version Requirements". */
  readonly legacyReader?: number
  /** The property that switches the feature on, and the values that do so. */
  readonly property?: readonly [key: string, ...values: string[]]
  /** Features without which a table may not have it. */
  readonly requires?: readonly string[]
}

/** For a feature that asks nothing of whoever does any of these. */
const ALL: readonly Use[] = ['append', 'create', 'rewrite', 'vacuum', 'verify', 'commit']
/** The same for a feature that no table is created with. */
const MET: readonly Use[] = ALL.filter((use) => use !== 'create')

/**
 * Every feature that is known, by its name in the log: the only place that says what we do with it. Features under which
 * an append is right only where the table holds no instance of them are named `append` here; `inUse` finds the instances.
 * Vacuum is right under every feature that names no files but those of `add` and `remove`.
 */
export const FEATURES: Readonly<Record<string, Feature>> = {
  appendOnly: { reader: 'none', allows: ALL, legacyWriter: 2, property: ['delta.appendOnly', 'true'] },
  invariants: { reader: 'none', allows: ALL, legacyWriter: 2 },
  checkConstraints: { reader: 'none', allows: MET, legacyWriter: 3 },
  // Spec: "Change Data Files": appends and rewrites without changed data need none.
  changeDataFeed: {
    reader: 'none',
    allows: ALL,
    legacyWriter: 4,
    property: ['delta.enableChangeDataFeed', 'true'],
  },
  generatedColumns: { reader: 'none', allows: MET, legacyWriter: 4 },
  columnMapping: {
    reader: 'reads',
    allows: ALL,
    legacyWriter: 5,
    legacyReader: 2,
    property: ['delta.columnMapping.mode', 'name', 'id'],
  },
  identityColumns: { reader: 'none', allows: MET, legacyWriter: 6 },
  allowColumnDefaults: { reader: 'none', allows: MET },
  domainMetadata: { reader: 'none', allows: ALL },
  timestampNtz: { reader: 'reads', allows: ALL },
  vacuumProtocolCheck: { reader: 'reads', allows: ALL },
  // Spec: "Deletion Vectors": files that an append brings need none.
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
  clustering: { reader: 'none', allows: MET, requires: ['domainMetadata'] },
  inCommitTimestamp: {
    reader: 'none',
    allows: ALL,
    property: ['delta.enableInCommitTimestamps', 'true'],
  },
  icebergCompatV1: { reader: 'none', allows: [], property: ['delta.enableIcebergCompatV1', 'true'] },
  icebergCompatV2: { reader: 'none', allows: [], property: ['delta.enableIcebergCompatV2', 'true'] },
  variantType: { reader: 'refuses', allows: [] },
  variantShredding: { reader: 'refuses', allows: [], property: ['delta.enableVariantShredding', 'true'] },
  // What DROP FEATURE leaves behind: it binds who cleans the log up, or writes checkpoints of older versions than the newest.
  checkpointProtection: { reader: 'none', allows: ['append', 'verify'] },
  catalogManaged: { reader: 'refuses', allows: [] },
}

/** Whether tables with the feature are read rightly; one that is not known is not. */
export function readsFeature(name: string): boolean {
  return knownFeature(name)?.reader === 'reads'
}

/** Whether this may be done to a table with the feature; not where the feature is not known. */
export function allowsUse(name: string, use: Use): boolean {
  return knownFeature(name)?.allows.includes(use) === true
}

/** What a legacy version stands for: the features that it and all below it brought, in the order of versions. */
export function legacyFeatures(side: 'legacyReader' | 'legacyWriter', version: number): readonly string[] {
  return Object.entries(FEATURES)
    .flatMap(([name, feature]) => {
      const since = feature[side]
      return since !== undefined && since <= version ? [{ name, since }] : []
    })
    .sort((a, b) => a.since - b.since)
    .map(({ name }) => name)
}

/** Names of features that these properties switch on. */
export function featuresOfProperties(configuration: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(FEATURES).flatMap(([name, { property }]) =>
    property?.slice(1).includes(configuration[property[0]]?.toLowerCase() ?? '') === true ? [name] : [],
  )
}

function knownFeature(name: string): Feature | undefined {
  return Object.hasOwn(FEATURES, name) ? FEATURES[name] : undefined
}
