import { isUtf8 } from 'node:buffer'
import { BytesBuilder } from '../arrow/bytes-builder.ts'
import type { Column } from '../arrow/column.ts'
import { FixedBuilder } from '../arrow/fixed-builder.ts'
import type { Rows } from '../arrow/rows.ts'
import { isKafkaTimestamp, keyOf } from '../core/raw.ts'
import type { PrimitiveName, StructField } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'

const field = (name: string, type: PrimitiveName): StructField => ({
  name,
  type,
  nullable: true,
  metadata: {},
})

/**
 * The columns with the origin of a row. The key is text; a key that is not UTF-8 is stored as `base64:` and its
 * base64.
 */
export const KAFKA_FIELDS: readonly StructField[] = [
  field('_kafka_topic', 'string'),
  field('_kafka_partition', 'integer'),
  field('_kafka_offset', 'long'),
  field('_kafka_timestamp', 'timestamp'),
  field('_kafka_key', 'string'),
]

/** The index of a row among the records of its message, from 0, for messages that hold several records. */
export const KAFKA_PART_FIELD: StructField = field('_kafka_part', 'integer')

const ALL_FIELDS: readonly StructField[] = [...KAFKA_FIELDS, KAFKA_PART_FIELD]
const USUAL: readonly string[] = KAFKA_FIELDS.map(({ name }) => name)

/**
 * Returns an enrichment that adds topic, partition, offset, timestamp and key of a row's record, or only the named
 * columns.
 */
export function kafkaColumns(names: readonly string[] = USUAL): Enrichment {
  const fields = ALL_FIELDS.filter(({ name }) => names.includes(name))
  const columns = fields.map(({ name }) => COLUMNS[name]?.())
  return {
    fields,
    columns: (rows) => columns.flatMap((column) => column?.(rows) ?? []),
  }
}

/** Returns a builder for each column. A builder keeps its buffers from batch to batch. */
const COLUMNS: Readonly<Record<string, () => (rows: Rows) => Column>> = {
  _kafka_topic: () => {
    const builder = new BytesBuilder('string')
    return ({ raw, records }) => {
      const topic = Buffer.from(raw.topic)
      for (let row = 0; row < records.length; row++) builder.appendBytes(topic, 0, topic.length)
      return builder.finish()
    }
  },
  _kafka_partition: () => {
    const builder = new FixedBuilder('integer')
    return ({ raw, records }) => {
      for (let row = 0; row < records.length; row++) builder.appendNumber(raw.partition)
      return builder.finish()
    }
  },
  _kafka_offset: () => {
    const builder = new FixedBuilder('long')
    return ({ raw, records }) => {
      for (const record of records) builder.appendSafe(Number(raw.offsets[record]))
      return builder.finish()
    }
  },
  _kafka_timestamp: () => {
    const builder = new FixedBuilder('timestamp')
    return ({ raw, records }) => {
      for (const record of records) appendTimestamp(builder, raw.timestampsMs[record] as number)
      return builder.finish()
    }
  },
  _kafka_key: () => {
    const builder = new BytesBuilder('string')
    return (rows) => keyColumn(rows, builder)
  },
  _kafka_part: () => {
    const builder = new FixedBuilder('integer')
    return (rows) => partColumn(rows, builder)
  },
}

function partColumn({ raw, records }: Rows, parts: FixedBuilder): Column {
  const message = raw.parts?.messageIndex
  let first = 0
  for (const record of records) {
    if (message === undefined) parts.appendNumber(0)
    else {
      // Records ascend, so the first record of a message never precedes the one of the row before.
      while (message[first] !== message[record]) first++
      parts.appendNumber(record - first)
    }
  }
  return parts.finish()
}

function keyColumn({ raw, records }: Rows, keys: BytesBuilder): Column {
  const textual = isUtf8(raw.keys)
  for (const record of records) {
    const start = raw.keyStart[record] as number
    const end = raw.keyEnd[record] as number
    if (start < 0) keys.appendNull()
    // Even when all keys together are UTF-8, a single key may not be: two halves of a character may be adjacent.
    else if (textual && isBoundary(raw.keys[start]) && isBoundary(raw.keys[end])) {
      keys.appendBytes(raw.keys, start, end)
    } else appendKey(keys, keyOf(raw, record) ?? new Uint8Array(0))
  }
  return keys.finish()
}

function appendTimestamp(timestamps: FixedBuilder, ms: number): void {
  if (isKafkaTimestamp(ms)) timestamps.appendMicros(Math.floor(ms / 86_400_000), (ms % 86_400_000) * 1000)
  else timestamps.appendNull()
}

/** Returns true when a character may start here: the byte is not a continuation byte, or the bytes have ended. */
function isBoundary(byte: number | undefined): boolean {
  return byte === undefined || (byte & 0xc0) !== 0x80
}

function appendKey(keys: BytesBuilder, key: Uint8Array): void {
  const text = isUtf8(key) ? key : Buffer.from(`base64:${Buffer.from(key).toString('base64')}`)
  keys.appendBytes(text, 0, text.length)
}
