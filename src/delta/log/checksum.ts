import { stringify } from 'lossless-json'
import { PipelineError } from '../../core/errors.ts'
import { undefinedIfNotFound, type Store } from '../../storage/store.ts'
import { parseJson, readAction } from '../protocol/action-json.ts'
import type { MetadataAction, Protocol } from '../protocol/actions.ts'
import { asSafeInteger, JsonFields } from '../protocol/fields.ts'
import { hasInCommitTimestamps } from './in-commit-timestamp.ts'
import { checksumKey } from '../protocol/paths.ts'
import type { TableState } from './state.ts'
import type { FileTotals } from './totals.ts'

/** Holds the contents of a version checksum file. Spec: "Version Checksum File Schema". */
interface VersionChecksum {
  readonly totals: FileTotals
  readonly metadata: MetadataAction
  readonly protocol: Protocol
  readonly inCommitMs?: number | undefined
}

/**
 * Lists longer than this are left out of a checksum: it is written after every commit, and the number of `txn`s and
 * domains is not bounded otherwise.
 */
const LISTED_MAX = 1_000
/** Maximum of characters of a value in a message. */
const TEXT_MAX = 200

/**
 * Writes the checksum of a version; the cost does not depend on the number of files. Does not overwrite an existing
 * checksum, and writes none if the totals of the whole table are unknown. Returns what was put. Throws store errors.
 * Spec: "Version Checksum File".
 */
export async function writeChecksum(store: Store, state: TableState): Promise<Uint8Array | undefined> {
  const { totals, version } = state
  if (totals === undefined || totals.sinceVersion !== undefined) return undefined
  const body = new TextEncoder().encode(`${String(stringify(checksumOf(state, totals)))}\n`)
  await store.putIfAbsent(checksumKey(version), body)
  return body
}

function checksumOf(state: TableState, { files, bytes }: FileTotals): object {
  const { txnId, txns, domains, metadata, protocol, inCommitMs } = state
  const isTimed = hasInCommitTimestamps(state) && inCommitMs !== undefined
  return {
    ...(txnId === undefined ? {} : { txnId }),
    tableSizeBytes: bytes,
    numFiles: files,
    numMetadata: 1,
    numProtocol: 1,
    ...(isTimed ? { inCommitTimestampOpt: inCommitMs } : {}),
    ...(txns.size > LISTED_MAX ? {} : { setTransactions: [...txns.values()] }),
    ...(domains.size > LISTED_MAX ? {} : { domainMetadata: [...domains.values()] }),
    metadata,
    protocol,
  }
}

/**
 * Reads the checksum of a version; returns `undefined` if it does not exist. Throws store errors. Spec: "Version
 * Checksum File Schema".
 * @throws KD_TABLE_CORRUPT if it cannot be parsed
 */
export async function readChecksum(store: Store, version: bigint): Promise<VersionChecksum | undefined> {
  const bytes = await undefinedIfNotFound(store.get(checksumKey(version)))
  if (bytes === undefined) return undefined
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    const context = { table: store.uri, version }
    throw new PipelineError('KD_TABLE_CORRUPT', 'the checksum of a version cannot be read', context, {
      cause,
    })
  }
}

function parse(text: string): VersionChecksum {
  const fields = new JsonFields(parseJson(text), 'checksum')
  const metadata = fields.required('metadata', (body) => readAction('metaData', body))
  const protocol = fields.required('protocol', (body) => readAction('protocol', body))
  if (metadata.kind !== 'metaData' || protocol.kind !== 'protocol')
    throw new TypeError('metadata or protocol has the wrong kind')
  return {
    totals: {
      files: fields.required('numFiles', asSafeInteger),
      bytes: fields.required('tableSizeBytes', asSafeInteger),
    },
    metadata: metadata.metaData,
    protocol: protocol.protocol,
    inCommitMs: fields.optional('inCommitTimestampOpt', asSafeInteger),
  }
}

/**
 * Compares the checksum of a version with the table at that version and returns the differences in words; an absent
 * checksum has none. Throws store errors. Spec: "State Validation".
 */
export async function findChecksumFaults(
  store: Store,
  state: TableState,
  totals: FileTotals,
): Promise<readonly string[]> {
  let sum: VersionChecksum | undefined
  try {
    sum = await readChecksum(store, state.version)
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'KD_TABLE_CORRUPT') return [error.message]
    throw error
  }
  if (sum === undefined) return []
  const faults: string[] = []
  const compare = (field: string, recorded: unknown, actual: unknown): void => {
    if (JSON.stringify(recorded) !== JSON.stringify(actual))
      faults.push(`${field} is ${textOf(recorded)} in the checksum, but ${textOf(actual)} in the table`)
  }
  compare('numFiles', sum.totals.files, totals.files)
  compare('tableSizeBytes', sum.totals.bytes, totals.bytes)
  compare('metadata', comparableMetadata(sum.metadata), comparableMetadata(state.metadata))
  compare('protocol', comparableProtocol(sum.protocol), comparableProtocol(state.protocol))
  if (hasInCommitTimestamps(state))
    compare('inCommitTimestampOpt', sum.inCommitMs ?? null, state.inCommitMs ?? null)
  return faults
}

/** Returns the comparable part of the metadata, independent of the order of properties. */
function comparableMetadata({ id, schemaString, partitionColumns, configuration }: MetadataAction): object {
  const properties = Object.entries(configuration).sort(([a], [b]) => (a < b ? -1 : 1))
  return { id, schemaString, partitionColumns, properties }
}

function comparableProtocol({
  minReaderVersion,
  minWriterVersion,
  readerFeatures,
  writerFeatures,
}: Protocol): object {
  const names = (features: readonly string[] = []): readonly string[] => [...features].sort()
  return {
    minReaderVersion,
    minWriterVersion,
    readers: names(readerFeatures),
    writers: names(writerFeatures),
  }
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`
}
