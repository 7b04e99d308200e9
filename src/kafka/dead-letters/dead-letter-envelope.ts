import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '../../core/batch.ts'
import { errorClassOf, deadLetterStageOf } from '../../core/dead-letter.ts'
import { headerValuesOf } from '../../core/raw.ts'

/** Version of the envelope format. */
export const DEAD_LETTER_VERSION = '1.2'

/** Header with the trace id of the flush that the letter came from, if it was traced. */
export const TRACE_ID_HEADER = 'kafka-delta-trace-id'

const TEXT_CHARS_MAX = 8 * 1024
const KEY_BYTES_MAX = 16 * 1024
const TIME_MS_MAX = 8.64e15

/** Announces the further records that hold the whole content of a letter. */
export interface PartsNotice {
  /** Id that the first record and the parts of one letter share. */
  readonly id: string
  readonly count: number
  /** Bytes of the content, over all parts. */
  readonly bytes: number
}

/** Returns the maximum length of a key in an envelope, and of the key of its record. */
export function keyBytesMaxOf(valueBytesMax: number): number {
  return Math.min(KEY_BYTES_MAX, valueBytesMax)
}

/**
 * Returns the JSON envelope of a dead letter, the value of its Kafka record.
 *
 * `original_key` and `original_value` are text if the bytes are UTF-8, otherwise base64; then `original_key_encoding` and
 * `original_value_encoding` are `"base64"` (absent for text). A value above `valueBytesMax` is truncated:
 * `original_value_truncated` is then true and `original_value_bytes` the original size; keys above 16 KiB likewise.
 * `original_headers_null` lists, by name, the positions of header values that are null: in the Kafka record they are
 * empty. `original_offset` is a number, or text with its digits above 2^53. Timestamps are ISO 8601 in UTC, or text with the
 * milliseconds beyond the range of dates. `original_ordinal` numbers the letters of one message. With `parts`, the fields
 * `dlq_parts`, `dlq_parts_id` and `dlq_parts_bytes` announce the records that hold the content untruncated. The envelope is
 * smaller than 4/3 of `valueBytesMax` plus 160 KiB.
 */
export function envelopeOf(
  letter: DeadLetter,
  ordinal: number,
  valueBytesMax: number,
  nowMs: number,
  parts?: PartsNotice,
): string {
  return JSON.stringify({
    ...positionFields(letter, ordinal),
    ...bytesFields('original_key', letter.key, keyBytesMaxOf(valueBytesMax)),
    ...bytesFields('original_value', letter.value, valueBytesMax),
    ...nullHeaderFields(letter.headers),
    original_timestamp: isoOf(letter.timestampMs),
    error_reason: letter.reason,
    error_message: cutText(letter.message, Math.min(TEXT_CHARS_MAX, valueBytesMax)),
    error_class: errorClassOf(letter.reason),
    error_stage: deadLetterStageOf(letter.reason),
    // The record causes the error, not the code: a stack trace would not help.
    error_stack_trace: null,
    dlq_timestamp: isoOf(nowMs),
    dlq_version: DEAD_LETTER_VERSION,
    ...(parts === undefined
      ? {}
      : { dlq_parts: parts.count, dlq_parts_id: parts.id, dlq_parts_bytes: parts.bytes }),
  })
}

/** Returns the fields of an envelope that identify the original record and the letter among those of its message. */
export function positionFields(letter: DeadLetter, ordinal: number): Readonly<Record<string, unknown>> {
  const { topic, partition, offset } = letter
  return {
    original_topic: topic,
    original_partition: partition,
    original_offset: offset <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(offset) : String(offset),
    original_ordinal: ordinal,
  }
}

/** Returns the key of the dead letter: the original key, or `topic-partition-offset` if it is null or too long. */
export function deadLetterKeyOf(letter: DeadLetter, valueBytesMax: number): Uint8Array {
  const { key } = letter
  if (key !== undefined && key.length <= keyBytesMaxOf(valueBytesMax)) return key
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
    if (
      bytes.length <= Math.min(TEXT_CHARS_MAX, bytesMax) ||
      Buffer.byteLength(JSON.stringify(text)) <= (Math.min(bytes.length, bytesMax) * 4) / 3
    ) {
      return { [name]: text, ...size }
    }
  }
  const cut = bytes.subarray(0, bytesMax)
  return { [name]: Buffer.from(cut).toString('base64'), [`${name}_encoding`]: 'base64', ...size }
}

/** Returns the positions of null values: the client that produces the letters cannot write them. */
function nullHeaderFields(headers: DeadLetter['headers']): Record<string, unknown> {
  const nulls = Object.keys(headers ?? {}).flatMap((name) => {
    const at = headerValuesOf(headers, name).flatMap((value, index) => (value === null ? [index] : []))
    return at.length === 0 ? [] : [[name, at] as const]
  })
  return nulls.length === 0 ? {} : { original_headers_null: Object.fromEntries(nulls) }
}

/** Returns the largest length up to `at` that does not split a UTF-8 character. */
function characterEnd(bytes: Uint8Array, at: number): number {
  let end = at
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end
}

function cutText(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`
}

function isoOf(ms: number): string {
  return Math.abs(ms) <= TIME_MS_MAX ? new Date(ms).toISOString() : String(ms)
}
