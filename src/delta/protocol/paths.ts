import { randomInt, randomUUID } from 'node:crypto'
import { PipelineError } from '../../core/errors.ts'

/** Where the log lives below the table root. Spec: "Delta Log Entries". */
export const LOG_PREFIX = '_delta_log/'

/** Spec: "Last Checkpoint File". */
export const LAST_CHECKPOINT_KEY = `${LOG_PREFIX}_last_checkpoint`

/** Versions are zero-padded to this many digits, so that the order of names is the order of versions. */
const VERSION_DIGITS = 20

/** What a name in the log directory stands for. Spec: "File Types". */
export type LogFile =
  | { readonly kind: 'commit'; readonly version: bigint }
  | { readonly kind: 'checkpoint'; readonly version: bigint }
  | {
      readonly kind: 'checkpointPart'
      readonly version: bigint
      readonly part: number
      readonly parts: number
    }
  /** Named by a UUID and of the V2 spec. */
  | { readonly kind: 'checkpointV2'; readonly version: bigint; readonly key: string }

/** The version as it begins every name of the log. */
export function paddedVersion(version: bigint): string {
  return version.toString().padStart(VERSION_DIGITS, '0')
}

/** Key of the commit of `version`. Spec: "Delta Log Entries". */
export function commitKey(version: bigint): string {
  return `${LOG_PREFIX}${paddedVersion(version)}.json`
}

/** Key of the checksum of `version`. Spec: "Version Checksum File Schema". */
export function checksumKey(version: bigint): string {
  return `${LOG_PREFIX}${paddedVersion(version)}.crc`
}

/** Key of the checkpoint of `version` in one file. Spec: "Classic checkpoint". */
export function checkpointKey(version: bigint): string {
  return `${LOG_PREFIX}${paddedVersion(version)}.checkpoint.parquet`
}

/** Key of a checkpoint of the V2 spec under a name of its own. Spec: "UUID-named checkpoint". */
export function newCheckpointKey(version: bigint): string {
  return `${LOG_PREFIX}${paddedVersion(version)}.checkpoint.${randomUUID()}.parquet`
}

/** A name for a new sidecar; `sidecarKey` leads to its file. Spec: "Sidecar Files". */
export function newSidecarName(): string {
  return `${randomUUID()}.parquet`
}

/** Key of part `part` (from 1) of `parts`. Spec: "Multi-part checkpoint". */
export function checkpointPartKey(version: bigint, part: number, parts: number): string {
  const [o, p] = [part, parts].map((number) => number.toString().padStart(10, '0'))
  return `${LOG_PREFIX}${paddedVersion(version)}.checkpoint.${o}.${p}.parquet`
}

/** What a key of the log stands for; `undefined` for anything that readers may ignore (checksums, compactions, others). */
export function parseLogKey(key: string): LogFile | undefined {
  const name = key.slice(LOG_PREFIX.length)
  const match =
    /^(\d{20})\.(json|checkpoint\.(?:parquet|(\d{10})\.(\d{10})\.parquet|([0-9A-Fa-f-]{36})\.(?:json|parquet)))$/.exec(
      name,
    )
  const [, digits, rest, first, count, uuid] = match ?? []
  if (digits === undefined || rest === undefined) return undefined
  const version = BigInt(digits)
  if (rest === 'json') return { kind: 'commit', version }
  if (rest === 'checkpoint.parquet') return { kind: 'checkpoint', version }
  if (uuid !== undefined) return { kind: 'checkpointV2', version, key }
  if (Number(first) < 1 || Number(first) > Number(count)) return undefined
  return { kind: 'checkpointPart', version, part: Number(first), parts: Number(count) }
}

/** Whether a key is that of a checkpoint named by a UUID, which is always of the V2 spec. Spec: "UUID-named checkpoint". */
export function isUuidCheckpoint(key: string): boolean {
  return parseLogKey(key)?.kind === 'checkpointV2'
}

/**
 * The store's key of a sidecar by its path, which may be a bare name or lead to the one directory where sidecars live.
 * Throws `KD_TABLE_CORRUPT` for any other. Spec: "Sidecar File Information".
 */
