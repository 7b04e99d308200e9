import { setImmediate } from 'node:timers/promises'
import type { Table } from 'apache-arrow'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { RowGroup } from '../../parquet/footer.ts'
import {
  openRangeFile,
  type RangeFile,
  type RangeSource,
  readRowGroup,
  readRanges,
  type LeafFilter,
} from '../../parquet/range-reader.ts'
import type { Store } from '../../storage/store.ts'
import { parseJson, readAction } from '../protocol/action-json.ts'
import type { Action } from '../protocol/actions.ts'
import { CHECKPOINT_SCHEMA } from './checkpoint-schema.ts'
import { serialiseParsedStats } from './parsed-stats.ts'

/** Lists the columns that only V2 checkpoints have: sidecar files, and the version of the checkpoint. */
export const V2_CHECKPOINT_COLUMNS: readonly string[] = ['sidecar', 'checkpointMetadata']

/** Lines of a JSON checkpoint, and actions, per batch. */
const LINES_MAX = 4_096
const ACTIONS_MAX = 2_048

/** Reads one file of a checkpoint: the checkpoint itself, a part of it, or a sidecar. */
export class CheckpointPart {
  readonly #store: Store
  readonly #version: bigint
  readonly key: string

  constructor(store: Store, version: bigint, key: string) {
    this.#store = store
    this.#version = version
    this.key = key
  }

  /** Tells whether the file is JSON with lines like those of a commit, rather than Parquet. Spec: "V2 Spec". */
  get isJson(): boolean {
    return this.key.endsWith('.json')
  }

  /**
   * Yields the rows of `columns` in batches of some thousands. The bytes of other columns and of `omitted` fields are
   * not fetched from Parquet.
   * @throws KD_TABLE_CORRUPT with the version and the file
   */
  async *rows(columns: readonly string[], omitted: readonly string[] = []): AsyncGenerator<CheckpointRows> {
    if (this.isJson) {
      const bytes = await this.#getOrCorrupt(() => this.#store.get(this.key))
      yield* this.#orCorruptAll(jsonRows(bytes))
    } else {
      const source = await this.#source()
      for await (const table of this.#orCorruptAll(readRanges(source, leafFilterOf(columns, omitted)))) {
        yield await rowsOf(table)
      }
    }
  }

  /** Yields the actions of all rows in batches, ordered by column. Throws like `rows`. */
  async *actions(
    columns: readonly string[],
    omitted: readonly string[] = [],
  ): AsyncGenerator<readonly Action[]> {
    for await (const rows of this.rows(columns, omitted)) yield* this.actionsOf(rows, columns)
  }

  /** Yields the actions of some rows in batches; gives way to other work between batches. Throws like `rows`. */
  async *actionsOf(rows: CheckpointRows, columns: readonly string[]): AsyncGenerator<readonly Action[]> {
    for (const name of columns) {
      const bodies = rows.bodiesOf(name)[Symbol.iterator]()
      for (;;) {
        const { actions, ended } = this.orCorrupt(() => takeActions(name, bodies))
        if (actions.length > 0) yield actions
        if (ended) break
        await setImmediate()
      }
    }
  }

