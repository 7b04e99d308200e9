import { PipelineError } from '../../core/errors.ts'
import type { Codec } from '../../parquet/writer.ts'
import { INDEXED_COLUMNS_DEFAULT } from '../../parquet/statistics.ts'
import { parseColumnPaths, STATS_COLUMNS_PROPERTY } from './column-paths.ts'
import { parseIntervalMs } from './interval.ts'

type Configuration = Readonly<Record<string, string>>

const CODECS: Readonly<Record<string, Codec>> = {
  zstd: 'zstd',
  snappy: 'snappy',
  gzip: 'gzip',
  none: 'none',
  uncompressed: 'none',
}
/** Names the table property that sets the compression codec of new files. */
export const CODEC_PROPERTY = 'delta.parquet.compression.codec'

/** Names the table property that sets the target size of files. */
export const FILE_SIZE_PROPERTY = 'delta.targetFileSize'

/** Prefix of the properties that hold CHECK constraints. */
const CHECK_PREFIX = 'delta.constraints.'

const PREFIX_LENGTH = 2
const SIZE = /^(\d{1,15})\s*([kmg]?)b?$/i
const FACTOR: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/**
 * Parses a size such as `104857600` or `100mb` (`delta.targetFileSize`) to bytes; returns `undefined` if it cannot be
 * parsed.
 */
export function parseSizeBytes(text: string | undefined): number | undefined {
  const match = SIZE.exec((text ?? '').trim())
  if (match === null) return undefined
  const bytes = Number(match[1]) * (FACTOR[(match[2] ?? '').toLowerCase()] ?? 1)
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined
}

/**
 * Returns the value of a boolean property, or `byDefault` when it is absent or neither true nor false. Values are
 * compared without case, as Spark does: it stores `TRUE` as the user wrote it.
 */
export function isPropertySet(configuration: Configuration, name: string, byDefault = false): boolean {
  const text = configuration[name]?.toLowerCase()
  return text === 'true' || (byDefault && text !== 'false')
}

/** Returns the value of `delta.columnMapping.mode` in lower case, as Spark compares it; `none` when it is absent. */
export function columnMappingModeOf(configuration: Configuration): string {
  return (configuration['delta.columnMapping.mode'] ?? 'none').toLowerCase()
}

/**
 * Returns the name of the CHECK constraint that a property holds, or `undefined` for other properties. The prefix is
 * compared without case, as Spark does.
 */
export function checkConstraintNameOf(property: string): string | undefined {
  return property.toLowerCase().startsWith(CHECK_PREFIX) ? property.slice(CHECK_PREFIX.length) : undefined
}

/** Returns the codec of new files: `delta.parquet.compression.codec`, or zstd if it is absent or not supported. */
export function parquetCodecOf(configuration: Configuration): Codec {
  return CODECS[(configuration[CODEC_PROPERTY] ?? '').toLowerCase()] ?? 'zstd'
}

/** Returns the number of leaf columns with statistics: `delta.dataSkippingNumIndexedCols`, `Infinity` for -1. */
export function numIndexedColumnsOf(configuration: Configuration): number {
  const text = configuration['delta.dataSkippingNumIndexedCols'] ?? ''
  if (text === '-1') return Infinity
  return /^\d{1,9}$/.test(text) ? Number(text) : INDEXED_COLUMNS_DEFAULT
}

/**
 * Returns the length of the random directory names of new files: `delta.randomPrefixLength`; `undefined` unless
 * `delta.randomizeFilePrefixes` is set.
 */
export function randomPrefixLengthOf(configuration: Configuration): number | undefined {
  if (!isPropertySet(configuration, 'delta.randomizeFilePrefixes')) return undefined
  const text = configuration['delta.randomPrefixLength'] ?? ''
  return isPrefixLength(text) ? Number(text) : PREFIX_LENGTH
}

const isPrefixLength = (text: string): boolean => /^[1-9]\d?$/.test(text)
const isFlag = (text: string): boolean => /^(?:true|false)$/i.test(text)
const isInterval = (text: string): boolean => parseIntervalMs(text, 0) !== Infinity

type PropertyRule = readonly [expectation: string, isValid: (text: string) => boolean]
const FLAG: PropertyRule = ['true or false', isFlag]

/** Supported properties under `delta.`: the expected value in words, and a check of the value. */
const SUPPORTED: Readonly<Record<string, PropertyRule>> = {
  'delta.appendOnly': FLAG,
  'delta.checkpointInterval': ['a whole number from 1', (text) => /^[1-9]\d{0,8}$/.test(text)],
  'delta.checkpoint.writeStatsAsJson': FLAG,
  'delta.checkpoint.writeStatsAsStruct': FLAG,
  'delta.checkpointPolicy': ['classic or v2', (text) => text === 'classic' || text === 'v2'],
  'delta.columnMapping.mode': [
    'none, name or id',
    (text) => ['none', 'name', 'id'].includes(text.toLowerCase()),
  ],
  'delta.dataSkippingNumIndexedCols': ['a whole number from -1', (text) => /^(?:-1|\d{1,9})$/.test(text)],
  [STATS_COLUMNS_PROPERTY]: ['columns, separated by commas', (text) => parseColumnPaths(text) !== undefined],
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
  [FILE_SIZE_PROPERTY]: ['bytes, or a size such as 128mb', (text) => parseSizeBytes(text) !== undefined],
}

/**
 * Refuses table properties that are not supported or have invalid values. Properties outside `delta.` belong to the
 * user; only their text must be well-formed Unicode. Spec: "Table Properties".
 * @throws KD_COMMAND_INVALID with all faults
 */
export function checkTableProperties(properties: Configuration): void {
  const faults = Object.entries(properties).flatMap(([name, value]) => {
    if (!name.isWellFormed() || !value.isWellFormed())
      return [`${JSON.stringify(name)} contains half of a surrogate pair, which is not well-formed Unicode`]
    if (!name.startsWith('delta.')) return []
    const rule = Object.hasOwn(SUPPORTED, name) ? SUPPORTED[name] : undefined
    if (rule === undefined) return [`${name} is not supported`]
    const [expectation, isValid] = rule
    return isValid(value) ? [] : [`${name} must be ${expectation}, got ${JSON.stringify(value)}`]
  })
  if (faults.length === 0) return
  const detail = `${faults.join('; ')}. Supported under delta. are ${Object.keys(SUPPORTED).join(', ')}`
  throw new PipelineError('KD_COMMAND_INVALID', detail)
}
