import { AbortedFilter, isAbortKey, type AbortedTransaction } from './aborted.ts'
import { ENTRY_HEADER_BYTES, MAGIC_AT, readBatchHeader, RECORDS_AT } from './batch-header.ts'
import type { Raw } from '../../core/raw.ts'
import { MalformedRecords, corruptRecordsError, type RecordsPartition } from './malformed-records.ts'
import { gatherBatch, decompressBatch, type DecompressionOptions, type OffsetWindow } from './gather-batch.ts'
import { GatheredRecords } from './gathered-records.ts'
import { gatherMessage, LEGACY_MESSAGE_BYTES_MIN } from './legacy.ts'
import { RecordCursor } from './record-cursor.ts'
import type { RecordCodecs } from './record-codecs.ts'
import type { HeaderRanges } from './record-headers.ts'

/**
 * Default maximum of a decompressed record batch, in bytes. By default, brokers accept compressed batches up to 1 MiB.
 */
const BATCH_BYTES_MAX = 256 * 1024 * 1024
/** Default of decompressed bytes after which a `Raw` ends. */
const READ_BYTES_MAX = 32 * 1024 * 1024
/** Maximum number of records for which arrays are kept between calls. */
const RECORDS_KEPT_MAX = 65_536
/** Largest offset whose successor fits 64 bits. */
const OFFSET_MAX = 2n ** 63n - 2n

/** Selects which records of transactions are read. */
export type Isolation = 'read_committed' | 'read_uncommitted'

/** Describes the records of one partition in a fetch response and the part of them to read. */
export interface RecordsRequest extends RecordsPartition {
  /**
   * Log entries; the last one may be truncated. Written over: the caller gives them up, and a `Raw` of uncompressed batches
   * keeps their buffer.
   */
  readonly records: Uint8Array
  /** The requested offset; records before it are skipped. */
  readonly from: bigint
  readonly isolation: Isolation
  readonly abortedTransactions?: readonly AbortedTransaction[] | null
  /** Offset at which `read_committed` stops reading; -1 if the broker does not report it. */
  readonly lastStableOffset: bigint
  /** Offset at which the log ended for consumers when the broker answered; unknown by default. */
  readonly highWatermark?: bigint
  /** Includes those that `records` names. */
  readonly codecs: Partial<RecordCodecs>
  /** Decompressed bytes after which a `Raw` ends, at the end of a batch; 32 MiB by default. */
  readonly readBytesMax?: number
  /** Maximum decompressed size of a batch in bytes; a larger batch is an error. 256 MiB by default. */
  readonly batchBytesMax?: number
}

/** Holds records of a partition and the offset up to which the log was read. */
export interface RecordsResult {
  readonly raw: Raw
  /** Encoded headers that `raw.headers` decodes; `undefined` if no record has headers. */
  readonly headers: HeaderRanges | undefined
  /** Next offset to read, past all entries that were read, including filtered ones. */
  readonly next: bigint
  /** Epoch of the leader that appended the last batch; -1 if nothing was read or the format has no epochs. */
  readonly leaderEpoch: number
  /** Full size in bytes of an entry that is truncated at the end of the response; 0 if there is none. */
  readonly truncatedBytes: number
}

/**
 * Reads the records of one partition from a fetch response in formats 0, 1 and 2. Verifies all checksums, skips
 * control batches, and under `read_committed` skips records of aborted transactions. Yields at least once, and again
 * whenever the records exceed `readBytesMax`.
 *
 * Memory in addition to the response: at most `readBytesMax` + `batchBytesMax` of decompressed bytes, the same again
 * for their copy, and 45 bytes per record, each of which takes at least seven decompressed bytes.
 * @throws KD_RECORDS_CORRUPT with the offset of a batch whose checksum or structure is wrong, after all records before
 * it were yielded
 */
export function* readRecords(request: RecordsRequest): Generator<RecordsResult, void, undefined> {
  const reader = new EntryReader(request)
  do yield reader.read()
  while (!reader.isDone)
}

let scratch = new GatheredRecords()

