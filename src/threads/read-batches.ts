import { messageOf, PipelineError } from '../core/errors.ts'
import type { Raw } from '../core/raw.ts'
import type { FormatOptions } from '../formats/format.ts'
import { schemaHeaderOf } from '../formats/framing/schema-id.ts'
import type { BatchColumns, ColumnThreads } from '../formats/open/read-ahead.ts'
import type { ThreadFormat } from '../formats/open/thread-format.ts'
import { withType } from './column-transfer.ts'
import { describeReader } from './describe.ts'
import type { ReadFault, ReadResult, ReadTask } from './read-columns.ts'

/** Runs a task on a thread; rejects when the thread ends before the task does. */
export type RunReadTask = (
  task: ReadTask,
  transfer: readonly ArrayBuffer[],
) => Promise<ReadResult | ReadFault>

/** A batch of fewer bytes is read sooner than it is sent. */
const BATCH_BYTES_MIN = 16 * 1024
/** Batches in a row without a row, after which the main thread decodes the batches itself. */
const EMPTY_BATCHES_MAX = 4
/** Number of batches that the main thread then decodes before a thread is asked again. */
const SKIPPED_BATCHES = 64

/** Describes what threads must know to read columns. */
interface Reader {
  readonly id: number
  /** `undefined` when the description is not plain data. */
  readonly shared: SharedArrayBuffer | undefined
  emptyBatches: number
  skipsLeft: number
}

/**
 * Reads batches on threads: at most `batchesMax` at once, of all topics. A batch whose format fails on a thread is left to
 * the main thread, which has its bytes and finds the same error.
 */
export class BatchThreads implements ColumnThreads {
  readonly #run: RunReadTask
  readonly #batchesMax: number
  readonly #onFault: (fault: string) => void
  readonly #readers = new WeakMap<FormatOptions, WeakMap<ThreadFormat, Reader>>()
  #ids = 0
  #reading = 0

  constructor(run: RunReadTask, batchesMax: number, onFault: (fault: string) => void) {
    this.#run = run
    this.#batchesMax = batchesMax
    this.#onFault = onFault
  }

  readColumns(
    raw: Raw,
    format: ThreadFormat,
    options: FormatOptions,
  ): Promise<BatchColumns | undefined> | undefined {
    if (raw.bytes.length < BATCH_BYTES_MIN || this.#reading >= this.#batchesMax) return undefined
    // Threads see no headers.
    if (format.registered !== undefined && hasSchemaHeader(raw)) return undefined
    const reader = this.#readerOf(format, options)
    if (reader.shared === undefined || reader.skipsLeft-- > 0) return undefined
    const absent = absentValuesOf(options)
    if (absent === undefined) return undefined
    return this.#read(raw, { id: reader.id, description: reader.shared, absent }, reader, options)
  }

  async #read(
    raw: Raw,
    described: Pick<ReadTask, 'id' | 'description' | 'absent'>,
    reader: Reader,
    options: FormatOptions,
  ): Promise<BatchColumns | undefined> {
    const { count } = raw
    // Copies: other batches of the response share the bytes.
    const bytes = Uint8Array.from(raw.bytes)
    const valueStart = Int32Array.from(raw.valueStart.subarray(0, count))
    const valueEnd = Int32Array.from(raw.valueEnd.subarray(0, count))
    this.#reading++
    try {
      const transfer = [bytes.buffer, valueStart.buffer, valueEnd.buffer]
      const result = await this.#run({ ...described, bytes, valueStart, valueEnd }, transfer)
      if (!('fault' in result)) {
        noteRows(reader, result.length)
        return result.length === 0 ? undefined : batchColumnsOf(result, raw, options)
      }
      noteRows(reader, 0)
      this.#onFault(result.fault)
      return undefined
    } catch (error) {
      const { topic, partition } = raw
      throw new PipelineError('KD_WORKER_FAILED', messageOf(error), { topic, partition }, { cause: error })
    } finally {
      this.#reading--
    }
  }

  /** Each set of columns is described once for each format. */
  #readerOf(format: ThreadFormat, options: FormatOptions): Reader {
    let known = this.#readers.get(options)
    if (known === undefined) this.#readers.set(options, (known = new WeakMap<ThreadFormat, Reader>()))
    let reader = known.get(format)
    if (reader === undefined) {
      reader = { id: this.#ids++, shared: this.#describe(format, options), emptyBatches: 0, skipsLeft: 0 }
      known.set(format, reader)
    }
    return reader
  }

  #describe(format: ThreadFormat, options: FormatOptions): SharedArrayBuffer | undefined {
    try {
      return describeReader(format, options)
    } catch (error) {
      this.#onFault(messageOf(error))
      return undefined
    }
  }
}

/** Batches that give no rows are read twice, so that threads are asked for fewer of them. */
function noteRows(reader: Reader, rows: number): void {
  reader.emptyBatches = rows > 0 ? 0 : reader.emptyBatches + 1
  reader.skipsLeft = reader.emptyBatches >= EMPTY_BATCHES_MAX ? SKIPPED_BATCHES : 0
}

function hasSchemaHeader(raw: Raw): boolean {
  if (raw.headers === undefined) return false
  for (let i = 0; i < raw.count; i++) if (schemaHeaderOf(raw, i) !== undefined) return true
  return false
}

/** Returns the values that records lack, or `undefined` when one of them cannot be sent. */
function absentValuesOf({
  absentValues,
}: FormatOptions): (readonly [name: string, value: unknown])[] | undefined {
  const values: (readonly [string, unknown])[] = []
  for (const [name, valueOf] of absentValues ?? []) {
    let value: unknown
    try {
      value = valueOf()
    } catch {
      // A record that lacks the column reports the error.
      return undefined
    }
    if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) return undefined
    values.push([name, value])
  }
  return values
}

function batchColumnsOf(result: ReadResult, raw: Raw, { schema }: FormatOptions): BatchColumns {
  const { columns, length, records, sources, droppedFields, droppedPaths } = result
  const typed = schema.fields.map((field, index) => {
    const column = columns[index]
    if (column === undefined) throw new Error(`Broken invariant: a thread read no column ${field.name}`)
    return withType(column, field.type)
  })
  return {
    rows: { columns: { schema, length, columns: typed }, records },
    sources: sources && { ...sources, bytes: sources.bytes ?? raw.bytes },
    droppedFields,
    droppedPaths,
  }
}
