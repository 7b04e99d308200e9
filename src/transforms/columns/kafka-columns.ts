import type { KafkaMetadataField } from '../../../config/transforms/expression.ts'
import { isKafkaTimestamp } from '../../core/raw.ts'
import { readKafkaSource } from '../record.ts'
import type { EvaluateColumn } from './expression.ts'
import type { ColumnInput } from './input.ts'
import { VALUE_KINDS, ValueVector } from './value-vector.ts'

const TWO_32 = 4_294_967_296

/** Returns a program for a value of the Kafka record other than its value. */
export function kafkaColumn(source: KafkaMetadataField): EvaluateColumn {
  const into = new ValueVector()
  const fill = fillerOf(source)
  return (input) => {
    into.reset(input.length)
    fill(input, into)
    return into
  }
}

function fillerOf(source: KafkaMetadataField): (input: ColumnInput, into: ValueVector) => void {
  switch (source.kind) {
    case 'offset':
      return putOffsets
    case 'partition':
      return ({ raw }, into) => {
        for (let i = 0; i < into.length; i++) into.putNumber(i, VALUE_KINDS.number, raw.partition)
      }
    case 'timestamp':
      return putTimestamps
    case 'key':
      return putKeys
    default:
      return (input, into) => {
        putRecordTexts(source, input, into)
      }
  }
}

function putOffsets({ raw, records }: ColumnInput, into: ValueVector): void {
  const { buffer, byteOffset, length } = raw.offsets
  const halves = new Int32Array(buffer, byteOffset, length * 2)
  for (let i = 0; i < into.length; i++) {
    const at = (records[i] as number) * 2
    const offset = (halves[at + 1] as number) * TWO_32 + ((halves[at] as number) >>> 0)
    into.putNumber(i, Number.isSafeInteger(offset) ? VALUE_KINDS.number : VALUE_KINDS.unknown, offset)
  }
}

function putTimestamps({ raw, records }: ColumnInput, into: ValueVector): void {
  for (let i = 0; i < into.length; i++) {
    const ms = raw.timestampsMs[records[i] as number] as number
    if (!isKafkaTimestamp(ms)) continue
    const micros = Math.floor(ms) * 1000
    into.putNumber(i, Number.isSafeInteger(micros) ? VALUE_KINDS.number : VALUE_KINDS.unknown, micros)
  }
}

/** Keys of ASCII stay in their bytes; others are left to the interpreter, which finds out if they are text. */
function putKeys({ raw, records }: ColumnInput, into: ValueVector): void {
  const { keys, keyStart, keyEnd } = raw
  into.share(keys)
  for (let i = 0; i < into.length; i++) {
    const record = records[i] as number
    const start = keyStart[record] as number
    if (start < 0) continue
    const end = keyEnd[record] as number
    into.kinds[i] = isAscii(keys, start, end) ? VALUE_KINDS.text : VALUE_KINDS.unknown
    into.starts[i] = start
    into.ends[i] = end
  }
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) > 0x7f) return false
  return true
}

/** Puts values that are few or rare: the topic, headers, the type of the timestamp. */
function putRecordTexts(source: KafkaMetadataField, input: ColumnInput, into: ValueVector): void {
  const record = { raw: input.raw, record: 0 }
  for (let i = 0; i < into.length; i++) {
    record.record = input.records[i] as number
    const value = readKafkaSource(source, record)
    if (typeof value === 'string') into.putText(i, value)
    else if (typeof value === 'number') into.putNumber(i, VALUE_KINDS.number, value)
  }
}
