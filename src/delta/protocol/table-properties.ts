import { PipelineError } from '../../core/errors.ts'
import type { Codec } from '../../parquet/writer.ts'
import { INDEXED_COLUMNS_DEFAULT } from '../../parquet/statistics.ts'
import { columnPaths, STATS_COLUMNS_PROPERTY } from './column-paths.ts'
import { intervalMs } from './interval.ts'

type Configuration = Readonly<Record<string, string>>

const CODECS: Readonly<Record<string, Codec>> = {
  zstd: 'zstd',
  snappy: 'snappy',
  gzip: 'gzip',
  none: 'none',
  uncompressed: 'none',
}
/** The property that names the codec of new files. */
export const CODEC_PROPERTY = 'delta.parquet.compression.codec'

/** The property that says how large files should be. */
export const FILE_SIZE_PROPERTY = 'delta.targetFileSize'

const PREFIX_LENGTH = 2
const SIZE = /^(\d{1,15})\s*([kmg]?)b?$/i
const FACTOR: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** Bytes of a size as `delta.targetFileSize` has it (`104857600`, `100mb`); `undefined` where it cannot be read. */
export function bytesOfSize(text: string | undefined): number | undefined {
  const match = SIZE.exec((text ?? '').trim())
  if (match === null) return undefined
  const bytes = Number(match[1]) * (FACTOR[(match[2] ?? '').toLowerCase()] ?? 1)
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The codec of new files: `delta.parquet.compression.codec`, zstd where it is absent or not one of ours. */
export function codecOf(configuration: Configuration): Codec {
  return CODECS[(configuration[CODEC_PROPERTY] ?? '').toLowerCase()] ?? 'zstd'
}

/** Leaf columns that get statistics: `delta.dataSkippingNumIndexedCols`, all of them for -1. */
export function indexedColumns(configuration: Configuration): number {
  const text = configuration['delta.dataSkippingNumIndexedCols'] ?? ''
  if (text === '-1') return Infinity
  return /^\d{1,9}$/.test(text) ? Number(text) : INDEXED_COLUMNS_DEFAULT
}

/** Characters of the random directories of new files: `delta.randomPrefixLength`; `undefined` without `delta.randomizeFilePrefixes`. */
export function prefixLength(configuration: Configuration): number | undefined {
  if (configuration['delta.randomizeFilePrefixes']?.toLowerCase() !== 'true') return undefined
  const text = configuration['delta.randomPrefixLength'] ?? ''
  return isPrefixLength(text) ? Number(text) : PREFIX_LENGTH
}

const isPrefixLength = (text: string): boolean => /^[1-9]\d?$/.test(text)
const isFlag = (text: string): boolean => text === 'true' || text === 'false'
const isInterval = (text: string): boolean => intervalMs(text, 0) !== Infinity

type Rule = readonly [what: string, holds: (text: string) => boolean]
const FLAG: Rule = ['true or false', isFlag]

/** Every property under `delta.` that is understood: what its value must be, and whether that is so. */
const KNOWN: Readonly<Record<string, Rule>> = {
  'delta.appendOnly': FLAG,
  'delta.checkpointInterval': ['a whole number from 1', (text) => /^[1-9]\d{0,8}$/.test(text)],
  'delta.checkpoint.writeStatsAsJson': FLAG,
  'delta.checkpoint.writeStatsAsStruct': FLAG,
  'delta.checkpointPolicy': ['classic or v2', (text) => text === 'classic' || text === 'v2'],
  'delta.columnMapping.mode': ['none, name or id', (text) => ['none', 'name', 'id'].includes(text)],
  'delta.dataSkippingNumIndexedCols': ['a whole number from -1', (text) => /^(?:-1|\d{1,9})$/.test(text)],
  [STATS_COLUMNS_PROPERTY]: ['columns, separated by commas', (text) => columnPaths(text) !== undefined],
  'delta.deletedFileRetentionDuration': ['a duration such as interval 7 days', isInterval],
  'delta.enableChangeDataFeed': FLAG,
  'delta.enableDeletionVectors': FLAG,
  'delta.enableExpiredLogCleanup': FLAG,
  'delta.enableInCommitTimestamps': FLAG,
  'delta.enableRowTracking': FLAG,
  'delta.enableTypeWidening': FLAG,
  'delta.logRetentionDuration': ['a duration such as interval 30 days', isInterval],
  [CODEC_PROPERTY]: [Object.keys(CODECS).join(', '), (text) => Object.hasOwn(CODECS, text.toLowerCase())],
  'delta.randomizeFilePrefixes': FLAG,
  'delta.randomPrefixLength': ['a whole number from 1 to 99', isPrefixLength],
  'delta.setTransactionRetentionDuration': ['a duration such as interval 30 days', isInterval],
  [FILE_SIZE_PROPERTY]: ['bytes, or a size such as 128mb', (text) => bytesOfSize(text) !== undefined],
}

/**
 * Refuses properties that are not understood, or whose values are not what they must be; names outside `delta.` are
 * their owner's own. Throws `KD_COMMAND_INVALID` with every fault. Spec: "Table Properties".
 */
export function checkProperties(properties: Configuration): void {
  const faults = Object.entries(properties).flatMap(([name, value]) => {
    if (!name.startsWith('delta.')) return []
    const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined
    if (known === undefined) return [`${name} is not supported`]
    const [what, holds] = known
    return holds(value) ? [] : [`${name} must be ${what}, got ${JSON.stringify(value)}`]
  })
  if (faults.length === 0) return
  const detail = `${faults.join('; ')}. Supported under delta. are ${Object.keys(KNOWN).join(', ')}`
  throw new PipelineError('KD_COMMAND_INVALID', detail)
}
