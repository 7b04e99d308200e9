import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '../../core/batch.ts'
import { errorClassOf, deadLetterStageOf } from '../../core/dead-letter.ts'

/** Version of the envelope format. */
const DEAD_LETTER_VERSION = '1.1'

/** Header with the trace id of the flush that the letter came from, if it was traced. */
export const TRACE_ID_HEADER = 'kafka-delta-trace-id'

const TEXT_BYTES_MAX = 8 * 1024
const KEY_BYTES_MAX = 16 * 1024
const TIME_MS_MAX = 8.64e15

/**
 * Returns the JSON envelope of a dead letter, the value of its Kafka record.
 *
 * `original_key` and `original_value` are text if the bytes are UTF-8, otherwise base64; then `original_key_encoding` and
 * `original_value_encoding` are `"base64"` (absent for text). A value above `valueBytesMax` is truncated:
 * `original_value_truncated` is then true and `original_value_bytes` the original size; keys above 16 KiB likewise.
 * `original_offset` is a number, or text with its digits above 2^53. Timestamps are ISO 8601 in UTC, or text with the
 * milliseconds beyond the range of dates. `original_ordinal` numbers the letters of one message. The envelope is smaller
 * than 4/3 of `valueBytesMax` plus 160 KiB.
 */
export function envelopeOf(
  letter: DeadLetter,
  ordinal: number,
  valueBytesMax: number,
  nowMs: number,
): string {
  return JSON.stringify({
    original_topic: letter.topic,
    original_partition: letter.partition,
    original_offset:
      letter.offset <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(letter.offset) : String(letter.offset),
    original_ordinal: ordinal,
    ...bytesFields('original_key', letter.key, KEY_BYTES_MAX),
    ...bytesFields('original_value', letter.value, valueBytesMax),
    original_timestamp: isoOf(letter.timestampMs),
    error_reason: letter.reason,
    error_message: cutText(letter.message),
    error_class: errorClassOf(letter.reason),
    error_stage: deadLetterStageOf(letter.reason),
    // The record causes the error, not the code: a stack trace would not help.
    error_stack_trace: null,
    dlq_timestamp: isoOf(nowMs),
    dlq_version: DEAD_LETTER_VERSION,
  })
}

/** Returns the key of the dead letter: the original key, or `topic-partition-offset` if it is null or above 16 KiB. */
export function deadLetterKeyOf(letter: DeadLetter): Uint8Array {
  const { key } = letter
  if (key !== undefined && key.length <= KEY_BYTES_MAX) return key
  return Buffer.from(`${letter.topic}-${letter.partition}-${letter.offset}`)
}

function bytesFields(name: string, bytes: Uint8Array | undefined, bytesMax: number): Record<string, unknown> {
  if (bytes === undefined) return { [name]: null }
  const truncated = bytes.length > bytesMax
  const size = truncated ? { [`${name}_truncated`]: true, [`${name}_bytes`]: bytes.length } : {}
  if (isUtf8(bytes)) {
    const text = Buffer.from(truncated ? bytes.subarray(0, characterEnd(bytes, bytesMax)) : bytes).toString(
      'utf8',
    )
    // Control characters take six bytes each in JSON: base64 is then shorter, and bounded.
    if (bytes.length <= TEXT_BYTES_MAX || Buffer.byteLength(JSON.stringify(text)) <= (bytes.length * 4) / 3) {
      return { [name]: text, ...size }
    }
  }
  const cut = bytes.subarray(0, bytesMax)
  return { [name]: Buffer.from(cut).toString('base64'), [`${name}_encoding`]: 'base64', ...size }
}

/** Returns the largest length up to `at` that does not split a UTF-8 character. */
function characterEnd(bytes: Uint8Array, at: number): number {
  let end = at
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end
}

function cutText(text: string): string {
  return text.length <= TEXT_BYTES_MAX ? text : `${text.slice(0, TEXT_BYTES_MAX)}…`
}

function isoOf(ms: number): string {
  return Math.abs(ms) <= TIME_MS_MAX ? new Date(ms).toISOString() : String(ms)
}
