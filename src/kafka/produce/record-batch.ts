import { crc32c } from '@node-rs/crc32'
import type { ByteCodec } from '../../compression/byte-codec.ts'
import { ByteSink } from './byte-sink.ts'

/** The content of a key or a value: text, which is encoded as UTF-8, or bytes. */
type RecordContent = string | Uint8Array | ByteSink | null

/** Describes a record to write. */
export interface OutgoingRecord {
  readonly key: RecordContent
  readonly value: RecordContent
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Bytes of the header of a batch of format 2, before its records. */
const HEADER_BYTES = 61
const LENGTH_AT = 8
const LENGTH_FROM = 12
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_DELTA_AT = 23
const BASE_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const BASE_SEQUENCE_AT = 53
const COUNT_AT = 57
/** Most bytes of a record beside key, value and headers: nine variable-length numbers and the attributes. */
const RECORD_OVERHEAD_BYTES = 48
/** UTF-16 code units become at most three bytes each. */
const UTF8_BYTES_MAX = 3
/** Numbers from here to `TWO_BYTES_MAX` take two bytes as zigzag variable-length integers. */
const TWO_BYTES_MIN = 64
const TWO_BYTES_MAX = 8_191

/** Below this length a loop is faster than a call. */
const LOOP_BYTES_MAX = 40

/** Limits the buffers that are kept for later batches. */
const SPARE_MAX = 8

/** Identifies the producer of a batch, so that a broker stores a batch that is sent again once. */
export interface ProducerIdentity {
  readonly id: bigint
  readonly epoch: number
}

/**
 * Writes records into the bytes of one record batch of format 2. Values that are text are encoded in place: no buffer is
 * made for a record. Spec: "Record Batch" of Kafka's message format.
 */
export class RecordBatchWriter {
  #bytes: Buffer
  readonly #bytesFirst: number
  /** Memory of former batches, so that none is allocated for each batch. */
  readonly #spare: Buffer[] = []
  #at = HEADER_BYTES
  #count = 0
  #baseMs = 0
  #newestMs = 0

  /** Creates a writer whose batches have room for `bytes`; the memory of larger ones grows. */
  constructor(bytes: number) {
    this.#bytesFirst = Math.max(bytes, HEADER_BYTES)
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytesFirst)
  }

  /** Number of records so far. */
  get count(): number {
    return this.#count
  }

  /** Bytes of the batch so far, uncompressed. */
  get length(): number {
    return this.#at
  }

