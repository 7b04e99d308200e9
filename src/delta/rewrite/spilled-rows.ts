import { mkdtemp, open, type FileHandle, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordBatchStreamWriter, type Schema, tableFromIPC } from 'apache-arrow'
import { bytesOf, type Columns } from '../../arrow/column.ts'
import { columnFromArrow } from '../../arrow/from-arrow.ts'
import { gather } from '../../arrow/gather.ts'
import { toArrowSchema, toRecordBatch } from '../../arrow/record-batch.ts'
import type { StructType } from '../../core/schema.ts'

/** Bytes of rows in memory above which some are written to disk. */
const MEMORY_BYTES = 64 * 1024 * 1024
/** Bytes that stay in memory after that, so that it happens rarely. */
const KEPT_BYTES = MEMORY_BYTES / 2
/** Bytes of the length before every piece of a file. */
const LENGTH_BYTES = 4

interface Bucket {
  rows: Columns[]
  bytes: number
  file?: FileHandle
  fileBytes: number
}

/**
 * Collects rows in buckets, more than memory holds: rows beyond 64 MiB are stored as Arrow in a directory among the
 * temporary files of the machine, which `close` deletes.
 */
export class RowBuckets {
  readonly #schema: StructType
  readonly #arrow: Schema
  readonly #buckets: readonly Bucket[]
  readonly #memoryBytes: number
  #bytes = 0
  #folder: string | undefined

  /** Creates `count` empty buckets. `memoryBytes` is for tests. */
  constructor(schema: StructType, count: number, memoryBytes = MEMORY_BYTES) {
    this.#schema = schema
    this.#arrow = toArrowSchema(schema)
    this.#buckets = Array.from({ length: count }, () => ({ rows: [], bytes: 0, fileBytes: 0 }))
    this.#memoryBytes = memoryBytes
  }

  /** Bytes written to disk. */
  get spilledBytes(): number {
    return this.#buckets.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
  }

  /** Adds rows to a bucket. They must not change afterwards. */
  async add(index: number, rows: Columns): Promise<void> {
    const bucket = this.#buckets[index] as Bucket
    const bytes = rows.columns.reduce((sum, column) => sum + bytesOf(column), 0)
    bucket.rows.push(rows)
    bucket.bytes += bytes
    this.#bytes += bytes
    if (this.#bytes <= this.#memoryBytes) return
    const largest = this.#buckets.filter(({ bytes: held }) => held > 0).sort((a, b) => b.bytes - a.bytes)
    const kept = (this.#memoryBytes * KEPT_BYTES) / MEMORY_BYTES
    for (const each of largest) {
      if (this.#bytes <= kept) return
      await this.#spill(each)
    }
  }

  /** Yields the rows of a bucket in the order in which they were added. */
  async *rows(index: number): AsyncGenerator<Columns> {
    const bucket = this.#buckets[index] as Bucket
    yield* this.#readSpilled(bucket)
    yield* bucket.rows
  }

  /** Releases memory and deletes the temporary files. */
  async close(): Promise<void> {
    for (const { file } of this.#buckets) await file?.close()
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
  }

  async #spill(bucket: Bucket): Promise<void> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'kafka-delta-'))
    bucket.file ??= await open(join(this.#folder, String(this.#buckets.indexOf(bucket))), 'w+')
    const { columns, length } = concatColumns(this.#schema, bucket.rows)
    const batch = toRecordBatch(this.#arrow, columns, length)
    const body = RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true)
    const head = new DataView(new ArrayBuffer(LENGTH_BYTES))
    head.setUint32(0, body.length)
    await writeAt(bucket.file, new Uint8Array(head.buffer), bucket.fileBytes)
    await writeAt(bucket.file, body, bucket.fileBytes + LENGTH_BYTES)
    bucket.fileBytes += LENGTH_BYTES + body.length
    this.#bytes -= bucket.bytes
    bucket.rows = []
    bucket.bytes = 0
  }

  async *#readSpilled({ file, fileBytes }: Bucket): AsyncGenerator<Columns> {
    for (let at = 0; file !== undefined && at < fileBytes;) {
      const head = await readAt(file, at, LENGTH_BYTES)
      const length = new DataView(head.buffer, head.byteOffset).getUint32(0)
      const [batch] = tableFromIPC(await readAt(file, at + LENGTH_BYTES, length)).batches
      at += LENGTH_BYTES + length
      if (batch === undefined) continue
      const { fields } = this.#schema
      const columns = fields.map(({ type }, index) =>
        columnFromArrow(batch.data.children[index], type, batch.numRows),
      )
      yield { schema: this.#schema, length: batch.numRows, columns }
    }
  }
}

/** Concatenates the rows of several pieces. */
export function concatColumns(schema: StructType, pieces: readonly Columns[]): Columns {
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return only
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const columns = schema.fields.map(({ type }, index) =>
    gather(
      type,
      pieces.flatMap(({ columns: held, length: end }) => {
        const column = held[index]
        return column === undefined ? [] : [{ column, start: 0, end }]
      }),
    ),
  )
  return { schema, length, columns }
}

/** Writes all bytes: one call of the operating system may write only some, such as on a disk that is almost full. */
async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, position + read)
    if (bytesRead === 0) throw new Error('Broken invariant: a temporary file became shorter')
    read += bytesRead
  }
  return bytes
}
