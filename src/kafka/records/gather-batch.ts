import type { CodecName } from '../../compression/compression.ts'
import { messageOf } from '../../core/errors.ts'
import { RECORDS_AT, type BatchHeader } from './batch-header.ts'
import { MalformedRecords } from './malformed-records.ts'
import type { GatheredRecords } from './gathered-records.ts'
import { RECORD_BYTES_MIN, RecordCursor } from './record-cursor.ts'
import { recordCodecOf, type RecordCodecs } from './record-codecs.ts'

/** Selects offsets: at least `from`, and less than `before` if defined. */
export interface OffsetWindow {
  readonly from: bigint
  readonly before: bigint | undefined
}

/** Configures the decompression of batches; `batchBytesMax` is the maximum decompressed size of one batch. */
export interface DecompressionOptions {
  readonly codecs: Partial<RecordCodecs>
  readonly batchBytesMax: number
}

/**
 * Returns the records of a batch; decompresses them if necessary.
 * @throws MalformedRecords
 */
export function decompressBatch(
  header: BatchHeader,
  batch: Uint8Array,
  decompression: DecompressionOptions,
): Uint8Array {
  const section = decompressSection(
    recordCodecOf(header.attributes),
    batch.subarray(RECORDS_AT),
    decompression,
  )
  if (header.count * RECORD_BYTES_MIN > section.length)
    throw new MalformedRecords(`expected ${header.count} records, got ${section.length} bytes`)
  return section
}

/**
 * Decompresses bytes of the log; returns them unchanged without a codec.
 * @throws MalformedRecords
 */
export function decompressSection(
  codec: CodecName | undefined,
  bytes: Uint8Array,
  { codecs, batchBytesMax }: DecompressionOptions,
): Uint8Array {
  if (codec === undefined) return bytes
  const loaded = codecs[codec]
  if (loaded === undefined) throw new Error(`Broken invariant: the codec ${codec} is not loaded`)
  try {
    return loaded.decompress(bytes, batchBytesMax)
  } catch (error) {
    throw new MalformedRecords(`${codec}: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * Adds the records of a batch that are in the offset window.
 * @throws MalformedRecords if the batch does not have the stated length or its offsets do not ascend
 */
export function gatherBatch(
  gathered: GatheredRecords,
  header: BatchHeader,
  bytes: Uint8Array,
  { from, before }: OffsetWindow,
): void {
  const { baseOffset, baseTimestampMs, maxTimestampMs, isAppendTime, lastOffsetDelta } = header
  const { ranges } = gathered
  ranges.reserve(header.count)
  const shift = gathered.addSection(bytes, recordCodecOf(header.attributes) === undefined)
  const cursor = new RecordCursor(bytes, 0)
  const low = Number(BigInt.asUintN(32, baseOffset))
  const high = Number(baseOffset >> 32n)
  const baseMs = Number(isAppendTime ? maxTimestampMs : baseTimestampMs)
  const firstDelta = from <= baseOffset ? 0 : Number(from - baseOffset)
  const endDelta = before === undefined ? Infinity : Number(before - baseOffset)
  let previous = -1
  for (let left = header.count; left > 0; left--) {
    cursor.next()
    const { offsetDelta } = cursor
    if (offsetDelta <= previous || offsetDelta > lastOffsetDelta)
      throw new MalformedRecords(
        `expected ascending offset deltas up to ${lastOffsetDelta}, got ${offsetDelta} after ${previous}`,
      )
    previous = offsetDelta
    if (offsetDelta < firstDelta || offsetDelta >= endDelta) continue
    const timestampMs = isAppendTime ? baseMs : timestampOf(cursor, baseMs, baseTimestampMs)
    const sum = low + offsetDelta
    ranges.setOffsetAndTime(sum, sum < 0x1_0000_0000 ? high : high + 1, timestampMs, isAppendTime)
    ranges.add(cursor, shift)
  }
  if (cursor.at !== bytes.length)
    throw new MalformedRecords(
      `expected ${header.count} records, got ${bytes.length - cursor.at} bytes after them`,
    )
}

function timestampOf(cursor: RecordCursor, baseMs: number, exactBaseMs: bigint): number {
  const wide = cursor.wideTimestampDelta
  if (wide === undefined) return baseMs + cursor.timestampDelta
  // Wraps at 64 bits, as in the Java client.
  return Number(BigInt.asIntN(64, exactBaseMs + wide))
}
