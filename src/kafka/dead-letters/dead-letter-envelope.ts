import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '../../core/batch.ts'
import { classOf, stageOf } from '../../core/dead-letter.ts'

/** Version of the envelope's fields. */
export const DEAD_LETTER_VERSION = '1.1'

/** Header with the id of the trace of the flush that the letter came from, where it was traced. */
export const TRACE_ID_HEADER = 'kafka-delta-trace-id'

const TEXT_BYTES_MAX = 8 * 1024
const KEY_BYTES_MAX = 16 * 1024
const TIME_MS_MAX = 8.64e15

/**
 * A dead letter as the JSON of its Kafka record.
 *
 * `original_key` and `original_value` are text where the bytes are UTF-8, otherwise base64, which `original_key_encoding`
 * and `original_value_encoding` then say (`"base64"`; absent for text). A value above `valueBytesMax` is cut to it:
 * `original_value_truncated` is then true and `original_value_bytes` the size it had; the same for keys above 16 KiB.
 * `original_offset` is a number, or its digits as text above 2^53. Timestamps are ISO 8601 in UTC, or milliseconds as text
 * where no date holds them. `original_ordinal` tells letters of one message apart. The result stays below 4/3 of `valueBytesMax` plus 160 KiB.
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
    error_class: classOf(letter.reason),
    error_stage: stageOf(letter),
    // The record is at fault, not a place in the code: there is no stack to show.
    error_stack_trace: null,
    dlq_timestamp: isoOf(nowMs),
    dlq_version: DEAD_LETTER_VERSION,
  })
}

/** The key of the Kafka record: the original one, or `topic-partition-offset` where there is none or it is above 16 KiB. */
export function deadLetterKey(letter: DeadLetter): Uint8Array {
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
    // Control characters take six bytes each as JSON: base64 then is the shorter and the bounded form.
    if (bytes.length <= TEXT_BYTES_MAX || Buffer.byteLength(JSON.stringify(text)) <= (bytes.length * 4) / 3) {
      return { [name]: text, ...size }
    }
  }
  const cut = bytes.subarray(0, bytesMax)
  return { [name]: Buffer.from(cut).toString('base64'), [`${name}_encoding`]: 'base64', ...size }
}

/** The largest cut at or below `at` that does not split a character. */
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
