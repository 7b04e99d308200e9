import { lazyHeaders, type Raw } from '../../core/raw.ts'
import type { RecordsPartition } from './malformed-records.ts'
import { decodeHeaders, type HeaderRanges } from './record-headers.ts'
import { RecordRanges } from './record-ranges.ts'

const NEWLINE = 10
const WORD_BYTES = 4
/** Up to this size, copying words in a loop is faster than a call of `copy`. */
const WORDS_BYTES_MAX = 128
const EMPTY = Buffer.alloc(0)

/** Holds bytes without a gap that contain records. */
interface Region {
  bytes: Uint8Array
  readonly isOfResponse: boolean
}

/**
 * Collects records of a response as positions in its sections, laid end to end.
 *
 * `take` moves the values to the front of the sections' memory, each followed by a newline. At least six bytes of its
 * record precede every value, so no value is overwritten before it moves. Sections of an uncompressed response are one
 * region and are not copied, which leaves less memory to the garbage collector; a `Raw` then keeps the response. Otherwise
 * the regions are copied into one buffer first.
 */
export class GatheredRecords {
  readonly #ranges: RecordRanges
  #regions: Region[] = []
  #bytes = 0

  constructor() {
    this.#ranges = new RecordRanges()
  }

  get count(): number {
    return this.#ranges.count
  }

  /** Total bytes of the regions, which include what lies between two sections of one buffer. */
  get bytes(): number {
    return this.#bytes
  }

  /** Positions of the collected records, relative to the start of the first region. */
  get ranges(): RecordRanges {
    return this.#ranges
  }

  /**
   * Adds a section, whose memory the caller gives up; returns the shift to add to positions in it. `isOfResponse` tells that
   * it is a part of the response itself, whose parts come in ascending order.
   */
  addSection(bytes: Uint8Array, isOfResponse: boolean): number {
    const last = this.#regions.at(-1)
    if (last === undefined || !isOfResponse || !last.isOfResponse) {
      const at = this.#bytes
      this.#regions.push({ bytes, isOfResponse })
      this.#bytes += bytes.length
      return at
    }
    const length = bytes.byteOffset + bytes.length - last.bytes.byteOffset
    this.#bytes += length - last.bytes.length
    last.bytes = resized(last.bytes, length)
    return this.#bytes - bytes.length
  }

  /** Removes the sections and records that were added after the first `count` records and `bytes` bytes. */
  truncate(count: number, bytes: number): void {
    this.#ranges.truncate(count)
    for (
      let last = this.#regions.at(-1);
      last !== undefined && this.#bytes > bytes;
      last = this.#regions.at(-1)
    ) {
      const excess = Math.min(this.#bytes - bytes, last.bytes.length)
      if (excess === last.bytes.length) this.#regions.pop()
      else last.bytes = resized(last.bytes, last.bytes.length - excess)
      this.#bytes -= excess
    }
  }

  /** Returns the collected records and resets the collector. */
  take({ topic, partition }: RecordsPartition): {
    readonly raw: Raw
    readonly headers: HeaderRanges | undefined
  } {
    const ranges = this.#ranges
    const { count } = ranges
    const bytes = count === 0 ? EMPTY : this.#joined()
    const moved = moveToFront(bytes, ranges)
    const fields = {
      topic,
      partition,
      count,
      ...moved.values,
      ...moved.keys,
      offsets: ranges.offsets(),
      timestampsMs: ranges.timestampsMs(),
    }
    const appended = ranges.appended()
    this.#regions = []
    this.#bytes = 0
    ranges.reset()
    const encoded = moved.headers
    const headers = encoded && lazyHeaders(count, (i) => decodeHeaders(encoded, i))
    const raw = { ...fields, headers, ...(appended === undefined ? {} : { appended }) }
    return { raw, headers: encoded }
  }

  #joined(): Buffer {
    const [first] = this.#regions
    if (this.#regions.length === 1 && first !== undefined) return bufferOf(first.bytes)
    const bytes = Buffer.allocUnsafeSlow(this.#bytes)
    let at = 0
    for (const region of this.#regions) {
      bytes.set(region.bytes, at)
      at += region.bytes.length
    }
    return bytes
  }
}

/** Returns the bytes from the start of `bytes` in its buffer, with another length. */
function resized(bytes: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length)
}

interface Moved {
  readonly values: Pick<Raw, 'bytes' | 'valueStart' | 'valueEnd'>
  readonly keys: Pick<Raw, 'keys' | 'keyStart' | 'keyEnd'>
  readonly headers: HeaderRanges | undefined
}

/** Moves values to the front of `bytes`, and copies keys and headers out before they are overwritten. */
function moveToFront(bytes: Buffer, ranges: RecordRanges): Moved {
  const { count, keyBytes, headerBytes } = ranges
  // Local variables, because reading fields in the loop is slower.
  const { valueStart: starts, valueEnd: ends, keyStart, keyEnd, headersStart, headersEnd } = ranges
  const keys = new CopiedPart(bytes, count, keyBytes)
  const headers = headerBytes === 0 ? undefined : new CopiedPart(bytes, count, headerBytes)
  const valueStart = new Int32Array(count)
  const valueEnd = new Int32Array(count)
  let at = 0
  for (let i = 0; i < count; i++) {
    keys.add(i, keyStart[i] as number, keyEnd[i] as number)
    headers?.add(i, headersStart[i] as number, headersEnd[i] as number)
    const start = starts[i] as number
    if (start < 0) {
      valueStart[i] = valueEnd[i] = -1
    } else {
      const end = ends[i] as number
      bytes.copyWithin(at, start, end)
      valueStart[i] = at
      at += end - start
      valueEnd[i] = at
    }
    bytes[at++] = NEWLINE
  }
  return {
    values: { bytes: bytes.subarray(0, at), valueStart, valueEnd },
    keys: { keys: keys.bytes, keyStart: keys.start, keyEnd: keys.end },
    headers: headers && { bytes: headers.bytes, start: headers.start, end: headers.end },
  }
}

/** Copies keys or headers into their own buffer. */
class CopiedPart {
  readonly start: Int32Array
  readonly end: Int32Array
  readonly #from: Buffer
  readonly #fromView: DataView
  readonly #to: Buffer
  readonly #toView: DataView
  #at = 0

  constructor(from: Buffer, count: number, bytes: number) {
    this.start = new Int32Array(count)
    this.end = new Int32Array(count)
    this.#from = from
    this.#fromView = viewOf(from)
    // Whole words are copied, so the last one may extend past the end.
    this.#to = bytes === 0 ? EMPTY : Buffer.allocUnsafeSlow(bytes + WORD_BYTES)
    this.#toView = viewOf(this.#to)
  }

  get bytes(): Buffer {
    return this.#to.subarray(0, this.#at)
  }

  add(i: number, start: number, end: number): void {
    if (start < 0) {
      this.start[i] = this.end[i] = -1
      return
    }
    const at = this.#at
    const length = end - start
    this.start[i] = at
    if (length > WORDS_BYTES_MAX || end + WORD_BYTES > this.#from.length) {
      this.#from.copy(this.#to, at, start, end)
    } else {
      // For short ranges, calling `copy` takes three times as long.
      const from = this.#fromView
      const to = this.#toView
      for (let k = 0; k < length; k += WORD_BYTES) to.setUint32(at + k, from.getUint32(start + k, true), true)
    }
    this.end[i] = this.#at = at + length
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
