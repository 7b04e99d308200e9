import { randomUUID } from 'node:crypto'
import type { Message } from 'kafkajs'
import type { DeadLetter } from '../../core/batch.ts'
import { headerBytesOf, headerValuesOf } from '../../core/raw.ts'
import { encodeContent } from './letter-content.ts'
import {
  DEAD_LETTER_VERSION,
  deadLetterKeyOf,
  envelopeOf,
  keyBytesMaxOf,
  type PartsNotice,
  positionFields,
  TRACE_ID_HEADER,
} from './dead-letter-envelope.ts'

/** Header of the records that hold a part of a letter: `2/5` is the second of five. */
export const PART_HEADER = 'kafka-delta-part'

/** Describes how letters become records. */
interface RecordOptions {
  /** Partition of the dead letter topic. */
  readonly partition: number
  /** Larger values are truncated in the first record and follow in parts of this size. */
  readonly valueBytesMax: number
  readonly nowMs: number
  readonly traceId: string | undefined
}

/** A letter with its number among those of one message. */
interface NumberedLetter {
  readonly letter: DeadLetter
  readonly ordinal: number
}

/** A record to send, with its approximate size. */
interface OutgoingRecord {
  readonly message: Message
  readonly bytes: number
}

/** Maximum bytes of one transaction, so that it ends well before its timeout; one message may exceed it. */
const TRANSACTION_BYTES_MAX = 8 * 1024 * 1024
/** Time after which the broker aborts the open transaction of a dead process, which blocks readers of committed records. */
const TRANSACTION_TIMEOUT_MS = 15_000
/** Below the limit that brokers set by default (15 minutes). */
const TRANSACTION_TIMEOUT_MS_MAX = 10 * 60_000

const RECORD_BYTES_OVERHEAD = 100
const HEADER_BYTES_OVERHEAD = 10

/**
 * Yields the records of a letter: its envelope and, if that does not hold everything, the content in parts. They are
 * created one at a time, so that a large letter is not held in a second form.
 */
export function* recordsOf(
  letter: DeadLetter,
  ordinal: number,
  options: RecordOptions,
): Generator<OutgoingRecord> {
  const { valueBytesMax } = options
  if (isWhole(letter, valueBytesMax)) {
    yield envelopeRecord(letter, ordinal, options)
    return
  }
  const content = Buffer.concat(encodeContent(letter))
  const count = Math.ceil(content.length / valueBytesMax)
  const parts = { id: randomUUID(), count, bytes: content.length }
  yield envelopeRecord(letter, ordinal, options, parts)
  for (let k = 0; k < count; k++) {
    const slice = content.subarray(k * valueBytesMax, (k + 1) * valueBytesMax)
    yield partRecord(letter, ordinal, options, { ...parts, part: k + 1, slice })
  }
}

/** Returns the approximate bytes of all records of a letter. */
export function recordBytesOf({ key, value, headers, message }: DeadLetter): number {
  const contentBytes = (key?.length ?? 0) + (value?.length ?? 0) + headerBytesOf(headers)
  return Math.ceil((contentBytes * 4) / 3) + message.length + 1024
}

/** Returns how many of the first letters fit one transaction; letters of one message share an offset and stay together. */
export function countTransacted(letters: readonly NumberedLetter[]): number {
  let bytes = 0
  for (const [index, { letter, ordinal }] of letters.entries()) {
    const more = recordBytesOf(letter)
    if (ordinal === 0 && index > 0 && bytes + more > TRANSACTION_BYTES_MAX) return index
    bytes += more
  }
  return letters.length
}

/** Returns the timeout of a transaction in milliseconds. It grows with the largest message, whose letters stay together. */
export function transactionTimeoutMs(letters: readonly NumberedLetter[]): number {
  let bytes = 0
  let bytesMax = TRANSACTION_BYTES_MAX
  for (const { letter, ordinal } of letters) {
    bytes = (ordinal === 0 ? 0 : bytes) + recordBytesOf(letter)
    bytesMax = Math.max(bytesMax, bytes)
  }
  const timeoutMs = Math.ceil(TRANSACTION_TIMEOUT_MS * (bytesMax / TRANSACTION_BYTES_MAX))
  return Math.min(timeoutMs, TRANSACTION_TIMEOUT_MS_MAX)
}

/** Returns true when one record holds all of a letter. */
function isWhole({ key, value, headers }: DeadLetter, valueBytesMax: number): boolean {
  return (
    (value?.length ?? 0) <= valueBytesMax &&
    (key?.length ?? 0) <= keyBytesMaxOf(valueBytesMax) &&
    carriesHeaders(headers, valueBytesMax) &&
    // The first record needs this name for the trace of the flush.
    headerValuesOf(headers, TRACE_ID_HEADER).length === 0
  )
}

function envelopeRecord(
  letter: DeadLetter,
  ordinal: number,
  { partition, valueBytesMax, nowMs, traceId }: RecordOptions,
  parts?: PartsNotice,
): OutgoingRecord {
  const key = Buffer.from(deadLetterKeyOf(letter, valueBytesMax))
  const value = Buffer.from(envelopeOf(letter, ordinal, valueBytesMax, nowMs, parts))
  const isCarried = letter.headers !== undefined && carriesHeaders(letter.headers, valueBytesMax)
  const headers = {
    ...(isCarried ? writableHeaders(letter.headers) : {}),
    ...(traceId === undefined ? {} : { [TRACE_ID_HEADER]: traceId }),
  }
  const hasHeaders = Object.keys(headers).length > 0
  return {
    message: { partition, key, value, ...(hasHeaders ? { headers } : {}) },
    bytes: key.length + value.length + (isCarried ? sizeOf(letter.headers) : 0) + RECORD_BYTES_OVERHEAD,
  }
}

function partRecord(
  letter: DeadLetter,
  ordinal: number,
  { partition }: RecordOptions,
  { id, count, part, slice }: PartsNotice & { readonly part: number; readonly slice: Buffer },
): OutgoingRecord {
  const value = Buffer.from(
    JSON.stringify({
      ...positionFields(letter, ordinal),
      dlq_part: part,
      dlq_parts: count,
      dlq_parts_id: id,
      dlq_part_content: slice.toString('base64'),
      dlq_version: DEAD_LETTER_VERSION,
    }),
  )
  // Each key is different, so that compaction of the topic does not delete parts of a letter.
  const key = Buffer.from(`${id}-${part}`)
  const headers = { [PART_HEADER]: `${part}/${count}` }
  return {
    message: { partition, key, value, headers },
    bytes: key.length + value.length + RECORD_BYTES_OVERHEAD,
  }
}

/** Returns true when the headers are small enough to be those of the first record. */
function carriesHeaders(headers: DeadLetter['headers'], valueBytesMax: number): boolean {
  return sizeOf(headers) <= valueBytesMax / 4
}

function sizeOf(headers: DeadLetter['headers']): number {
  const count = Object.keys(headers ?? {}).reduce(
    (sum, name) => sum + headerValuesOf(headers, name).length,
    0,
  )
  return headerBytesOf(headers) + count * HEADER_BYTES_OVERHEAD
}

/** Returns headers as the client can write them: null values are empty, and the envelope lists their positions. */
function writableHeaders(headers: DeadLetter['headers']): NonNullable<Message['headers']> {
  return Object.fromEntries(
    Object.keys(headers ?? {}).map((name) => [
      name,
      headerValuesOf(headers, name).map((value) => Buffer.from(value ?? [])),
    ]),
  )
}
