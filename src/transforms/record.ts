import { isUtf8 } from 'node:buffer'
import type { KafkaSource } from '../../config/transforms/expression.ts'
import { keyOf, type Raw } from '../core/raw.ts'
import type { PrimitiveName } from '../core/schema.ts'
import { integerOf } from '../jmespath/numbers.ts'

/** The record that an expression is evaluated for: number `record` of `raw`. */
export interface RecordPlace {
  raw: Raw
  record: number
}

/**
 * What a record is beside its value. Time is in microseconds since the epoch and its type a number (-1 none, 0 set by the
 * producer, 1 by the broker), both as kafka-delta-ingest has them. Keys and headers are text, or `base64:` and base64
 * where they are no UTF-8; of several headers of a name it is the last. Null for what the record lacks.
 */
export function sourceValue(source: KafkaSource, { raw, record }: RecordPlace): unknown {
  switch (source.of) {
    case 'offset':
      return integerOf(raw.offsets[record] as bigint)
    case 'partition':
      return raw.partition
    case 'topic':
      return raw.topic
    case 'timestamp': {
      const ms = raw.timestampsMs[record] as number
      return ms < 0 ? null : ms * 1000
    }
    case 'timestamp_type':
      return (raw.timestampsMs[record] as number) < 0 ? -1 : (raw.appended?.[record] ?? 0)
    case 'key':
      return textOf(keyOf(raw, record))
    case 'header':
      return headerOf(raw, record, source.name)
  }
}

/** The column that a source makes in a new table. */
export const SOURCE_TYPES: Readonly<Record<KafkaSource['of'], PrimitiveName>> = {
  offset: 'long',
  partition: 'integer',
  topic: 'string',
  timestamp: 'timestamp',
  timestamp_type: 'integer',
  key: 'string',
  header: 'string',
}

/** The last header of a name, as text; null where the record has none. */
export function headerOf(raw: Raw, record: number, name: string): string | null {
  const headers = raw.headers?.[record]
  if (headers === undefined || !Object.hasOwn(headers, name)) return null
  const value = headers[name]
  return textOf(value instanceof Uint8Array ? value : value?.at(-1))
}

function textOf(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return null
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return isUtf8(bytes) ? buffer.toString('utf8') : `base64:${buffer.toString('base64')}`
}
