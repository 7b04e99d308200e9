import { PipelineError } from '../../core/errors.ts'
import type { MetadataAction, Protocol } from './actions.ts'
import { legacyFeatures, readsFeature } from './features.ts'

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

export function checkReaderVersion({ minReaderVersion, readerFeatures: features }: Protocol): void {
  if (minReaderVersion > READER_VERSION_MAX) refuse('read', [`reader version ${minReaderVersion}`])
  if (minReaderVersion < READER_VERSION_MAX || features !== undefined) return
  throw new PipelineError('KD_TABLE_CORRUPT', 'protocol.readerFeatures is missing at reader version 3')
}

export function checkWriterVersion({ minWriterVersion, writerFeatures: features }: Protocol): void {
  if (minWriterVersion > WRITER_VERSION_MAX) refuse('write', [`writer version ${minWriterVersion}`])
  if (minWriterVersion < WRITER_VERSION_MAX || features !== undefined) return
  throw new PipelineError('KD_TABLE_CORRUPT', 'protocol.writerFeatures is missing at writer version 7')
}

export function refuse(what: 'read' | 'write' | 'create', features: readonly string[]): void {
  if (features.length === 0) return
  throw new PipelineError('KD_TABLE_UNSUPPORTED', `cannot ${what} a table with ${features.join(', ')}`, {
    features,
  })
}
