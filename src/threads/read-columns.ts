import type { Column } from '../arrow/column.ts'
import { messageOf } from '../core/errors.ts'
import type { Raw } from '../core/raw.ts'
import type { Decoded, Format } from '../formats/format.ts'
import { openFormat } from '../formats/open/open.ts'
import type { SourceColumns } from '../formats/sources.ts'
import { buffersOf, withoutType } from './column-transfer.ts'
import { describedReaderOf } from './describe.ts'

/** Asks a thread to read the values of a batch. Its typed arrays are moved to the thread. */
export interface ReadTask {
  /** Number of the format and its columns; the thread opens the format of `description` when it does not have it. */
  readonly id: number
  /** The description that `describeReader` returned. */
  readonly description: SharedArrayBuffer
  /** The values of columns that records lack, as of this batch. */
  readonly absent: readonly (readonly [name: string, value: unknown])[]
  readonly bytes: Uint8Array
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
}

/** Holds what a thread returns for a batch: `BatchColumns` without what the main thread knows. */
export interface ReadResult {
  readonly columns: readonly Column[]
  readonly length: number
  readonly records: Int32Array
  /** `bytes` are absent when they are those of the batch. */
  readonly sources: (Omit<SourceColumns, 'bytes'> & { readonly bytes: Uint8Array | undefined }) | undefined
  readonly droppedFields: number
  readonly droppedPaths: { readonly paths: ReadonlySet<string>; readonly hasMore: boolean }
}

/** Says that a thread cannot read a batch, while it works on. */
export interface ReadFault {
  readonly fault: string
}

/** Formats that a thread keeps open; columns of topics change rarely. */
const FORMATS_MAX = 256

const NO_PATHS = { paths: new Set<string>(), hasMore: false }
const NONE = new Uint8Array(0)

interface OpenReader {
  readonly format: Format
  /** The values of columns that records of the present batch lack. */
  readonly absent: Map<string, unknown>
}

/** Reads batches of values into columns. Keeps a format for each description. */
export class BatchReader {
  readonly #kept = new Map<number, Promise<OpenReader>>()

  /** Returns the columns of a batch, or its fault when the format fails at it or cannot be opened. */
  async read(task: ReadTask): Promise<ReadResult | ReadFault> {
    const opening = this.#kept.get(task.id) ?? openReader(task.description)
    this.#keep(task.id, opening)
    try {
      const { format, absent } = await opening
      const raw = rawOf(task)
      await format.prepare?.(raw)
      for (const [name, value] of task.absent) absent.set(name, value)
      return resultOf(format.decode(raw), raw)
    } catch (error) {
      this.#kept.delete(task.id)
      return { fault: messageOf(error) }
    }
  }

  /** Keeps the formats used last. */
  #keep(id: number, reader: Promise<OpenReader>): void {
    this.#kept.delete(id)
    this.#kept.set(id, reader)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= FORMATS_MAX) break
      this.#kept.delete(oldest)
    }
  }
}

async function openReader(description: SharedArrayBuffer): Promise<OpenReader> {
  const { choice, options, absentNames } = describedReaderOf(description)
  const absent = new Map<string, unknown>()
  const absentValues = new Map(absentNames.map((column) => [column, () => absent.get(column)]))
  return { format: await openFormat(choice, { ...options, absentValues }), absent }
}

function resultOf(decoded: Decoded, { bytes, parts }: Raw): ReadResult | ReadFault {
  const { validated, sources, droppedFields = 0, droppedPaths = [], raw } = decoded
  if (raw.parts !== parts) return { fault: 'messages have several records' }
  const [dropped = NO_PATHS] = droppedPaths
  return {
    columns: validated?.columns.columns.map(withoutType) ?? [],
    length: validated?.columns.length ?? 0,
    records: validated?.records ?? new Int32Array(0),
    sources: sources && { ...sources, bytes: sources.bytes === bytes ? undefined : sources.bytes },
    droppedFields,
    droppedPaths: droppedFields === 0 ? NO_PATHS : { paths: dropped.paths, hasMore: dropped.hasMore },
  }
}

/** Returns the batch of a task. Formats look at values alone. */
function rawOf({ bytes, valueStart, valueEnd }: ReadTask): Raw {
  const count = valueStart.length
  const noKeys = new Int32Array(count).fill(-1)
  return {
    topic: '',
    partition: 0,
    count,
    bytes,
    valueStart,
    valueEnd,
    keys: NONE,
    keyStart: noKeys,
    keyEnd: noKeys,
    offsets: new BigInt64Array(count),
    timestampsMs: new Float64Array(count),
    headers: undefined,
  }
}

/** Returns the buffers of a result, for its transfer. */
export function buffersOfResult({ columns, records, sources }: ReadResult): ArrayBuffer[] {
  const arrays: ArrayBufferView[] = [records]
  if (sources !== undefined) {
    const { recordStarts, recordEnds, droppedFields } = sources
    arrays.push(recordStarts, recordEnds, droppedFields)
    for (const { kinds, starts, ends } of sources.columns) arrays.push(kinds, starts, ends)
  }
  const buffers = new Set(buffersOf(columns))
  for (const { buffer, byteLength } of arrays) if (byteLength > 0) buffers.add(buffer as ArrayBuffer)
  return [...buffers]
}