  /** Appends a record with a timestamp in milliseconds since the epoch, in any order. */
  append(record: OutgoingRecord, timestampMs: number): void {
    const { key, value, headers } = record
    const sizeMax = sizeMaxOf(key) + sizeMaxOf(value) + RECORD_OVERHEAD_BYTES + headersSizeMax(headers)
    if (this.#at + sizeMax > this.#bytes.length) this.#grow(sizeMax)
    if (this.#count === 0) this.#baseMs = this.#newestMs = timestampMs
    else if (timestampMs > this.#newestMs) this.#newestMs = timestampMs
    const start = this.#at
    // Most records take two bytes for their length; the body of the others is moved.
    const bodyAt = start + 2
    this.#at = bodyAt
    this.#bytes[this.#at++] = 0
    this.#varint(timestampMs - this.#baseMs)
    this.#varint(this.#count)
    this.#field(key)
    this.#field(value)
    this.#headers(headers)
    this.#prefixLength(start, bodyAt)
    this.#count++
  }

  /**
   * Returns the batch, compressed if there is a codec, and starts the next one. The bytes lack the producer's identity and
   * the checksum; see `sealBatch`.
   */
  finish(codec: { readonly number: number; readonly codec: ByteCodec } | undefined): Buffer {
    const count = this.#count
    const batch = codec === undefined ? this.#plain() : this.#compressed(codec.codec)
    batch.fill(0, 0, LENGTH_AT)
    batch.writeInt32BE(batch.length - LENGTH_FROM, LENGTH_AT)
    batch.writeInt32BE(-1, LENGTH_FROM)
    batch[MAGIC_AT] = 2
    batch.writeInt16BE(codec?.number ?? 0, ATTRIBUTES_AT)
    batch.writeInt32BE(count - 1, LAST_DELTA_AT)
    batch.writeBigInt64BE(BigInt(this.#baseMs), BASE_TIMESTAMP_AT)
    batch.writeBigInt64BE(BigInt(this.#newestMs), MAX_TIMESTAMP_AT)
    batch.writeInt32BE(count, COUNT_AT)
    this.#at = HEADER_BYTES
    this.#count = 0
    return batch
  }

  /** Takes back the memory of a batch that `finish` returned and that is not needed any more. */
  recycle(batch: Buffer): void {
    const { buffer } = batch
    if (buffer.byteLength >= this.#bytesFirst && this.#spare.length < SPARE_MAX)
      this.#spare.push(Buffer.from(buffer as ArrayBuffer))
  }

  #plain(): Buffer {
    const batch = this.#bytes.subarray(0, this.#at)
    this.#bytes = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#bytesFirst)
    return batch
  }

  #compressed(codec: ByteCodec): Buffer {
    const records = codec.compress(this.#bytes.subarray(HEADER_BYTES, this.#at))
    const batch = Buffer.allocUnsafeSlow(HEADER_BYTES + records.length)
    batch.set(records, HEADER_BYTES)
    return batch
  }

  #field(content: RecordContent): void {
    if (content === null) this.#varint(-1)
    else if (typeof content === 'string') this.#text(content)
    else {
      const { length } = content
      this.#varint(length)
      if (content instanceof ByteSink) this.#copy(content.bytes, length)
      else this.#bytes.set(content, this.#at)
      this.#at += length
    }
  }

  /** Copies the first bytes of a buffer; a view of them would be an object for each record. */
  #copy(from: Buffer, length: number): void {
    const bytes = this.#bytes
    const at = this.#at
    if (length > LOOP_BYTES_MAX) bytes.set(from.subarray(0, length), at)
    else for (let i = 0; i < length; i++) bytes[at + i] = from[i] as number
  }

  /** Writes a text with its length, which is known only after it is encoded. */
  #text(text: string): void {
    const bytes = this.#bytes
    const start = this.#at
    const lengthBytes = text.length < TWO_BYTES_MIN ? 1 : 2
    const written = bytes.write(text, start + lengthBytes, 'utf8')
    const width = varintBytes(written)
    if (width !== lengthBytes)
      bytes.copyWithin(start + width, start + lengthBytes, start + lengthBytes + written)
    this.#varint(written)
    this.#at += written
  }

  #headers(headers: OutgoingRecord['headers']): void {
    if (headers === undefined) {
      this.#bytes[this.#at++] = 0
      return
    }
    const names = Object.keys(headers)
    this.#varint(names.length)
    for (const name of names) {
      this.#text(name)
      this.#text(headers[name] as string)
    }
  }

  #prefixLength(start: number, bodyAt: number): void {
    const length = this.#at - bodyAt
    if (length >= TWO_BYTES_MIN && length <= TWO_BYTES_MAX) {
      this.#at = start
      this.#varint(length)
      this.#at = bodyAt + length
      return
    }
    const width = varintBytes(length)
    this.#bytes.copyWithin(start + width, bodyAt, bodyAt + length)
    this.#at = start
    this.#varint(length)
    this.#at = start + width + length
  }

  /** Writes a number of at most 53 bits as a zigzag variable-length integer. */
  #varint(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    const bytes = this.#bytes
    let at = this.#at
    while (rest >= 0x80) {
      bytes[at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    bytes[at++] = rest
    this.#at = at
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + more))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}

/** Writes the producer's identity, the sequence number of the first record and the checksum into a batch. */
export function sealBatch(batch: Buffer, { id, epoch }: ProducerIdentity, sequence: number): void {
  batch.writeBigInt64BE(id, PRODUCER_ID_AT)
  batch.writeInt16BE(epoch, PRODUCER_EPOCH_AT)
  batch.writeInt32BE(sequence, BASE_SEQUENCE_AT)
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), CRC_AT)
}

function sizeMaxOf(content: RecordContent): number {
  if (content === null) return 0
  return typeof content === 'string' ? content.length * UTF8_BYTES_MAX : content.length
}

function headersSizeMax(headers: OutgoingRecord['headers']): number {
  if (headers === undefined) return 0
  let size = 0
  for (const [name, value] of Object.entries(headers))
    size += (name.length + value.length) * UTF8_BYTES_MAX + 2 * RECORD_OVERHEAD_BYTES
  return size
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = 2 * value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}