export function sidecarKey(path: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch (cause) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'the path of a sidecar is not a URI', { path }, { cause })
  }
  const match = /^(?:.*_delta_log\/_sidecars\/)?([^/\\\0]+\.parquet)$/.exec(decoded)
  if (match?.[1] === undefined) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'a sidecar is not in _delta_log/_sidecars', { path })
  }
  return `${LOG_PREFIX}_sidecars/${match[1]}`
}

/**
 * The key of a new data file: `date=2026-01-01/part-00000-<uuid>.c000.zstd.parquet`. The uuid makes it unique for ever.
 * Spec: "Data Files".
 */
export function newDataFileKey(
  partitionColumns: readonly string[],
  partitionValues: Readonly<Record<string, string | null>>,
  codec: string,
  uuid: string = randomUUID(),
): string {
  const suffix = codec === 'uncompressed' ? '' : `.${codec}`
  return `${partitionDirectory(partitionColumns, partitionValues)}part-00000-${uuid}.c000${suffix}.parquet`
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** So many letters and digits by chance. */
export function randomText(length: number): string {
  return Array.from({ length }, () => ALPHANUMERIC.charAt(randomInt(ALPHANUMERIC.length))).join('')
}

/** `a=1/b=x%3Ay/` in the order of the partition columns; empty for a table without any. Follows convention alone: readers take values from the log. */
export function partitionDirectory(
  partitionColumns: readonly string[],
  partitionValues: Readonly<Record<string, string | null>>,
): string {
  return partitionColumns
    .map((column) => {
      const value = partitionValues[column]
      const text =
        value === null || value === undefined || value === '' ? NULL_DIRECTORY : directoryName(value)
      return `${directoryName(column)}=${text}/`
    })
    .join('')
}

/**
 * File systems take names of 255 bytes, S3 keys of 1024: a long name or value must not stop the stream, so its directory
 * has its start alone, as many characters as take no more bytes than this once they are escaped.
 */
const NAME_BYTES_MAX = 100
const NAME_CODE_POINTS_MAX = 50

function directoryName(text: string): string {
  let name = ''
  let bytes = 0
  let characters = 0
  for (const character of text) {
    const escaped = escapeName(character)
    bytes += Buffer.byteLength(escaped)
    if (bytes > NAME_BYTES_MAX || ++characters > NAME_CODE_POINTS_MAX) break
    name += escaped
  }
  return name
}

/** How Hive and Spark name the directory of a null value. */
const NULL_DIRECTORY = '__HIVE_DEFAULT_PARTITION__'

/** The characters that Hive and Spark escape in directory names, and the zero byte, which no store takes. */
const ESCAPED = /[\u0000-\u001f"#%'*/:=?\\\u007f{[\]^]/g

function escapeName(name: string): string {
  return name.replace(
    ESCAPED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/**
 * A data file's key as `add.path` holds it: every character that a URI path may not hold percent-encoded.
 * Throws `KD_RECORD_NOT_FITTING` for a key that is not well-formed text. Spec: "Add File and Remove File" (`path`).
 */
export function encodePath(key: string): string {
  try {
    return encodeURI(key).replace(/[?#]/g, encodeURIComponent)
  } catch (cause) {
    throw new PipelineError(
      'KD_RECORD_NOT_FITTING',
      'a partition value is not well-formed text',
      {},
      { cause },
    )
  }
}

/**
 * The store's key of a file by its `add.path`. Throws `KD_TABLE_UNSUPPORTED` for an absolute path (a shallow clone) and
 * `KD_TABLE_CORRUPT` for one that cannot be decoded or leads out of the table. Spec: "Add File and Remove File" (`path`).
 */
export function decodePath(path: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:|^\//.test(path)) {
    throw new PipelineError('KD_TABLE_UNSUPPORTED', 'data files at absolute paths are not supported', {
      path,
    })
  }
  let key: string
  try {
    key = decodeURIComponent(path)
  } catch (cause) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'a path is not a URI', { path }, { cause })
  }
  if (key === '' || key.split('/').includes('..')) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'a path leads out of the table', { path })
  }
  return key
}
