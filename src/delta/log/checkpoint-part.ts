import { setImmediate } from 'node:timers/promises'
import type { Table } from 'apache-arrow'
import { plainValues } from '../../arrow/plain.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { RowGroup } from '../../parquet/footer.ts'
import {
  openRanges,
  type RangeFile,
  type RangeSource,
  readGroup,
  readRanges,
  type Wanted,
} from '../../parquet/range-reader.ts'
import type { Store } from '../../storage/store.ts'
import { parseJson, readAction } from '../protocol/action-json.ts'
import type { Action } from '../protocol/actions.ts'
import { CHECKPOINT_SCHEMA } from './checkpoint-schema.ts'
import { statsText } from './parsed-stats.ts'

/** What only checkpoints of the V2 spec hold: files that hold their files, and the version that they are of. */
export const V2_COLUMNS: readonly string[] = ['sidecar', 'checkpointMetadata']

/** Lines of a JSON checkpoint, and actions, that are given at a time. */
const LINES_MAX = 4_096
const ACTIONS_MAX = 2_048

/** One file of the checkpoint of a version: the checkpoint itself, a part of it, or a sidecar. */
export class CheckpointPart {
  readonly #store: Store
  readonly #version: bigint
  readonly key: string

  constructor(store: Store, version: bigint, key: string) {
    this.#store = store
    this.#version = version
    this.key = key
  }

  /** Whether its lines are JSON, as those of a commit are. Spec: "V2 Spec". */
  get isJson(): boolean {
    return this.key.endsWith('.json')
  }

  /**
   * Some thousands of rows at a time, of the columns asked for alone: the bytes of others, and of fields that are
   * `omitted`, are not fetched from Parquet. Throws `KD_TABLE_CORRUPT` with the version and the file.
   */
  async *rows(columns: readonly string[], omitted: readonly string[] = []): AsyncGenerator<Rows> {
    if (this.isJson) {
      const bytes = await this.#got(() => this.#store.get(this.key))
      yield* this.#guarded(jsonRows(bytes))
    } else {
      const source = await this.#source()
      for await (const table of this.#guarded(readRanges(source, wantedOf(columns, omitted)))) {
        yield rowsOf(table)
      }
    }
  }

  /** The rows' actions, some at a time, in the order of the columns. Throws as `rows` does. */
  async *actions(
    columns: readonly string[],
    omitted: readonly string[] = [],
  ): AsyncGenerator<readonly Action[]> {
    for await (const rows of this.rows(columns, omitted)) yield* this.actionsOf(rows, columns)
  }

  /** Some rows' actions; others may run in between. Throws as `rows` does. */
  async *actionsOf(rows: Rows, columns: readonly string[]): AsyncGenerator<readonly Action[]> {
    for (const name of columns) {
      const bodies = rows.bodiesOf(name)[Symbol.iterator]()
      for (;;) {
        const { actions, ended } = this.checked(() => take(name, bodies))
        if (actions.length > 0) yield actions
        if (ended) break
        await setImmediate()
      }
    }
  }

  /** The file with its footer, which is Parquet. Throws as `rows` does. */
  async open(): Promise<RangeFile> {
    try {
      return await openRanges(await this.#source())
    } catch (cause) {
      throw this.#corruptIfParquet(cause)
    }
  }

  /** Rows of one row group of the opened file, as `rows` gives them. */
  async *groupRows(file: RangeFile, group: RowGroup, wanted: Wanted): AsyncGenerator<Rows> {
    for await (const table of this.#guarded(readGroup(file, group, wanted))) yield rowsOf(table)
  }

  /** Throws `KD_TABLE_CORRUPT` where the file was replaced since it was opened. */
  async checkSame(file: RangeFile): Promise<void> {
    try {
      await file.checkSame()
    } catch (cause) {
      throw this.#corruptIfParquet(cause)
    }
  }

  /** What `read` makes of rows. Throws `KD_TABLE_CORRUPT` for whatever it throws. */
  checked<T>(read: () => T): T {
    try {
      return read()
    } catch (cause) {
      throw this.corrupt(messageOf(cause), cause)
    }
  }

  /** An error that names version and file. */
  corrupt(detail: string, cause?: unknown): PipelineError {
    const context = { version: this.#version, checkpoint: this.key }
    return new PipelineError('KD_TABLE_CORRUPT', detail, context, { cause })
  }

  /** What makes bytes rows fails for damaged bytes alone. */
  async *#guarded<T>(items: AsyncGenerator<T> | Generator<T>): AsyncGenerator<T> {
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
        const got = await this.#got(() => this.#store.get(this.key, range))
        if (got.length === range.end - range.start) return got
        throw this.corrupt('a file of the checkpoint changed while it was read')
      },
    }
  }

  async #got(get: () => Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      return await get()
    } catch (cause) {
      if (!(cause instanceof PipelineError) || cause.code !== 'KD_STORE_NOT_FOUND') throw cause
      throw this.corrupt('a file of the checkpoint is missing', cause)
    }
  }
}

/** Some rows of a checkpoint. */
export interface Rows {
  /** What the rows hold in one column, nulls left out. */
  bodiesOf(column: string): Iterable<unknown>
}

/** The leaves of these columns that are known, but for those of fields that are omitted. */
export function wantedOf(columns: readonly string[], omitted: readonly string[] = []): Wanted {
  return ([column, field], group) => {
    if (column === undefined || !columns.includes(column) || omitted.includes(`${column}.${field}`))
      return false
    if (column !== 'add' || field !== 'stats_parsed') return isKnown(column, field)
    // The struct repeats the text, which is exact: it counts where there is no text alone.
    const text = group.chunks.find(({ path }) => path[0] === 'add' && path[1] === 'stats')
    return !omitted.includes('add.stats') && (text === undefined || text.nulls === text.values)
  }
}

/** Fields that nobody knows are ignored before they are decoded, whatever their types. Spec: "Protocol Evolution". */
function isKnown(column: string, field: string | undefined): boolean {
  const action = CHECKPOINT_SCHEMA.fields.find(({ name }) => name === column)?.type
  if (typeof action !== 'object' || action.type !== 'struct') return V2_COLUMNS.includes(column)
  return action.fields.some(({ name }) => name === field)
}

/** The next actions of one column. */
function take(name: string, bodies: Iterator<unknown>): { actions: readonly Action[]; ended: boolean } {
  const actions: Action[] = []
  while (actions.length < ACTIONS_MAX) {
    const next = bodies.next()
    if (next.done === true) return { actions, ended: true }
    const action = readAction(name, name === 'add' ? withStats(next.value) : next.value)
    if (action !== undefined) actions.push(action)
  }
  return { actions, ended: false }
}

/** The file with the text of its statistics, where it holds them as a struct alone. */
function withStats(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body
  const { stats, stats_parsed: parsed } = body as {
    readonly stats?: unknown
    readonly stats_parsed?: unknown
  }
  if (parsed === undefined || parsed === null || (stats !== undefined && stats !== null)) return body
  return { ...body, stats: statsText(parsed) }
}

function rowsOf(table: Table): Rows {
  return { bodiesOf: (column) => plainValues(table, column) }
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
