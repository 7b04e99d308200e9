import { stringify } from 'lossless-json'
import { PipelineError } from '../../core/errors.ts'
import { orAbsent, type Store } from '../../storage/store.ts'
import { parseJson, readAction } from '../protocol/action-json.ts'
import type { MetadataAction, Protocol } from '../protocol/actions.ts'
import { asSafeInteger, Fields } from '../protocol/fields.ts'
import { hasInCommitTimestamps } from './in-commit-timestamp.ts'
import { checksumKey } from '../protocol/paths.ts'
import type { TableState } from './state.ts'
import type { Totals } from './totals.ts'

/** What the checksum of a version says of the table. */
export interface Checksum {
  readonly totals: Totals
  readonly metadata: MetadataAction
  readonly protocol: Protocol
  readonly inCommitMs?: number | undefined
}

/** What is listed whole in a checksum, or not at all: it is written after every commit, and `txn`s and domains have no other bound. */
const LISTED_MAX = 1_000
/** Characters that a fault shows of a value. */
const TEXT_MAX = 200

/**
 * Writes the checksum of a version, which costs the same however many files the table has. Leaves one that is there as it is,
 * and writes none where the totals of the table are not known. Throws what the store throws.
 * Spec: "Version Checksum File".
 */
export async function writeChecksum(store: Store, state: TableState): Promise<void> {
  const { totals, version } = state
  if (totals === undefined || totals.since !== undefined) return
  const text = stringify(checksumOf(state, totals))
  await store.putIfAbsent(checksumKey(version), new TextEncoder().encode(`${String(text)}\n`))
}

function checksumOf(state: TableState, { files, bytes }: Totals): object {
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
 * The checksum of a version; `undefined` where there is none. Throws `KD_TABLE_CORRUPT` for one that cannot be read, and what
 * the store throws. Spec: "Version Checksum File Schema".
 */
export async function readChecksum(store: Store, version: bigint): Promise<Checksum | undefined> {
  const bytes = await orAbsent(store.get(checksumKey(version)))
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

function parse(text: string): Checksum {
  const fields = new Fields(parseJson(text), 'checksum')
  const metadata = fields.required('metadata', (body) => readAction('metaData', body))
  const protocol = fields.required('protocol', (body) => readAction('protocol', body))
  if (metadata.kind !== 'metaData' || protocol.kind !== 'protocol') throw new TypeError('not of their kinds')
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
 * In what the checksum of a version contradicts the table at that version, in words; nothing where there is none.
 * Throws what the store throws. Spec: "State Validation".
 */
export async function checksumFaults(
  store: Store,
  state: TableState,
  totals: Totals,
): Promise<readonly string[]> {
  let sum: Checksum | undefined
  try {
    sum = await readChecksum(store, state.version)
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'KD_TABLE_CORRUPT') return [error.message]
    throw error
  }
  if (sum === undefined) return []
  const faults: string[] = []
  const hold = (what: string, said: unknown, found: unknown): void => {
    if (JSON.stringify(said) !== JSON.stringify(found))
      faults.push(`it says ${what} ${textOf(said)}, but it is ${textOf(found)}`)
  }
  hold('numFiles', sum.totals.files, totals.files)
  hold('tableSizeBytes', sum.totals.bytes, totals.bytes)
  hold('metadata', essenceOf(sum.metadata), essenceOf(state.metadata))
  hold('protocol', protocolOf(sum.protocol), protocolOf(state.protocol))
  if (hasInCommitTimestamps(state))
    hold('inCommitTimestampOpt', sum.inCommitMs ?? null, state.inCommitMs ?? null)
  return faults
}

/** What of the metadata makes the table what it is, whatever the order in which it stands. */
function essenceOf({ id, schemaString, partitionColumns, configuration }: MetadataAction): object {
  const properties = Object.entries(configuration).sort(([a], [b]) => (a < b ? -1 : 1))
  return { id, schemaString, partitionColumns, properties }
}

function protocolOf({
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
