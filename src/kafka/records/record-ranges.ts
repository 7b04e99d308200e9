import { endianness } from 'node:os'

const CAPACITY_MIN = 4096
/** Index of the low half of a 64-bit integer on this machine. */
const LOW = endianness() === 'LE' ? 0 : 1

/** Describes the positions of key, value and headers of a record; a start of -1 means null. */
export interface RecordLayout {
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  /** Start of the headers, which end at `end`. */
  readonly headersStart: number
  readonly end: number
}

/**
 * Holds positions, offsets and timestamps of records in arrays that grow and are reused. The caller defines the origin
 * of positions; -1 means null.
 */
export class RecordRanges {
  count = 0
  /** Bytes of all keys. */
  keyBytes = 0
  /** Bytes of all headers. */
  headerBytes = 0
  valueStart = new Int32Array(0)
  valueEnd = new Int32Array(0)
  keyStart = new Int32Array(0)
  keyEnd = new Int32Array(0)
  headersStart = new Int32Array(0)
  headersEnd = new Int32Array(0)
  #offsets = new BigInt64Array(0)
  /** The memory of `#offsets` as 32-bit halves: adding numbers avoids a BigInt per record. */
  #halves = new Uint32Array(0)
  #timestampsMs = new Float64Array(0)
  #appended = new Uint8Array(0)
  #isAnyAppended = false

  /** Number of records that fit without growing the arrays. */
  get capacity(): number {
    return this.valueStart.length
  }

  /** End of the last value; -1 if there are no values. */
  get lastValueEnd(): number {
    const values = this.valueEnd
    for (let i = this.count - 1; i >= 0; i--) {
      const end = values[i] as number
      if (end >= 0) return end
    }
    return -1
  }

  /** Grows the arrays for `count` more records. */
  reserve(count: number): void {
    const needed = this.count + count
    if (needed <= this.valueStart.length) return
    const capacity = Math.max(needed, CAPACITY_MIN, 2 * this.valueStart.length)
    const grown = (array: Int32Array): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(capacity)
      larger.set(array.subarray(0, this.count))
      return larger
    }
    this.valueStart = grown(this.valueStart)
    this.valueEnd = grown(this.valueEnd)
    this.keyStart = grown(this.keyStart)
    this.keyEnd = grown(this.keyEnd)
    this.headersStart = grown(this.headersStart)
    this.headersEnd = grown(this.headersEnd)
    const offsets = new BigInt64Array(capacity)
    offsets.set(this.#offsets.subarray(0, this.count))
    this.#offsets = offsets
    this.#halves = new Uint32Array(offsets.buffer)
    const timestampsMs = new Float64Array(capacity)
    timestampsMs.set(this.#timestampsMs.subarray(0, this.count))
    this.#timestampsMs = timestampsMs
    const appended = new Uint8Array(capacity)
    appended.set(this.#appended.subarray(0, this.count))
    this.#appended = appended
  }

  /**
   * Sets offset and timestamp of the record that `add` adds next; `low` and `high` are the 32-bit halves of the
   * offset.
   */
  setOffsetAndTime(low: number, high: number, timestampMs: number, isAppendTime: boolean): void {
    const i = this.count
    this.#halves[2 * i + LOW] = low
    this.#halves[2 * i + 1 - LOW] = high
    this.#timestampsMs[i] = timestampMs
    this.#appended[i] = isAppendTime ? 1 : 0
    if (isAppendTime) this.#isAnyAppended = true
  }

  /** Adds a record after `setOffsetAndTime`; `shift` is added to its positions. */
  add(record: RecordLayout, shift: number): void {
    const i = this.count++
    const { keyStart, valueStart, headersStart } = record
    if (keyStart < 0) {
      this.keyStart[i] = this.keyEnd[i] = -1
    } else {
      this.keyStart[i] = keyStart + shift
      this.keyEnd[i] = record.keyEnd + shift
      this.keyBytes += record.keyEnd - keyStart
    }
    if (valueStart < 0) {
      this.valueStart[i] = this.valueEnd[i] = -1
    } else {
      this.valueStart[i] = valueStart + shift
      this.valueEnd[i] = record.valueEnd + shift
    }
    if (headersStart < 0) {
      this.headersStart[i] = this.headersEnd[i] = -1
    } else {
      this.headersStart[i] = headersStart + shift
      this.headersEnd[i] = record.end + shift
      this.headerBytes += record.end - headersStart
    }
  }

  /** Removes all records but the first `count`. */
  truncate(count: number): void {
    for (let i = count; i < this.count; i++) {
      this.keyBytes -= (this.keyEnd[i] as number) - (this.keyStart[i] as number)
      this.headerBytes -= (this.headersEnd[i] as number) - (this.headersStart[i] as number)
    }
    this.count = count
  }

  reset(): void {
    this.count = this.keyBytes = this.headerBytes = 0
    this.#isAnyAppended = false
  }

  offsets(): BigInt64Array {
    return this.#offsets.slice(0, this.count)
  }

  timestampsMs(): Float64Array {
    return this.#timestampsMs.slice(0, this.count)
  }

  /** Returns 1 for each record whose timestamp the broker set; `undefined` if there is none. */
  appended(): Uint8Array | undefined {
    return this.#isAnyAppended ? this.#appended.slice(0, this.count) : undefined
  }
}
