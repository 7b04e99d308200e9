import { headerValuesOf, type Headers } from '../core/raw.ts'
import { type PartsNotice, TRACE_ID_HEADER } from '../kafka/dead-letters/dead-letter-envelope.ts'
import { causeIdOf, causeOf } from './cause.ts'

/** Identifies the record of a dead letter; `ordinal` distinguishes the letters of one message. */
export interface LetterPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly ordinal: number
}

/** A dead letter as stored in a Kafka topic or a Delta table. */
export interface StoredLetter {
  /** Absent when the table lacks the columns, as with kafka-delta-ingest. */
  readonly position: LetterPosition | undefined
  readonly reason: string
  readonly stage: string
  readonly message: string
  readonly key: Uint8Array | undefined
  readonly value: Uint8Array | undefined
  readonly headers: Headers | undefined
  /** Trace of the flush, if it was traced. */
  readonly traceId: string | undefined
  /** Kafka timestamp of the record, milliseconds since the epoch; -1 when it has none. */
  readonly timestampMs: number
  /** Time of writing, milliseconds since the epoch. */
  readonly writtenMs: number
  /** Reason that prevents a replay, if any: key, value or headers are incomplete, or the position is unknown. */
  readonly unplayable: string | undefined
}

/** Selects dead letters; all by default. */
export interface LetterFilter {
  readonly reason?: string | undefined
  /** Earliest time of writing, milliseconds since the epoch. */
  readonly sinceMs?: number | undefined
  readonly partition?: number | undefined
  readonly offset?: bigint | undefined
  /** Text in the message or the cause, ignoring case. */
  readonly match?: string | undefined
  /** Short id of the cause. */
  readonly group?: string | undefined
  /** Name of the source topic. */
  readonly topic?: string | undefined
}

/** Returns true when the filter selects the letter. */
export function matchesFilter(letter: StoredLetter, filter: LetterFilter): boolean {
  const { position, message, reason, stage } = letter
  if (filter.topic !== undefined && position !== undefined && position.topic !== filter.topic) return false
  if (filter.reason !== undefined && filter.reason !== reason && filter.reason !== stage) return false
  if (filter.sinceMs !== undefined && letter.writtenMs < filter.sinceMs) return false
  if (filter.partition !== undefined && position?.partition !== filter.partition) return false
  if (filter.offset !== undefined && position?.offset !== filter.offset) return false
  if (filter.group !== undefined && filter.group !== causeIdOf(reason, message)) return false
  if (filter.match === undefined) return true
  const wanted = filter.match.toLowerCase()
  return message.toLowerCase().includes(wanted) || causeOf(message).toLowerCase().includes(wanted)
}

/** A part of the content of a dead letter, in a Kafka record of its own. */
export interface LetterPart {
  readonly kind: 'part'
  /** Id of the letter's parts. */
  readonly id: string
  /** Position among the parts, from 1. */
  readonly part: number
  readonly count: number
  readonly base64: string
}

/** A record of a dead letter topic; `parts` says that further records hold the content of the letter untruncated. */
export type LetterRecord =
  | { readonly kind: 'letter'; readonly letter: StoredLetter; readonly parts: PartsNotice | undefined }
  | LetterPart

/** Parses the value of a record of a dead letter topic; returns `undefined` when it is not one of this service. */
export function readLetterRecord(value: Uint8Array, headers: Headers | undefined): LetterRecord | undefined {
  const fields = objectIn(value)
  if (fields === undefined) return undefined
  const id = textIn(fields, 'dlq_parts_id')
  const count = fields['dlq_parts']
  const part = fields['dlq_part']
  const base64 = textIn(fields, 'dlq_part_content')
  if (id !== undefined && isCount(count) && isCount(part) && part <= count && base64 !== undefined)
    return { kind: 'part', id, part, count, base64 }
  const letter = letterIn(fields, headers)
  if (letter === undefined) return undefined
  const bytes = fields['dlq_parts_bytes']
  const hasParts = id !== undefined && isCount(count) && isCount(bytes)
  return { kind: 'letter', letter, parts: hasParts ? { id, count, bytes } : undefined }
}

function letterIn(fields: Fields, headers: Headers | undefined): StoredLetter | undefined {
  const topic = textIn(fields, 'original_topic')
  const partition = fields['original_partition']
  const offset = wholeIn(fields['original_offset'])
  const message = textIn(fields, 'error_message')
  if (topic === undefined || !isPartition(partition) || offset === undefined || message === undefined)
    return undefined
  const reason = textIn(fields, 'error_reason') ?? 'custom'
  const truncated = (['original_value', 'original_key'] as const).filter(
    (name) => fields[`${name}_truncated`] === true,
  )
  const size = fields['original_value_bytes']
  return {
    position: { topic, partition, offset, ordinal: Number(wholeIn(fields['original_ordinal']) ?? 0n) },
    reason,
    stage: textIn(fields, 'error_stage') ?? reason,
    message,
    key: bytesIn(fields, 'original_key'),
    value: bytesIn(fields, 'original_value'),
    ...separateTraceId(withNulls(headers, fields['original_headers_null'])),
    timestampMs: timeIn(fields['original_timestamp']) ?? -1,
    writtenMs: timeIn(fields['dlq_timestamp']) ?? 0,
    unplayable:
      truncated.length === 0
        ? undefined
        : `${truncated.map((name) => name.slice('original_'.length)).join(' and ')} truncated in the envelope${typeof size === 'number' ? `, ${size} bytes in Kafka` : ''}`,
  }
}

