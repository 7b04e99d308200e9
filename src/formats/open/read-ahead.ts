import type { Columns } from '../../arrow/column.ts'
import { DroppedPaths, mergeRows } from '../../arrow/rows.ts'
import { currentOf, type Changing } from '../../core/changing.ts'
import type { Raw } from '../../core/raw.ts'
import type { Decoded, Format, FormatOptions } from '../format.ts'
import { messagesOf } from '../framing/some-messages.ts'
import type { SourceColumns } from '../sources.ts'
import { emptyDecoded } from '../values.ts'
import type { ThreadFormat } from './thread-format.ts'

/** Holds what a thread has read of a batch: the rows that are in columns. Records without a row are left to the main thread. */
export interface BatchColumns {
  readonly rows: { readonly columns: Columns; readonly records: Int32Array }
  readonly sources: SourceColumns | undefined
  readonly droppedFields: number
  readonly droppedPaths: Pick<DroppedPaths, 'paths' | 'hasMore'>
}

/** Reads columns from the bytes of batches on other threads. */
export interface ColumnThreads {
  /**
   * Reads the values of a batch into columns, from a copy of its bytes. Returns `undefined`, or resolves to it, when the
   * batch is to be decoded where it is: it is small, the threads have enough to do, or its format makes no columns there.
   * @throws KD_WORKER_FAILED when the thread that reads the batch has ended
   */
  readColumns(
    raw: Raw,
    format: ThreadFormat,
    options: FormatOptions,
  ): Promise<BatchColumns | undefined> | undefined
}

/**
 * Returns a format whose batches threads read into columns, before it is their turn. `inner` decodes the records that are
 * left, and batches that no thread has read for the present columns. `describe` returns the description of `inner`.
 */
export function withThreads(
  inner: Format,
  changing: FormatOptions | Changing<FormatOptions>,
  describe: () => ThreadFormat | undefined,
  threads: ColumnThreads,
): Format {
  const prepare = inner.prepare && ((raw: Raw) => inner.prepare?.(raw))
  const ready = new ReadyBatches()
  const read = (raw: Raw): Promise<void> | undefined => {
    const options = currentOf(changing)
    const format = options.plain === undefined ? undefined : describe()
    const reading = format && threads.readColumns(raw, format, options)
    return reading?.then((columns) => {
      if (columns !== undefined) ready.add(raw, options, columns)
    })
  }
  return {
    name: inner.name,
    readAhead(raw) {
      const schemas = prepare?.(raw)
      return schemas === undefined ? read(raw) : schemas.then(() => read(raw))
    },
    ...(prepare === undefined
      ? {}
      : { prepare: (raw) => (ready.isComplete(raw, currentOf(changing)) ? undefined : prepare(raw)) }),
    ...(inner.objectReasons === undefined ? {} : { objectReasons: () => inner.objectReasons?.() ?? [] }),
    decode(raw) {
      const found = ready.take(raw, currentOf(changing))
      return (found && withRest(raw, found, (rest) => inner.decode(rest))) ?? inner.decode(raw)
    },
  }
}

interface FoundColumns extends Omit<BatchColumns, 'droppedPaths'> {
  readonly droppedPaths: DroppedPaths
}

/** Holds the columns of the batches that wait for their turn. */
class ReadyBatches {
  readonly #ready = new WeakMap<Raw, { readonly of: FormatOptions; readonly columns: BatchColumns }>()
  #dropped: { readonly of: FormatOptions; readonly paths: DroppedPaths } | undefined

  add(raw: Raw, of: FormatOptions, columns: BatchColumns): void {
    this.#ready.set(raw, { of, columns })
  }

  /** Returns true when every record of a batch is a row already. */
  isComplete(raw: Raw, options: FormatOptions): boolean {
    const found = this.#ready.get(raw)
    return found?.of === options && found.columns.rows.records.length === raw.count
  }

  /** Returns the columns of a batch, once, and only if these are still the options with which they were read. */
  take(raw: Raw, options: FormatOptions): FoundColumns | undefined {
    const found = this.#ready.get(raw)
    this.#ready.delete(raw)
    if (found?.of !== options) return undefined
    if (this.#dropped?.of !== options)
      this.#dropped = { of: options, paths: new DroppedPaths(options.schema) }
    this.#dropped.paths.addAll(found.columns.droppedPaths)
    return { ...found.columns, droppedPaths: this.#dropped.paths }
  }
}

/**
 * Returns the batch with the rows that a thread has read and the records that `decodeRest` decodes; `undefined` when both do
 * not fit together, so that the whole batch has to be decoded.
 */
function withRest(raw: Raw, found: FoundColumns, decodeRest: (rest: Raw) => Decoded): Decoded | undefined {
  const { rows, sources } = found
  const left = leftOf(raw.count, rows.records)
  if (left.length === raw.count) return undefined
  const rest = left.length === 0 ? emptyDecoded(raw) : decodeRest(messagesOf(raw, left))
  const restRows = rest.validated?.records.length ?? 0
  // Records of one message, and values as they are written, have positions that cannot be joined.
  if (rest.raw.parts !== raw.parts || (restRows > 0 && sources !== undefined)) return undefined
  const recordOf = (record: number): number => left[record] as number
  const validated =
    rest.validated === undefined || restRows === 0
      ? rows
      : mergeRows(rows, { ...rest.validated, records: rest.validated.records.map(recordOf) })
  const droppedFields = found.droppedFields + (rest.droppedFields ?? 0)
  const droppedPaths = [
    ...(found.droppedFields > 0 ? [found.droppedPaths] : []),
    ...(rest.droppedPaths ?? []),
  ]
  return {
    ...rest,
    raw,
    validated,
    records: rest.records.map(recordOf),
    ...(rest.nullTombstones === undefined ? {} : { nullTombstones: rest.nullTombstones.map(recordOf) }),
    ...(sources === undefined ? {} : { sources }),
    ...(droppedFields > 0 ? { droppedFields } : {}),
    ...(droppedPaths.length > 0 ? { droppedPaths } : {}),
  }
}

/** Returns the records that are no rows, ascending. */
function leftOf(count: number, records: Int32Array): readonly number[] {
  const left: number[] = []
  let next = 0
  for (let i = 0; i < count; i++)
    if (records[next] === i) next++
    else left.push(i)
  return left
}