/** Reads log entries in order. An entry is a batch of format 2, or a message of format 0 or 1. */
class EntryReader {
  isDone = false
  readonly #request: RecordsRequest
  readonly #view: DataView
  readonly #filter: AbortedFilter
  readonly #window: OffsetWindow
  /** Offset that the broker reports as the end of what may be read; `undefined` if it reports none. */
  readonly #reportedEnd: bigint | undefined
  readonly #decompression: DecompressionOptions
  #at = 0
  #next: bigint
  /** Lowest offset that the next entry may have; `undefined` before the first entry. */
  #following: bigint | undefined
  #leaderEpoch = -1
  #truncatedBytes = 0
  #failure: Error | undefined

  constructor(request: RecordsRequest) {
    const { records, from, isolation, abortedTransactions, lastStableOffset } = request
    this.#request = request
    this.#view = new DataView(records.buffer, records.byteOffset, records.byteLength)
    const isCommitted = isolation === 'read_committed'
    this.#filter = new AbortedFilter(isCommitted ? (abortedTransactions ?? []) : [])
    this.#window = { from, before: isCommitted && lastStableOffset >= 0n ? lastStableOffset : undefined }
    const reportedEnd = isCommitted ? lastStableOffset : (request.highWatermark ?? -1n)
    this.#reportedEnd = reportedEnd < 0n ? undefined : reportedEnd
    this.#decompression = {
      codecs: request.codecs,
      batchBytesMax: request.batchBytesMax ?? BATCH_BYTES_MAX,
    }
    this.#next = from
  }

  read(): RecordsResult {
    if (this.#failure !== undefined) throw this.#failure
    const bytesMax = this.#request.readBytesMax ?? READ_BYTES_MAX
    const from = this.#next
    const gathered = scratch
    while (!this.isDone && gathered.bytes < bytesMax) {
      const { count, bytes } = gathered
      try {
        this.#readEntry(gathered)
      } catch (error) {
        gathered.truncate(count, bytes)
        this.#failure = this.#toPipelineError(error)
        break
      }
    }
    if (this.#failure !== undefined && this.#next === from) {
      scratch = new GatheredRecords()
      throw this.#failure
    }
    const taken = gathered.take(this.#request)
    if (gathered.ranges.capacity > RECORDS_KEPT_MAX) scratch = new GatheredRecords()
    return {
      ...taken,
      next: this.#next,
      leaderEpoch: this.#leaderEpoch,
      truncatedBytes: this.#truncatedBytes,
    }
  }

  #readEntry(gathered: GatheredRecords): void {
    const { records } = this.#request
    const left = records.length - this.#at
    if (left <= MAGIC_AT) {
      this.#end(left === 0 ? 0 : MAGIC_AT + 1)
      return
    }
    const view = this.#view
    const length = view.getInt32(this.#at + 8)
    const magic = view.getInt8(this.#at + MAGIC_AT)
    const lengthMin = magic === 2 ? RECORDS_AT - ENTRY_HEADER_BYTES : LEGACY_MESSAGE_BYTES_MIN
    if (magic < 0 || magic > 2) throw new MalformedRecords(`expected magic byte 0, 1 or 2, got ${magic}`)
    if (length < lengthMin)
      throw new MalformedRecords(`expected a batch of at least ${lengthMin} bytes, got ${length}`)
    if (left < ENTRY_HEADER_BYTES + length) {
      this.#end(ENTRY_HEADER_BYTES + length)
      return
    }
    const entry = records.subarray(this.#at, this.#at + ENTRY_HEADER_BYTES + length)
    if (magic === 2) this.#readBatch(gathered, entry)
    else this.#readMessage(gathered, entry)
    this.#at += entry.length
    if (this.#at === records.length || this.#isPastEnd(this.#next)) this.#end(0)
  }

  #readBatch(gathered: GatheredRecords, entry: Uint8Array): void {
    const header = readBatchHeader(entry, this.#view)
    const { baseOffset } = header
    const lastOffset = baseOffset + BigInt(header.lastOffsetDelta)
    const expected = this.#following ?? this.#window.from
    if (!this.#isRequested(baseOffset, lastOffset)) return
    if (baseOffset > expected) {
      this.#checkOffsetAfter(entry, { expected, baseOffset, lastOffset })
      // Either the log grew while the broker answered, or the offset is wrong; the next fetch decides. To go on would
      // leave out the offsets before the end.
      if (this.#reportedEnd !== undefined && baseOffset >= this.#reportedEnd) {
        this.#end(0)
        return
      }
    }
    const isHidden = this.#filter.isHidden(header, lastOffset, () => {
      if (header.count === 0) return false
      const bytes = decompressBatch(header, entry, this.#decompression)
      const cursor = new RecordCursor(bytes, 0)
      cursor.next()
      return isAbortKey(bytes, cursor)
    })
    if (!isHidden && header.count > 0 && !this.#isPastEnd(baseOffset))
      gatherBatch(gathered, header, decompressBatch(header, entry, this.#decompression), this.#window)
    this.#leaderEpoch = header.leaderEpoch
    this.#advance(lastOffset)
  }

  #readMessage(gathered: GatheredRecords, entry: Uint8Array): void {
    const following = this.#following ?? 0n
    // A wrapper message has the offset of the last message inside and does not contain that of the first.
    const offset = this.#view.getBigInt64(this.#at)
    if (this.#isRequested(undefined, offset))
      gatherMessage(gathered, entry, following, this.#window, this.#decompression)
    this.#advance(offset)
  }

  /**
   * Returns whether an entry with offsets from `first` to `last` holds requested offsets. The checksum does not cover
   * offsets, so contradictory ones are refused: a requested entry must not be mistaken for an earlier one.
   */
  #isRequested(first: bigint | undefined, last: bigint): boolean {
    const start = first ?? last
    const following = this.#following
    const { from } = this.#window
    if (last > OFFSET_MAX || start < (following ?? 0n))
      throw new MalformedRecords(`expected offsets of at least ${following ?? 0n}, got ${start} to ${last}`)
    if (following !== undefined && following < from && first !== undefined && first > from)
      throw new MalformedRecords(`expected the offset ${from} after earlier ones, got ${first} to ${last}`)
    this.#following = last + 1n
    return last >= from
  }

  /**
   * Refuses a batch that does not continue the log before it and contradicts the entry after it: its own offset is the
   * wrong one, and its records must not be delivered under it.
   */
  #checkOffsetAfter(
    entry: Uint8Array,
    { expected, baseOffset, lastOffset }: Readonly<Record<'expected' | 'baseOffset' | 'lastOffset', bigint>>,
  ): void {
    const at = this.#at + entry.length
    if (at + 8 > this.#view.byteLength) return
    const next = this.#view.getBigInt64(at)
    if (next > lastOffset) return
    const detail = `expected offsets of at least ${lastOffset + 1n} after a batch that begins at ${baseOffset}, where ${expected} was next, got ${next}`
    throw new MalformedRecords(detail, { offset: expected })
  }

  #isPastEnd(offset: bigint): boolean {
    const { before } = this.#window
    return before !== undefined && offset >= before
  }

  #advance(lastOffset: bigint): void {
    const { before } = this.#window
    const next = before !== undefined && this.#isPastEnd(lastOffset) ? before : lastOffset + 1n
    if (next > this.#next) this.#next = next
  }

  #end(truncatedBytes: number): void {
    const { from } = this.#window
    if (this.#following !== undefined && this.#following <= from && this.#next === from)
      throw new MalformedRecords(`expected the offset ${from}, got only earlier ones`)
    this.#truncatedBytes = truncatedBytes
    this.isDone = true
  }

  #toPipelineError(error: unknown): Error {
    if (!(error instanceof MalformedRecords)) return error as Error
    const isReadable = this.#at + 8 <= this.#view.byteLength
    const offset = error.offset ?? (isReadable ? this.#view.getBigInt64(this.#at) : this.#next)
    return corruptRecordsError(this.#request, offset, error.message, error)
  }
}
