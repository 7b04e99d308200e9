import { crc32c } from '@node-rs/crc32'
import { MalformedRecords } from './malformed-records.ts'

/** Counts the bytes of a log entry that its length field does not include: the offset and the length field itself. */
export const ENTRY_HEADER_BYTES = 12
/** Locates the magic byte in a log entry; its position is the same in all formats. */
export const MAGIC_AT = 16
/** Locates the last offset, minus the base offset, in a batch of format 2. */
export const LAST_OFFSET_DELTA_AT = 23
/** Locates the records in a batch of format 2. */
export const RECORDS_AT = 61

const CRC_AT = 17
const CHECKED_FROM = 21
const APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** Describes the header of a record batch of format 2. Spec: "Record Batch". */
export interface BatchHeader {
  readonly baseOffset: bigint
  /** Epoch of the leader that appended the batch. */
  readonly leaderEpoch: number
  readonly attributes: number
  /** Last offset of the batch minus `baseOffset`; compaction preserves it even if it removes the last record. */
  readonly lastOffsetDelta: number
  /** Milliseconds since the epoch. */
  readonly baseTimestampMs: bigint
  readonly maxTimestampMs: bigint
  /** -1 if the producer has no id. */
  readonly producerId: bigint
  readonly count: number
  readonly isAppendTime: boolean
  readonly isTransactional: boolean
  readonly isControl: boolean
}

/**
 * Reads the header of the complete batch `batch` and verifies its checksum, which does not cover base offset, length,
 * leader epoch and format.
 * @throws MalformedRecords
 */
export function readBatchHeader(batch: Uint8Array, view: DataView): BatchHeader {
  const at = batch.byteOffset - view.byteOffset
  const expected = view.getUint32(at + CRC_AT)
  const got = crc32c(batch.subarray(CHECKED_FROM))
  if (expected !== got)
    throw new MalformedRecords(`expected a batch with the CRC-32C ${hex(expected)}, got ${hex(got)}`)
  const attributes = view.getInt16(at + 21)
  const lastOffsetDelta = view.getInt32(at + LAST_OFFSET_DELTA_AT)
  const count = view.getInt32(at + 57)
  if (lastOffsetDelta < 0)
    throw new MalformedRecords(`expected a last offset delta of at least 0, got ${lastOffsetDelta}`)
  if (count < 0) throw new MalformedRecords(`expected a record count of at least 0, got ${count}`)
  return {
    baseOffset: view.getBigInt64(at),
    leaderEpoch: view.getInt32(at + 12),
    attributes,
    lastOffsetDelta,
    baseTimestampMs: view.getBigInt64(at + 27),
    maxTimestampMs: view.getBigInt64(at + 35),
    producerId: view.getBigInt64(at + 43),
    count,
    isAppendTime: (attributes & APPEND_TIME) !== 0,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
  }
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}
