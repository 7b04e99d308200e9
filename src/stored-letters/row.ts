import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '../core/batch.ts'
import { errorClassOf, deadLetterStageOf } from '../core/dead-letter.ts'
import { headerValuesOf, isKafkaTimestamp, type Headers } from '../core/raw.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'

const field = (name: string, type: DataType): StructField => ({ name, type, nullable: true, metadata: {} })
const structOf = (fields: readonly StructField[]): StructType => ({ type: 'struct', fields })

/**
 * Defines the columns of a table of dead letters. The first four are those of kafka-delta-ingest. `timestamp` is the
 * time of writing, `date` its day in UTC, and `kafka_timestamp` the time of the record. `ordinal` distinguishes the
 * letters of one message. `trace_id` is the trace of the flush, if it was traced.
 */
export const DEAD_LETTER_SCHEMA: StructType = structOf([
  field('base64_bytes', 'string'),
  field('json_string', 'string'),
  field('error', 'string'),
  field('timestamp', 'timestamp'),
  field('date', 'date'),
  field('topic', 'string'),
  field('partition', 'integer'),
  field('offset', 'long'),
  field('ordinal', 'integer'),
  field('kafka_timestamp', 'timestamp'),
  field('key', 'binary'),
  field('headers', {
    type: 'array',
    elementType: structOf([field('name', 'string'), field('value', 'binary')]),
    containsNull: true,
  }),
  field('error_class', 'string'),
  field('reason', 'string'),
  field('stage', 'string'),
  field('trace_id', 'string'),
])

/** Lists the partition columns of a new table of dead letters. */
export const DEAD_LETTER_PARTITIONS: readonly string[] = ['date']

/** Maximum length of an error; a message may quote a value of any size. */
const ERROR_CHARS_MAX = 8 * 1024

/**
 * Returns a dead letter as a row of `DEAD_LETTER_SCHEMA`, with values as the column builders accept them. The value
 * is in `json_string` when it is valid JSON, otherwise as base64 in `base64_bytes`; both are null for a tombstone.
 */
export function toDeadLetterRow(
  letter: DeadLetter,
  ordinal: number,
  nowMs: number,
  traceId?: string,
): Record<string, unknown> {
  const now = new Date(nowMs).toISOString()
  const { value, key, message, timestampMs } = letter
  const json = letter.reason === 'decode' ? undefined : jsonOf(value)
  return {
    base64_bytes: value === undefined || json !== undefined ? null : Buffer.from(value).toString('base64'),
    json_string: json ?? null,
    // Column builders refuse half of a surrogate pair, which a letter of the library's user or the cut may contain.
    error: (message.length <= ERROR_CHARS_MAX
      ? message
      : `${message.slice(0, ERROR_CHARS_MAX)}…`
    ).toWellFormed(),
    timestamp: now,
    date: now.slice(0, 10),
    topic: letter.topic,
    partition: letter.partition,
    offset: letter.offset,
    ordinal,
    kafka_timestamp: isKafkaTimestamp(timestampMs) ? new Date(timestampMs).toISOString() : null,
    key: key ?? null,
    headers: letter.headers === undefined ? null : headerRows(letter.headers),
    error_class: errorClassOf(letter.reason),
    reason: letter.reason,
    stage: deadLetterStageOf(letter.reason),
    trace_id: traceId ?? null,
  }
}

/** Returns the value as text when it is valid JSON. */
function jsonOf(value: Uint8Array | undefined): string | undefined {
  if (value === undefined || !isUtf8(value)) return undefined
  const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8')
  try {
    JSON.parse(text)
    return text
  } catch {
    return undefined
  }
}

function headerRows(
  headers: Headers,
): readonly { readonly name: string; readonly value: Uint8Array | null }[] {
  return Object.keys(headers).flatMap((name) =>
    headerValuesOf(headers, name).map((value) => ({ name, value })),
  )
}
