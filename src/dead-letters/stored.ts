import type { Headers } from '../core/raw.ts'
import { TRACE_ID_HEADER } from '../kafka/dead-letters/dead-letter-envelope.ts'
import { causeId, causeOf } from './cause.ts'

/** Which record a letter is about; `ordinal` tells letters of one message apart. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly ordinal: number
}

/** A dead letter as it is kept in a topic or a table. */
export interface StoredLetter {
  /** Absent where the table has no columns for it, as with kafka-delta-ingest. */
  readonly place: Place | undefined
  readonly reason: string
  readonly stage: string
  readonly message: string
  readonly key: Uint8Array | undefined
  readonly value: Uint8Array | undefined
  readonly headers: Headers | undefined
  /** Of the flush that it came from, where that was traced. */
  readonly traceId: string | undefined
  /** Of the record in Kafka, milliseconds since the epoch; -1 where it has none. */
  readonly timestampMs: number
  /** When the letter was written, milliseconds since the epoch. */
  readonly writtenMs: number
  /** Why it cannot be played again, where it cannot: `key` or `value` are not as they were, or nobody knows its place. */
  readonly unplayable: string | undefined
}

/** Which letters are wanted; all by default. */
export interface LetterFilter {
  readonly reason?: string | undefined
  /** Written at or after, milliseconds since the epoch. */
  readonly sinceMs?: number | undefined
  readonly partition?: number | undefined
  readonly offset?: bigint | undefined
  /** Within the message or the cause, whatever the case. */
  readonly match?: string | undefined
  /** The short name of their cause. */
  readonly group?: string | undefined
  /** Only those of the topic. */
  readonly topic?: string | undefined
}

/** Whether a letter is one of those wanted. */
export function isWanted(letter: StoredLetter, filter: LetterFilter): boolean {
  const { place, message, reason, stage } = letter
  if (filter.topic !== undefined && place !== undefined && place.topic !== filter.topic) return false
  if (filter.reason !== undefined && filter.reason !== reason && filter.reason !== stage) return false
  if (filter.sinceMs !== undefined && letter.writtenMs < filter.sinceMs) return false
  if (filter.partition !== undefined && place?.partition !== filter.partition) return false
  if (filter.offset !== undefined && place?.offset !== filter.offset) return false
  if (filter.group !== undefined && filter.group !== causeId(reason, message)) return false
  if (filter.match === undefined) return true
  const wanted = filter.match.toLowerCase()
  return message.toLowerCase().includes(wanted) || causeOf(message).toLowerCase().includes(wanted)
}

/** The letter in the value of a Kafka record, `undefined` where it holds none of ours. */
export function letterOfEnvelope(value: Uint8Array, headers: Headers | undefined): StoredLetter | undefined {
  const fields = objectIn(value)
  if (fields === undefined) return undefined
  const topic = textIn(fields, 'original_topic')
  const partition = fields['original_partition']
  const offset = wholeIn(fields['original_offset'])
  const message = textIn(fields, 'error_message')
  if (topic === undefined || !isPartition(partition) || offset === undefined || message === undefined)
    return undefined
  const reason = textIn(fields, 'error_reason') ?? 'custom'
  const isCut = (['original_value', 'original_key'] as const).filter(
    (name) => fields[`${name}_truncated`] === true,
  )
  const size = fields['original_value_bytes']
  return {
    place: { topic, partition, offset, ordinal: Number(wholeIn(fields['original_ordinal']) ?? 0n) },
    reason,
    stage: textIn(fields, 'error_stage') ?? reason,
    message,
    key: bytesIn(fields, 'original_key'),
    value: bytesIn(fields, 'original_value'),
    ...ofTrace(headers),
    timestampMs: timeIn(fields['original_timestamp']) ?? -1,
    writtenMs: timeIn(fields['dlq_timestamp']) ?? 0,
    unplayable:
      isCut.length === 0
        ? undefined
        : `${isCut.map((name) => name.slice('original_'.length)).join(' and ')} cut in the envelope${typeof size === 'number' ? `, ${size} bytes in Kafka` : ''}`,
  }
}

/** The headers as the record had them, and what was put beside them. */
function ofTrace(all: Headers | undefined): Pick<StoredLetter, 'headers' | 'traceId'> {
  const traceId = all?.[TRACE_ID_HEADER]
  if (all === undefined || !(traceId instanceof Uint8Array)) return { headers: all, traceId: undefined }
  const own = Object.entries(all).filter(([name]) => name !== TRACE_ID_HEADER)
  return {
    headers: own.length === 0 ? undefined : Object.fromEntries(own),
    traceId: Buffer.from(traceId).toString(),
  }
}

/** The letter in a row of a table, of this service or of kafka-delta-ingest; values as `rowLines` writes them. */
export function letterOfRow(row: Readonly<Record<string, unknown>>): StoredLetter {
  const topic = textIn(row, 'topic')
  const partition = row['partition']
  const offset = wholeIn(row['offset'])
  const isPlaced = topic !== undefined && isPartition(partition) && offset !== undefined
  const json = textIn(row, 'json_string')
  const base64 = textIn(row, 'base64_bytes')
  const reason = textIn(row, 'reason') ?? (json === undefined ? 'decode' : 'custom')
  return {
    place: isPlaced
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
    unplayable: isPlaced ? undefined : 'the table does not say which record it was',
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

/** A whole number from 0, or its digits as text where a double does not hold it. */
function wholeIn(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value < 0n ? undefined : value
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  return typeof value === 'string' && /^\d{1,19}$/.test(value) ? BigInt(value) : undefined
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
  const headers = new Map<string, Uint8Array[]>()
  for (const one of value as readonly unknown[]) {
    if (typeof one !== 'object' || one === null) continue
    const name = textIn(one as Fields, 'name')
    const bytes = base64Bytes(textIn(one as Fields, 'value'))
    if (name === undefined || bytes === undefined) continue
    headers.set(name, [...(headers.get(name) ?? []), bytes])
  }
  return Object.fromEntries(
    [...headers].map(([name, values]) => [name, values.length === 1 ? (values[0] as Uint8Array) : values]),
  )
}