/** Returns the headers with null values, whose positions the envelope lists by name. */
function withNulls(headers: Headers | undefined, nulls: unknown): Headers | undefined {
  if (headers === undefined || typeof nulls !== 'object' || nulls === null) return headers
  return Object.fromEntries(
    Object.keys(headers).map((name) => {
      const listed = Object.hasOwn(nulls, name) ? (nulls as Fields)[name] : undefined
      const isNull = (index: number): boolean => Array.isArray(listed) && listed.includes(index)
      const values = headerValuesOf(headers, name).map((value, index) =>
        value?.length === 0 && isNull(index) ? null : value,
      )
      return [name, values.length === 1 ? (values[0] as Uint8Array | null) : values]
    }),
  )
}

/** Separates the headers of the original record from the trace id added by the envelope. */
function separateTraceId(all: Headers | undefined): Pick<StoredLetter, 'headers' | 'traceId'> {
  const traceId = all?.[TRACE_ID_HEADER]
  if (all === undefined || !(traceId instanceof Uint8Array)) return { headers: all, traceId: undefined }
  const own = Object.entries(all).filter(([name]) => name !== TRACE_ID_HEADER)
  return {
    headers: own.length === 0 ? undefined : Object.fromEntries(own),
    traceId: Buffer.from(traceId).toString(),
  }
}

/**
 * Parses a row of a dead-letter table of this service or of kafka-delta-ingest, with values as `readRowLines` writes
 * them.
 */
export function letterOfRow(row: Readonly<Record<string, unknown>>): StoredLetter {
  const topic = textIn(row, 'topic')
  const partition = row['partition']
  const offset = wholeIn(row['offset'])
  const hasPosition = topic !== undefined && isPartition(partition) && offset !== undefined
  const json = textIn(row, 'json_string')
  const base64 = textIn(row, 'base64_bytes')
  const reason = textIn(row, 'reason') ?? (json === undefined ? 'decode' : 'custom')
  return {
    position: hasPosition
      ? { topic, partition, offset, ordinal: Number(wholeIn(row['ordinal']) ?? 0n) }
      : undefined,
    reason,
    stage: textIn(row, 'stage') ?? reason,
    message: textIn(row, 'error') ?? '',
    key: base64Bytes(textIn(row, 'key')),
    value: json === undefined ? base64Bytes(base64) : Buffer.from(json),
    headers: headersIn(row['headers']),
    traceId: textIn(row, 'trace_id'),
    timestampMs: timeIn(row['kafka_timestamp']) ?? -1,
    writtenMs: timeIn(row['timestamp']) ?? 0,
    unplayable: hasPosition ? undefined : 'the table does not say which record it was',
  }
}

type Fields = Readonly<Record<string, unknown>>

function objectIn(bytes: Uint8Array): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined
  } catch {
    return undefined
  }
}

function textIn(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  return typeof value === 'string' ? value : undefined
}

/** Parses a non-negative integer, also from decimal text beyond the range of a double. */
function wholeIn(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value < 0n ? undefined : value
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  return typeof value === 'string' && /^\d{1,19}$/.test(value) ? BigInt(value) : undefined
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isPartition(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0x7fff_ffff
}

function timeIn(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  const ms = /^-?\d+$/.test(value) ? Number(value) : Date.parse(value)
  return Number.isNaN(ms) ? undefined : ms
}

function bytesIn(fields: Fields, name: string): Uint8Array | undefined {
  const text = textIn(fields, name)
  if (text === undefined) return undefined
  return fields[`${name}_encoding`] === 'base64' ? base64Bytes(text) : Buffer.from(text)
}

function base64Bytes(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'base64')
}

function headersIn(value: unknown): Headers | undefined {
  if (!Array.isArray(value)) return undefined
  const headers = new Map<string, (Uint8Array | null)[]>()
  for (const one of value as readonly unknown[]) {
    if (typeof one !== 'object' || one === null) continue
    const name = textIn(one as Fields, 'name')
    if (name === undefined) continue
    const bytes = base64Bytes(textIn(one as Fields, 'value')) ?? null
    headers.set(name, [...(headers.get(name) ?? []), bytes])
  }
  return Object.fromEntries(
    [...headers].map(([name, values]) => [
      name,
      values.length === 1 ? (values[0] as Uint8Array | null) : values,
    ]),
  )
}