  /** Opens a Parquet file and reads its footer. Throws like `rows`. */
  async open(): Promise<RangeFile> {
    try {
      return await openRangeFile(await this.#source())
    } catch (cause) {
      throw this.#corruptIfParquet(cause)
    }
  }

  /** Yields the rows of one row group of an opened file, in the form of `rows`. */
  async *groupRows(file: RangeFile, group: RowGroup, wanted: LeafFilter): AsyncGenerator<CheckpointRows> {
    for await (const table of this.#orCorruptAll(readRowGroup(file, group, wanted))) yield await rowsOf(table)
  }

  /**
   * Checks that the file was not replaced since it was opened.
   * @throws KD_TABLE_CORRUPT if it was
   */
  async assertUnchanged(file: RangeFile): Promise<void> {
    try {
      await file.assertUnchanged()
    } catch (cause) {
      throw this.#corruptIfParquet(cause)
    }
  }

  /**
   * Returns the result of `read`, which decodes rows.
   * @throws KD_TABLE_CORRUPT for any error of `read`
   */
  orCorrupt<T>(read: () => T): T {
    try {
      return read()
    } catch (cause) {
      throw this.corrupt(messageOf(cause), cause)
    }
  }

  /** Returns an error that names the version and the file. */
  corrupt(detail: string, cause?: unknown): PipelineError {
    const context = { version: this.#version, checkpoint: this.key }
    return new PipelineError('KD_TABLE_CORRUPT', detail, context, { cause })
  }

  /** Decoding fails only for damaged bytes, so its errors are reported as corruption. */
  async *#orCorruptAll<T>(items: AsyncGenerator<T> | Generator<T>): AsyncGenerator<T> {
    try {
      yield* items
    } catch (cause) {
      throw this.#corruptIfParquet(cause)
    }
  }

  #corruptIfParquet(cause: unknown): unknown {
    if (cause instanceof PipelineError && cause.code !== 'KD_PARQUET_FAILED') return cause
    return this.corrupt(messageOf(cause), cause)
  }

  async #source(): Promise<RangeSource> {
    const bytes = await this.#store.size(this.key)
    if (bytes === undefined) throw this.corrupt('a file of the checkpoint is missing')
    return {
      name: this.key,
      bytes,
      get: async (range) => {
        const got = await this.#getOrCorrupt(() => this.#store.get(this.key, range))
        if (got.length === range.end - range.start) return got
        throw this.corrupt('a file of the checkpoint changed while it was read')
      },
    }
  }

  async #getOrCorrupt(get: () => Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      return await get()
    } catch (cause) {
      if (!(cause instanceof PipelineError) || cause.code !== 'KD_STORE_NOT_FOUND') throw cause
      throw this.corrupt('a file of the checkpoint is missing', cause)
    }
  }
}

/** Holds a batch of checkpoint rows. */
export interface CheckpointRows {
  /** Returns the non-null values of one column. */
  bodiesOf(column: string): Iterable<unknown>
}

/** Returns a filter for the known leaf columns of `columns`, without those of `omitted` fields. */
export function leafFilterOf(columns: readonly string[], omitted: readonly string[] = []): LeafFilter {
  return ([column, field], group) => {
    if (column === undefined || !columns.includes(column) || omitted.includes(`${column}.${field}`))
      return false
    if (column !== 'add' || field !== 'stats_parsed') return isKnown(column, field)
    // `stats_parsed` repeats `stats`, whose text is exact: the struct is read only if the text is absent.
    const text = group.chunks.find(({ path }) => path[0] === 'add' && path[1] === 'stats')
    return !omitted.includes('add.stats') && (text === undefined || text.nulls === text.values)
  }
}

/** Unknown fields are skipped before decoding, whatever their types. Spec: "Protocol Evolution". */
function isKnown(column: string, field: string | undefined): boolean {
  const action = CHECKPOINT_SCHEMA.fields.find(({ name }) => name === column)?.type
  if (typeof action !== 'object' || action.type !== 'struct') return V2_CHECKPOINT_COLUMNS.includes(column)
  return action.fields.some(({ name }) => name === field)
}

/** Takes the next batch of actions of one column. */
function takeActions(
  name: string,
  bodies: Iterator<unknown>,
): { actions: readonly Action[]; ended: boolean } {
  const actions: Action[] = []
  while (actions.length < ACTIONS_MAX) {
    const next = bodies.next()
    if (next.done === true) return { actions, ended: true }
    const action = readAction(name, name === 'add' ? withStats(next.value) : next.value)
    if (action !== undefined) actions.push(action)
  }
  return { actions, ended: false }
}

/** Adds the statistics as text to a file that has them only as a struct. */
function withStats(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body
  const { stats, stats_parsed: parsed } = body as {
    readonly stats?: unknown
    readonly stats_parsed?: unknown
  }
  if (parsed === undefined || parsed === null || (stats !== undefined && stats !== null)) return body
  return { ...body, stats: serialiseParsedStats(parsed) }
}

async function rowsOf(table: Table): Promise<CheckpointRows> {
  const { readPlainValues } = await import('../../arrow/plain.ts')
  return { bodiesOf: (column) => readPlainValues(table, column) }
}

/** Yields the rows of a JSON checkpoint, whose lines are like those of a commit. Spec: "V2 Spec". */
function* jsonRows(bytes: Uint8Array): Generator<CheckpointRows> {
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
