import { crc32 } from '@node-rs/crc32'
import { ENTRY_HEADER_BYTES } from './batch-header.ts'
import { MalformedRecords } from './malformed-records.ts'
import { decompressSection, type DecompressionOptions, type OffsetWindow } from './gather-batch.ts'
import type { GatheredRecords } from './gathered-records.ts'
import type { RecordLayout } from './record-ranges.ts'
import { recordCodecOf } from './record-codecs.ts'

/** Counts the bytes after offset and length in the smallest message: format 0 with null key and value. */
export const LEGACY_MESSAGE_BYTES_MIN = 14

const CRC_AT = 12
const CHECKED_FROM = 16
const ATTRIBUTES_AT = 17
const TIMESTAMP_AT = 18
const APPEND_TIME = 0x08
const NO_TIMESTAMP = -1n

/** Describes a message of format 0 or 1 as stored. Spec: "Message sets". */
interface Message extends RecordLayout {
  readonly offset: bigint
  readonly magic: number
  readonly attributes: number
  readonly timestampMs: bigint
}

/**
 * Adds the records of one message of format 0 or 1: the message itself, or the messages in a compressed wrapper.
 * `entry` is the complete message including offset and length; `following` is the lowest offset that it may contain.
 * LZ4 wrappers of old clients with a wrong header checksum (KAFKA-3160) are refused.
 * @throws MalformedRecords
 */
export function gatherMessage(
  gathered: GatheredRecords,
  entry: Uint8Array,
  following: bigint,
  window: OffsetWindow,
  decompression: DecompressionOptions,
): void {
  const message = readMessage(entry, 0, entry.length)
  const codec = recordCodecOf(message.attributes)
  if (codec === undefined) {
    const shift = gathered.addSection(entry, true)
    add(gathered, message, message, shift, window)
    return
  }
  if (message.valueStart < 0) throw new MalformedRecords('expected messages in a wrapper, got null')
  const inside = entry.subarray(message.valueStart, message.valueEnd)
  const bytes = decompressSection(codec, inside, decompression)
  const messages = readInside(bytes, message)
  const [first] = messages
  const last = messages.at(-1)
  if (first === undefined || last === undefined)
    throw new MalformedRecords('expected messages in a wrapper, got none')
  // In format 1 the offsets inside are relative, and the wrapper has the absolute offset of the last message.
  const base = message.magic === 0 ? 0n : message.offset - last.offset
  if (first.offset + base < following)
    throw new MalformedRecords(`expected offsets of at least ${following}, got ${first.offset + base}`)
  const shift = gathered.addSection(bytes, false)
  for (const each of messages) add(gathered, { ...each, offset: each.offset + base }, message, shift, window)
}

function readInside(bytes: Uint8Array, wrapper: Message): readonly Message[] {
  const messages: Message[] = []
  let previous = -1n
  for (let at = 0; at < bytes.length;) {
    if (at + ENTRY_HEADER_BYTES > bytes.length)
      throw new MalformedRecords('expected complete messages in a wrapper')
    const length = new DataView(bytes.buffer, bytes.byteOffset + at + 8, 4).getInt32(0)
    const end = at + ENTRY_HEADER_BYTES + length
    if (length < LEGACY_MESSAGE_BYTES_MIN || end > bytes.length)
      throw new MalformedRecords(`expected complete messages in a wrapper, got a length of ${length} bytes`)
    const message = readMessage(bytes, at, end)
    if (message.magic !== wrapper.magic)
      throw new MalformedRecords(
        `expected messages of format ${wrapper.magic} in a wrapper, got ${message.magic}`,
      )
    if (recordCodecOf(message.attributes) !== undefined)
      throw new MalformedRecords('expected uncompressed messages in a wrapper')
    if (message.offset <= previous || message.offset > wrapper.offset)
      throw new MalformedRecords(`expected ascending offsets in a wrapper, got ${message.offset}`)
    previous = message.offset
    messages.push(message)
    at = end
  }
  return messages
}

/**
 * Reads the message from `start` to `end` and verifies its CRC-32; its positions are relative to the start of `bytes`.
 */
function readMessage(bytes: Uint8Array, start: number, end: number): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  const expected = view.getUint32(CRC_AT)
  const got = crc32(bytes.subarray(start + CHECKED_FROM, end))
  if (expected !== got)
    throw new MalformedRecords(
      `expected a message with the CRC-32 ${expected.toString(16)}, got ${got.toString(16)}`,
    )
  const magic = view.getInt8(CHECKED_FROM)
  const keyAt = magic === 0 ? TIMESTAMP_AT : TIMESTAMP_AT + 8
  const key = field(view, keyAt)
  const value = field(view, key.next)
  if (value.next !== end - start) throw new MalformedRecords('expected a message of its stated length')
  return {
    offset: view.getBigInt64(0),
    magic,
    attributes: view.getInt8(ATTRIBUTES_AT),
    timestampMs: magic === 0 ? NO_TIMESTAMP : view.getBigInt64(TIMESTAMP_AT),
    keyStart: key.start < 0 ? -1 : key.start + start,
    keyEnd: key.next + start,
    valueStart: value.start < 0 ? -1 : value.start + start,
    valueEnd: value.next + start,
    headersStart: -1,
    end,
  }
}

/** Reads the range of a key or value with its four-byte length; the start is -1 if it is null. */
function field(view: DataView, at: number): { readonly start: number; readonly next: number } {
  if (at + 4 > view.byteLength) throw new MalformedRecords('expected key and value to end within the message')
  const length = view.getInt32(at)
  if (length === -1) return { start: -1, next: at + 4 }
  if (length < 0 || at + 4 + length > view.byteLength)
    throw new MalformedRecords(
      `expected key and value to end within the message, got a length of ${length} bytes`,
    )
  return { start: at + 4, next: at + 4 + length }
}

/** Adds a message if its offset is in the window. The broker's timestamp is stored in the outermost message. */
function add(
  gathered: GatheredRecords,
  message: Message,
  outer: Message,
  shift: number,
  { from, before }: OffsetWindow,
): void {
  const { offset } = message
  if (offset < from || (before !== undefined && offset >= before)) return
  const isAppendTime = outer.magic > 0 && (outer.attributes & APPEND_TIME) !== 0
  const timestampMs = Number(isAppendTime ? outer.timestampMs : message.timestampMs)
  const { ranges } = gathered
  ranges.reserve(1)
  ranges.setOffsetAndTime(
    Number(BigInt.asUintN(32, offset)),
    Number(offset >> 32n),
    timestampMs,
    isAppendTime,
  )
  ranges.add(message, shift)
}
