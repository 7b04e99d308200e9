import { MalformedRecords } from './malformed-records.ts'

/** Counts the bytes of the smallest record: seven one-byte numbers, without key, value and headers. */
export const RECORD_BYTES_MIN = 7

/**
 * Iterates over the records of a batch of format 2; `next` sets the fields to those of the next record. Validates all
 * lengths against the available bytes. Spec: "Record".
 */
export class RecordCursor {
  offsetDelta = 0
  /** Timestamp delta in milliseconds; valid only if `wideTimestampDelta` is `undefined`. */
  timestampDelta = 0
  /** Timestamp delta in milliseconds if it needs more than 28 bits. */
  wideTimestampDelta: bigint | undefined
  /** Range of the key; the start is -1 if the key is null. */
  keyStart = 0
  keyEnd = 0
  /** Range of the value; the start is -1 if the value is null. */
  valueStart = 0
  valueEnd = 0
  /** Start of the headers, which begin with their count and extend to `end`; -1 if there are none. */
  headersStart = 0
  /** End of the record. */
  end = 0
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  /** Start of the next record. */
  get at(): number {
    return this.#at
  }

  /**
   * Reads the next record.
   * @throws MalformedRecords
   */
  next(): void {
    const length = this.#varint()
    const end = this.#at + length
    if (length < RECORD_BYTES_MIN - 1 || end > this.#bytes.length)
      throw new MalformedRecords(`expected a record, got a length of ${length} bytes`)
    this.end = end
    // Skips the attributes, which are unused.
    this.#at++
    this.#timestamp()
    this.offsetDelta = this.#varint()
    const keyBytes = this.#varint()
    this.keyStart = keyBytes < 0 ? -1 : this.#at
    this.keyEnd = this.#skip(keyBytes)
    const valueBytes = this.#varint()
    this.valueStart = valueBytes < 0 ? -1 : this.#at
    this.valueEnd = this.#skip(valueBytes)
    const headersAt = this.#at
    const headers = this.#varint()
    this.headersStart = headers === 0 ? -1 : headersAt
    if (headers !== 0) this.#skipHeaders(headers)
    if (this.#at !== end)
      throw new MalformedRecords('expected a record of its stated length, got another length')
  }

  /** Skips a key or value; returns its end, or -1 if it is null. */
  #skip(count: number): number {
    if (count < 0) {
      if (count === -1) return -1
      throw new MalformedRecords(`expected a length of at least -1, got ${count}`)
    }
    this.#at += count
    if (this.#at > this.end)
      throw new MalformedRecords('expected key, value and headers to end within the record')
    return this.#at
  }

  #skipHeaders(count: number): void {
    if (count < 0) throw new MalformedRecords(`expected a header count of at least 0, got ${count}`)
    // Each header takes at least two bytes, so a false count ends this loop at the end of the record.
    for (let i = 0; i < count; i++) {
      if (this.#skip(this.#varint()) < 0) throw new MalformedRecords('expected a header with a name')
      this.#skip(this.#varint())
    }
  }

  /** Reads a zigzag-encoded 32-bit integer of one to five bytes. */
  #varint(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++] as number
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let shift = 7; shift <= 28; shift += 7) {
      byte = bytes[this.#at++] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new MalformedRecords('expected a varint of at most five bytes')
  }

  #timestamp(): void {
    const bytes = this.#bytes
    const start = this.#at
    let value = 0
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = bytes[this.#at++] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.timestampDelta = (value >>> 1) ^ -(value & 1)
        this.wideTimestampDelta = undefined
        return
      }
    }
    this.#at = start
    this.wideTimestampDelta = this.#varlong()
  }

  /** Reads a zigzag-encoded 64-bit integer of one to ten bytes. */
  #varlong(): bigint {
    let value = 0n
    for (let shift = 0n; shift <= 63n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    }
    throw new MalformedRecords('expected a varlong of at most ten bytes')
  }
}
