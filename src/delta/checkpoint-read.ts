import { plainValues } from '../arrow/plain.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import { type RangeSource, readRanges } from '../parquet/range-reader.ts'
import type { Store } from '../storage/store.ts'
import { parseJson, readAction } from './action-json.ts'
import type { Action } from './actions.ts'
import { CHECKPOINT_SCHEMA } from './checkpoint-schema.ts'
import { asLong, asString, Fields } from './fields.ts'
import type { Checkpoint } from './log.ts'
import { isUuidCheckpoint, sidecarKey } from './paths.ts'

/** The actions that a checkpoint may hold; each is a column of its own. Spec: "Checkpoint Schema". */
export type CheckpointColumn = 'protocol' | 'metaData' | 'txn' | 'domainMetadata' | 'add' | 'remove'

/** Columns of everything but files: what a writer reads. */
export const STATE_COLUMNS: readonly CheckpointColumn[] = ['protocol', 'metaData', 'txn', 'domainMetadata']

/** Columns of files. */
export const FILE_COLUMNS: readonly CheckpointColumn[] = ['add', 'remove']

/** Fields of files that a caller may do without; those of statistics are most of a checkpoint. */
export type OmittedField = 'add.stats' | 'add.tags'

/** What only checkpoints of the V2 spec hold: files that hold their files, and the version that they are of. */
const V2_COLUMNS = ['sidecar', 'checkpointMetadata']

/** Actions of a JSON checkpoint that are given at a time. */
const LINES_MAX = 4_096

/**
 * Actions of a checkpoint of one or many parts, some thousands at a time, of the columns asked for alone: the bytes of
 * others, and of fields that are `omitted`, are not fetched where the file is Parquet. Sidecars are read only where files
 * are asked for. Throws `KD_TABLE_CORRUPT` with the version and the file, also where a part or a
 * sidecar is missing. Spec: "Checkpoints" (V1 and V2 spec), "Sidecar Files".
 */
export async function* readCheckpoint(
  store: Store,
  checkpoint: Checkpoint,
  columns: readonly CheckpointColumn[],
  omitted: readonly OmittedField[] = [],
): AsyncGenerator<readonly Action[]> {
  const { version } = checkpoint
  const withFiles = columns.some((column) => FILE_COLUMNS.includes(column))
  for (const key of checkpoint.keys) {
    const sidecars: string[] = []
    const described: bigint[] = []
    for await (const rows of readRows(store, version, key, [...columns, ...V2_COLUMNS], omitted)) {
      yield checked(version, key, () => {
        for (const body of rows.bodiesOf('checkpointMetadata')) {
          described.push(new Fields(body, 'checkpointMetadata').required('version', asLong))
        }
        for (const body of rows.bodiesOf('sidecar')) {
          sidecars.push(sidecarKey(new Fields(body, 'sidecar').required('path', asString)))
        }
        return actionsOf(rows, columns)
      })
    }
    checkDescribed(version, key, described)
    if (!withFiles) continue
    for (const sidecar of sidecars) {
      for await (const rows of readRows(store, version, sidecar, columns, omitted)) {
        yield checked(version, sidecar, () => actionsOf(rows, columns))
      }
    }
  }
}

/** Some rows of a checkpoint. */
interface Rows {
  /** What the rows hold in one column, nulls left out. */
  bodiesOf(column: string): Iterable<unknown>
}

async function* readRows(
  store: Store,
  version: bigint,
  key: string,
  columns: readonly string[],
  omitted: readonly string[],
): AsyncGenerator<Rows> {
  if (key.endsWith('.json')) {
    const bytes = await fetched(version, key, () => store.get(key))
    try {
      yield* jsonRows(bytes)
    } catch (cause) {
      throw corrupt(messageOf(cause), version, key, cause)
    }
    return
  }
  const wanted = ([column, field]: readonly string[]): boolean =>
    column !== undefined &&
    columns.includes(column) &&
    isKnown(column, field) &&
    !omitted.includes(`${column}.${field}`)
  try {
    for await (const table of readRanges(await sourceOf(store, version, key), wanted)) {
      yield { bodiesOf: (column) => plainValues(table, column) }
    }
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_PARQUET_FAILED') throw cause
    throw corrupt(cause.message, version, key, cause)
  }
}

/** Fields that nobody knows are ignored before they are decoded, whatever their types. Spec: "Protocol Evolution". */
function isKnown(column: string, field: string | undefined): boolean {
  const action = CHECKPOINT_SCHEMA.fields.find(({ name }) => name === column)?.type
  if (typeof action !== 'object' || action.type !== 'struct') return V2_COLUMNS.includes(column)
  return action.fields.some(({ name }) => name === field)
}

async function sourceOf(store: Store, version: bigint, key: string): Promise<RangeSource> {
  const bytes = await store.size(key)
  if (bytes === undefined) throw corrupt('a file of the checkpoint is missing', version, key)
  return {
    name: key,
    bytes,
    async get(range) {
      const got = await fetched(version, key, () => store.get(key, range))
      if (got.length === range.end - range.start) return got
      throw corrupt('a file of the checkpoint changed while it was read', version, key)
    },
  }
}

async function fetched(version: bigint, key: string, get: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await get()
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_STORE_NOT_FOUND') throw cause
    throw corrupt('a file of the checkpoint is missing', version, key, cause)
  }
}

/** A checkpoint in JSON has lines like those of a commit. Spec: "V2 Spec". */
function* jsonRows(bytes: Uint8Array): Generator<Rows> {
  const lines = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')
  for (let from = 0; from < lines.length; from += LINES_MAX) {
    const values = lines
      .slice(from, from + LINES_MAX)
      .flatMap((line, index) => (line.trim() === '' ? [] : [lineOf(line, from + index + 1)]))
    yield {
      *bodiesOf(name) {
        for (const value of values) {
          const body = Object.hasOwn(value, name) ? value[name] : undefined
          if (body !== undefined && body !== null) yield body
        }
      },
    }
  }
}

function lineOf(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
  } catch (cause) {
    throw new SyntaxError(`line ${number}: ${messageOf(cause)}`, { cause })
  }
  throw new TypeError(`line ${number}: an action must be a JSON object`)
}

function actionsOf(rows: Rows, columns: readonly string[]): readonly Action[] {
  const actions: Action[] = []
  for (const name of columns) {
    for (const body of rows.bodiesOf(name)) {
      const action = readAction(name, body)
      if (action !== undefined) actions.push(action)
    }
  }
  return actions
}

/** A checkpoint of the V2 spec says of which version it is, once; one of the V1 spec never. */
function checkDescribed(version: bigint, key: string, described: readonly bigint[]): void {
  const other = described.find((own) => own !== version)
  if (other !== undefined) throw corrupt(`checkpointMetadata.version is ${other}`, version, key)
  if (described.length === 0 && isUuidCheckpoint(key))
    throw corrupt('checkpointMetadata is missing', version, key)
}

function checked<T>(version: bigint, key: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw corrupt(messageOf(cause), version, key, cause)
  }
}

function corrupt(detail: string, version: bigint, checkpoint: string, cause?: unknown): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', detail, { version, checkpoint }, { cause })
}
