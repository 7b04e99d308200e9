import { randomInt, randomUUID } from 'node:crypto'
import { PipelineError } from '../../core/errors.ts'

/** Starts the key of every file of the log, relative to the table root. Spec: "Delta Log Entries". */
export const LOG_PREFIX = '_delta_log/'

/** Locates the hint file that names the newest checkpoint. Spec: "Last Checkpoint File". */
export const LAST_CHECKPOINT_KEY = `${LOG_PREFIX}_last_checkpoint`

/** Versions are zero-padded to this many digits, so that names sort in version order. */
const VERSION_DIGITS = 20

/** Describes a file of the log directory by its name. Spec: "File Types". */
export type LogFile =
  | { readonly kind: 'commit'; readonly version: bigint }
  | { readonly kind: 'checkpoint'; readonly version: bigint }
  | {
      readonly kind: 'checkpointPart'
      readonly version: bigint
      readonly part: number
      readonly parts: number
    }
  /** Checkpoint of the V2 spec, named by a UUID. */
  | { readonly kind: 'checkpointV2'; readonly version: bigint; readonly key: string }

/** Returns the zero-padded version that starts every file name of the log. */
export function paddedVersion(version: bigint): string {
  return version.toString().padStart(VERSION_DIGITS, '0')
}

/** Returns the key of the commit of `version`. Spec: "Delta Log Entries". */
export function commitKey(version: bigint): string {
  return `${LOG_PREFIX}${paddedVersion(version)}.json`
}

/** Returns the key of the checksum of `version`. Spec: "Version Checksum File Schema". */
export function checksumKey(version: bigint): string {
  return `${LOG_PREFIX}${paddedVersion(version)}.crc`
}

/** Returns the key of a single-file checkpoint of `version`. Spec: "Classic checkpoint". */
export function checkpointKey(version: bigint): string {
  return `${LOG_PREFIX}${paddedVersion(version)}.checkpoint.parquet`
}

/** Returns a new unique key for a checkpoint of the V2 spec. Spec: "UUID-named checkpoint". */
export function newCheckpointKey(version: bigint): string {
  return `${LOG_PREFIX}${paddedVersion(version)}.checkpoint.${randomUUID()}.parquet`
}

/** Returns a new unique file name for a sidecar; `sidecarKey` returns its key. Spec: "Sidecar Files". */
export function newSidecarName(): string {
  return `${randomUUID()}.parquet`
}

/** Returns the key of part `part` (from 1) of `parts`. Spec: "Multi-part checkpoint". */
export function checkpointPartKey(version: bigint, part: number, parts: number): string {
  const [o, p] = [part, parts].map((number) => number.toString().padStart(10, '0'))
  return `${LOG_PREFIX}${paddedVersion(version)}.checkpoint.${o}.${p}.parquet`
}

/** Parses a key of the log; returns `undefined` for files that readers may ignore (checksums, compactions, others). */
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

/**
 * Tells whether a key names a UUID-named checkpoint, which always follows the V2 spec. Spec: "UUID-named checkpoint".
 */
export function isUuidCheckpoint(key: string): boolean {
  return parseLogKey(key)?.kind === 'checkpointV2'
}

/**
 * Returns the store key of a sidecar. Its path is a bare name or a path into the directory `_delta_log/_sidecars`.
 * Spec: "Sidecar File Information".
 * @throws KD_TABLE_CORRUPT for any other path
 */
export function sidecarKey(path: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch (cause) {
    throw new PipelineError(
      'KD_TABLE_CORRUPT',
      'the path of a sidecar is not a valid URI',
      { path },
      { cause },
    )
  }
  const match = /^(?:.*_delta_log\/_sidecars\/)?([^/\\\0]+\.parquet)$/.exec(decoded)
  if (match?.[1] === undefined) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'a sidecar is not in _delta_log/_sidecars', { path })
  }
  return `${LOG_PREFIX}_sidecars/${match[1]}`
}

/**
 * Returns the key of a new data file: `date=2026-01-01/part-00000-<uuid>.c000.zstd.parquet`. The UUID makes it unique.
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

/** Returns `length` random letters and digits. */
export function randomAlphanumeric(length: number): string {
  return Array.from({ length }, () => ALPHANUMERIC.charAt(randomInt(ALPHANUMERIC.length))).join('')
}

/**
 * Returns a directory such as `a=1/b=x%3Ay/`, in the order of the partition columns; empty for an unpartitioned table.
 * The layout is a convention: readers take partition values from the log.
 */
function partitionDirectory(
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
 * File systems limit names to 255 bytes, S3 limits keys to 1024. A long name or value must not stop the stream, so its
 * directory name is cut to this many bytes after escaping.
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

/** Directory name of a null value in Hive and Spark. */
const NULL_DIRECTORY = '__HIVE_DEFAULT_PARTITION__'

/** Characters that Hive and Spark escape in directory names, and the zero byte, which no store accepts. */
const ESCAPED = /[\u0000-\u001f"#%'*/:=?\\\u007f{[\]^]/g

function escapeName(name: string): string {
  return name.replace(
    ESCAPED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/**
 * Encodes the key of a data file for `add.path`: characters that a URI path may not hold are percent-encoded. Spec:
 * "Add File and Remove File" (`path`).
 * @throws KD_RECORD_NOT_FITTING if the key is not well-formed Unicode
 */
export function encodePath(key: string): string {
  try {
    return encodeURI(key).replace(/[?#]/g, encodeURIComponent)
  } catch (cause) {
    throw new PipelineError(
      'KD_RECORD_NOT_FITTING',
      'a partition value is not well-formed Unicode',
      {},
      { cause },
    )
  }
}

/**
 * Decodes an `add.path` to the store key of the file. Spec: "Add File and Remove File" (`path`).
 * @throws KD_TABLE_UNSUPPORTED for an absolute path (a shallow clone)
 * @throws KD_TABLE_CORRUPT if the path cannot be decoded or leads outside the table
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
    throw new PipelineError('KD_TABLE_CORRUPT', 'a file path is not a valid URI', { path }, { cause })
  }
  if (key === '' || key.split('/').includes('..')) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'a file path leads outside the table', { path })
  }
  return key
}
