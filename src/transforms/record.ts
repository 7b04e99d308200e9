import { isUtf8 } from 'node:buffer'
import type { KafkaMetadataField } from '../../config/transforms/expression.ts'
import { narrowInteger } from '../core/exact.ts'
import { headerValuesOf, kafkaTimestampMicros, keyOf, type Raw } from '../core/raw.ts'
import type { PrimitiveName } from '../core/schema.ts'

/** Points to the record that an expression is evaluated for: record number `record` of `raw`. */
export interface MessageRecord {
  readonly raw: Raw
  readonly record: number
}

/**
 * Returns the metadata of a record. The timestamp is in microseconds since the epoch and the timestamp type is a
 * number (-1 none, 0 set by the producer, 1 set by the broker), both as in kafka-delta-ingest. Keys and headers are
 * text, or `base64:` and base64 when they are not UTF-8; of several headers with one name the last counts. Returns
 * null when the record lacks the value.
 */
export function readKafkaSource(source: KafkaMetadataField, { raw, record }: MessageRecord): unknown {
  switch (source.kind) {
    case 'offset':
      return narrowInteger(raw.offsets[record] as bigint)
    case 'partition':
      return raw.partition
    case 'topic':
      return raw.topic
    case 'timestamp':
      return kafkaTimestampMicros(raw.timestampsMs[record] as number)
    case 'timestamp_type':
      return (raw.timestampsMs[record] as number) < 0 ? -1 : (raw.appended?.[record] ?? 0)
    case 'key':
      return textOf(keyOf(raw, record))
    case 'header':
      return headerTextOf(raw, record, source.name)
  }
}

/** Maps each Kafka source to the column type that it has in a new table. */
export const KAFKA_SOURCE_TYPES: Readonly<Record<KafkaMetadataField['kind'], PrimitiveName>> = {
  offset: 'long',
  partition: 'integer',
  topic: 'string',
  timestamp: 'timestamp',
  timestamp_type: 'integer',
  key: 'string',
  header: 'string',
}

/** Returns the last header of a name as text, or null when the record has none or its value is null. */
export function headerTextOf(raw: Raw, record: number, name: string): string | null {
  return textOf(headerValuesOf(raw.headers?.[record], name).at(-1))
}

function textOf(bytes: Uint8Array | null | undefined): string | null {
  if (bytes === null || bytes === undefined) return null
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return isUtf8(bytes) ? buffer.toString('utf8') : `base64:${buffer.toString('base64')}`
}
