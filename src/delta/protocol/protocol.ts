import { PipelineError } from '../../core/errors.ts'
import type { MetadataAction, Protocol } from './actions.ts'
import { legacyFeaturesOf, canReadFeature } from './features.ts'

/** Newest protocol versions of the specification. Spec: "Table Features". */
const READER_VERSION_MAX = 3
const WRITER_VERSION_MAX = 7

/**
 * Refuses a table that cannot be read correctly. Spec: "Requirements for Readers".
 * @throws KD_TABLE_UNSUPPORTED with the names of the features
 */
export function checkReadable(protocol: Protocol, metadata: Pick<MetadataAction, 'format'>): void {
  checkReaderVersion(protocol)
  refuseFeatures(
    'read',
    readerFeaturesOf(protocol).filter((feature) => !canReadFeature(feature)),
  )
  if (metadata.format.provider !== 'parquet')
    refuseFeatures('read', [`the format ${metadata.format.provider}`])
}

/** Returns all features that a reader must support; legacy versions are expanded to the features that they imply. */
export function readerFeaturesOf(protocol: Protocol): readonly string[] {
  return protocol.minReaderVersion >= 3
    ? (protocol.readerFeatures ?? [])
    : legacyFeaturesOf('legacyReader', protocol.minReaderVersion)
}

/** Returns all features that a writer must support, including those of readers. */
export function writerFeaturesOf(protocol: Protocol): readonly string[] {
  const names =
    protocol.minWriterVersion >= 7
      ? (protocol.writerFeatures ?? [])
      : legacyFeaturesOf('legacyWriter', protocol.minWriterVersion)
  return [...new Set([...names, ...readerFeaturesOf(protocol)])]
}

/**
 * Refuses a reader version that is not supported.
 * @throws KD_TABLE_UNSUPPORTED, or KD_TABLE_CORRUPT if version 3 comes without a list of features
 */
export function checkReaderVersion({ minReaderVersion, readerFeatures: features }: Protocol): void {
  if (minReaderVersion > READER_VERSION_MAX) refuseFeatures('read', [`reader version ${minReaderVersion}`])
  if (minReaderVersion < READER_VERSION_MAX || features !== undefined) return
  throw new PipelineError('KD_TABLE_CORRUPT', 'protocol.readerFeatures is missing at reader version 3')
}

/**
 * Refuses a writer version that is not supported.
 * @throws KD_TABLE_UNSUPPORTED, or KD_TABLE_CORRUPT if version 7 comes without a list of features
 */
export function checkWriterVersion({ minWriterVersion, writerFeatures: features }: Protocol): void {
  if (minWriterVersion > WRITER_VERSION_MAX) refuseFeatures('write', [`writer version ${minWriterVersion}`])
  if (minWriterVersion < WRITER_VERSION_MAX || features !== undefined) return
  throw new PipelineError('KD_TABLE_CORRUPT', 'protocol.writerFeatures is missing at writer version 7')
}

/**
 * Refuses an action on a table because of `features`, unless the list is empty.
 * @throws KD_TABLE_UNSUPPORTED with the names of the features
 */
export function refuseFeatures(action: 'read' | 'write' | 'create', features: readonly string[]): void {
  if (features.length === 0) return
  throw new PipelineError('KD_TABLE_UNSUPPORTED', `cannot ${action} a table with ${features.join(', ')}`, {
    features,
  })
}
