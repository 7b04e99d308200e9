import { crc32, crc32c } from '@node-rs/crc32'
import type { CodecName } from '../../../../src/compression/compression.ts'
import type { RecordCodecs } from '../../../../src/kafka/records/record-codecs.ts'

/** A record to write; `offsetDelta` is its index by default. */
export interface PlainRecord {
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly timestampMs?: number
  readonly offsetDelta?: number
  readonly headers?: readonly (readonly [name: string, value: Uint8Array | null])[]
}

/** A batch of format 2 to write. */
export interface PlainBatch {
  readonly baseOffset: bigint
  readonly records: readonly PlainRecord[]
  readonly codec?: CodecName
  readonly producerId?: bigint
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly isAppendTime?: boolean
  readonly baseTimestampMs?: bigint
  readonly maxTimestampMs?: bigint
  /** Delta of the last record by default; larger in a compacted batch. */
  readonly lastOffsetDelta?: number
  readonly leaderEpoch?: number
  /** Replaces the count in the header. */
  readonly count?: number
}

const NUMBERS: Readonly<Record<CodecName, number>> = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/** Encodes a number as a zigzag varint of up to 64 bits. */
export function varint(value: number | bigint): number[] {
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  while (left >= 0x80n) {
    bytes.push(Number(left & 0x7fn) | 0x80)
    left >>= 7n
  }
  bytes.push(Number(left))
  return bytes
}

/** Encodes a record of format 2 with its length. */
export function encodeRecord(record: PlainRecord, index: number, baseTimestampMs: bigint): Buffer {
  const { key = null, value = null, timestampMs, headers = [] } = record
  const part = (bytes: Uint8Array | null): Uint8Array[] =>
    bytes === null ? [Buffer.from(varint(-1))] : [Buffer.from(varint(bytes.length)), bytes]
  const body = Buffer.concat([
    Buffer.from([0]),
    Buffer.from(varint(timestampMs === undefined ? 0n : BigInt(timestampMs) - baseTimestampMs)),
    Buffer.from(varint(record.offsetDelta ?? index)),
    ...part(key),
    ...part(value),
    Buffer.from(varint(headers.length)),
    ...headers.flatMap(([name, each]) => [...part(Buffer.from(name)), ...part(each)]),
  ])
  return Buffer.concat([Buffer.from(varint(body.length)), body])
}

/** Encodes a batch of format 2 with encoded records. */
export function encodeBatchAround(batch: PlainBatch, records: Uint8Array): Buffer {
  const header = Buffer.alloc(61)
  const last = batch.records.at(-1)
  header.writeBigInt64BE(batch.baseOffset, 0)
  header.writeInt32BE(61 - 12 + records.length, 8)
  header.writeInt32BE(batch.leaderEpoch ?? 0, 12)
  header.writeInt8(2, 16)
  header.writeInt16BE(
    (batch.codec === undefined ? 0 : NUMBERS[batch.codec]) |
      (batch.isAppendTime === true ? 0x08 : 0) |
      (batch.isTransactional === true ? 0x10 : 0) |
      (batch.isControl === true ? 0x20 : 0),
    21,
  )
  header.writeInt32BE(batch.lastOffsetDelta ?? last?.offsetDelta ?? Math.max(0, batch.records.length - 1), 23)
  header.writeBigInt64BE(batch.baseTimestampMs ?? 0n, 27)
  header.writeBigInt64BE(batch.maxTimestampMs ?? 0n, 35)
  header.writeBigInt64BE(batch.producerId ?? -1n, 43)
  header.writeInt16BE(batch.producerId === undefined ? -1 : 0, 51)
  header.writeInt32BE(batch.producerId === undefined ? -1 : 0, 53)
  header.writeInt32BE(batch.count ?? batch.records.length, 57)
  return withChecksum(Buffer.concat([header, records]))
}

/** Encodes a batch of format 2. */
export function encodeBatch(batch: PlainBatch, codecs?: RecordCodecs): Buffer {
  const base = batch.baseTimestampMs ?? 0n
  const plain = Buffer.concat(batch.records.map((record, index) => encodeRecord(record, index, base)))
  if (batch.codec === undefined) return encodeBatchAround(batch, plain)
  if (codecs === undefined) throw new Error('Codecs are needed')
  return encodeBatchAround(batch, codecs[batch.codec].compress(plain))
}

/** Recomputes the checksum of a batch of format 2. */
export function withChecksum(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

/** Encodes a batch with the marker that ends a transaction. */
export function encodeMarker(baseOffset: bigint, producerId: bigint, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])
  const value = Buffer.alloc(6)
  return encodeBatch({
    baseOffset,
    producerId,
    isTransactional: true,
    isControl: true,
    records: [{ key, value }],
  })
}

/** A message of format 0 or 1 to write. */
export interface PlainMessage {
  readonly magic: 0 | 1
  readonly offset: bigint
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly timestampMs?: bigint
  readonly isAppendTime?: boolean
  readonly codec?: CodecName
}

/** Encodes a message of format 0 or 1. */
export function encodeMessage(message: PlainMessage): Buffer {
  const part = (bytes: Uint8Array | null = null): Buffer => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(bytes === null ? -1 : bytes.length)
    return Buffer.concat([length, bytes ?? Buffer.alloc(0)])
  }
  const timestamp = Buffer.alloc(message.magic === 0 ? 0 : 8)
  if (message.magic === 1) timestamp.writeBigInt64BE(message.timestampMs ?? -1n)
  const attributes =
    (message.codec === undefined ? 0 : NUMBERS[message.codec]) | (message.isAppendTime === true ? 0x08 : 0)
  const checked = Buffer.concat([
    Buffer.from([message.magic, attributes]),
    timestamp,
    part(message.key),
    part(message.value),
  ])
  const head = Buffer.alloc(16)
  head.writeBigInt64BE(message.offset, 0)
  head.writeInt32BE(4 + checked.length, 8)
  head.writeUInt32BE(crc32(checked), 12)
  return Buffer.concat([head, checked])
}

/** Encodes messages in a compressed wrapper with the offset of the last; inside they are relative in format 1. */
export function encodeWrapper(
  codec: CodecName,
  messages: readonly PlainMessage[],
  codecs: RecordCodecs,
  wrapper: Partial<PlainMessage> = {},
): Buffer {
  const [first] = messages
  const last = messages.at(-1)
  if (first === undefined || last === undefined) throw new Error('Messages are needed')
  const inside = messages.map((each) =>
    encodeMessage(each.magic === 0 ? each : { ...each, offset: each.offset - first.offset }),
  )
  const value = codecs[codec].compress(Buffer.concat(inside))
  return encodeMessage({ magic: first.magic, offset: last.offset, codec, value, ...wrapper })
}
