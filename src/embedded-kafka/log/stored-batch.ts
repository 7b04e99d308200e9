import {
  readBatchHeader,
  type BatchHeader,
  ENTRY_HEADER_BYTES,
  MAGIC_AT,
  RECORDS_AT,
} from '../../kafka/records/batch-header.ts'

const LEADER_EPOCH_AT = 12
const BASE_SEQUENCE_AT = 53
const PRODUCER_EPOCH_AT = 51

/** Holds a record batch as a partition stores it: the bytes of its producer with an offset of its own. */
export interface StoredBatch {
  readonly bytes: Buffer
  readonly header: BatchHeader
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly producerEpoch: number
  /** Sequence number of the first record; -1 without an idempotent producer. */
  readonly baseSequence: number
}

/** Reports records that a broker refuses, with the reason for people. */
export class RefusedRecords extends Error {
  readonly code: 'CORRUPT_MESSAGE' | 'UNSUPPORTED_FOR_MESSAGE_FORMAT' | 'INVALID_RECORD'

  constructor(code: RefusedRecords['code'], message: string) {
    super(message)
    this.name = 'RefusedRecords'
    this.code = code
  }
}

/**
 * Returns the batches of a produce request as a partition stores them, from offset `next` on, as copies. Base offset and
 * leader epoch are outside of the checksum, which is verified. Spec: "Record Batch".
 * @throws RefusedRecords for a batch that is cut, has another format or another checksum
 */
export function toStoredBatches(records: Uint8Array, next: bigint, leaderEpoch: number): StoredBatch[] {
  const stored: StoredBatch[] = []
  let offset = next
  for (let at = 0; at < records.length;) {
    const bytes = copyOfBatch(records.subarray(at))
    bytes.writeBigInt64BE(offset, 0)
    bytes.writeInt32BE(leaderEpoch, LEADER_EPOCH_AT)
    const batch = storedBatchOf(bytes)
    checkRecords(batch)
    stored.push(batch)
    offset = batch.lastOffset + 1n
    at += bytes.length
  }
  return stored
}

/**
 * Iterates over batches that a partition has stored already; the checksum of each is verified.
 * @throws RefusedRecords at the first that is cut or broken
 */
export function* storedBatchesIn(bytes: Uint8Array): Generator<StoredBatch> {
  for (let at = 0; at < bytes.length;) {
    const batch = storedBatchOf(copyOfBatch(bytes.subarray(at)))
    yield batch
    at += batch.bytes.length
  }
}

function copyOfBatch(rest: Uint8Array): Buffer {
  if (rest.length < RECORDS_AT) throw new RefusedRecords('CORRUPT_MESSAGE', 'a record batch is cut off')
  const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength)
  if (view.getInt8(MAGIC_AT) !== 2)
    throw new RefusedRecords(
      'UNSUPPORTED_FOR_MESSAGE_FORMAT',
      `expected record batches of format 2, got format ${view.getInt8(MAGIC_AT)}`,
    )
  const length = ENTRY_HEADER_BYTES + view.getInt32(8)
  if (length < RECORDS_AT || length > rest.length)
    throw new RefusedRecords(
      'CORRUPT_MESSAGE',
      `a record batch has a length of ${length} bytes, ${rest.length} follow`,
    )
  return Buffer.from(rest.subarray(0, length))
}

/** Reads the header of a batch that has its offset already; shares the bytes. */
export function storedBatchOf(bytes: Buffer): StoredBatch {
  const header = headerOf(bytes)
  return {
    bytes,
    header,
    baseOffset: header.baseOffset,
    lastOffset: header.baseOffset + BigInt(header.lastOffsetDelta),
    producerEpoch: bytes.readInt16BE(PRODUCER_EPOCH_AT),
    baseSequence: bytes.readInt32BE(BASE_SEQUENCE_AT),
  }
}

const CODEC_MASK = 0x07

/**
 * Refuses a batch whose records are not as many as its header says. Those of a compressed batch are not looked at: they are
 * stored as they are, and its checksum was right.
 */
function checkRecords({ bytes, header }: StoredBatch): void {
  const { count, lastOffsetDelta, attributes } = header
  let found = count
  if ((attributes & CODEC_MASK) === 0) {
    found = 0
    for (let at = RECORDS_AT; at < bytes.length; found++) at = endOfRecord(bytes, at)
  }
  if (found === count && lastOffsetDelta === count - 1) return
  throw new RefusedRecords(
    'INVALID_RECORD',
    `expected a batch of ${count} records with the offsets 0 to ${count - 1}, got ${found} and ${lastOffsetDelta}`,
  )
}

/** Returns the end of the record at `at`; beyond the batch if the record says so, or has no length. */
function endOfRecord(bytes: Uint8Array, at: number): number {
  let length = 0
  for (let shift = 0, i = at; i < bytes.length && shift < 35; shift += 7, i++) {
    const byte = bytes[i] as number
    length += (byte & 0x7f) * 2 ** shift
    // Zigzag: lengths are even.
    if (byte < 0x80) return length % 2 === 1 ? Infinity : i + 1 + length / 2
  }
  return Infinity
}

function headerOf(bytes: Buffer): BatchHeader {
  try {
    return readBatchHeader(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (error) {
    throw new RefusedRecords('CORRUPT_MESSAGE', error instanceof Error ? error.message : String(error))
  }
}
