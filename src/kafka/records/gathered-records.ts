import { isUtf8 } from 'node:buffer'
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
 * `take` leaves values where they are, and keys beside values of text, copies the rest out, and writes newlines and zeros over
 * everything between them. Sections of an uncompressed response are one region and are not copied, which leaves less memory to the garbage
 * collector; a `Raw` then keeps the response. Otherwise the regions are copied into one buffer first.
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
    const parts = separated(this.#joined(), ranges)
    const fields = {
      topic,
      partition,
      count,
      ...parts.values,
      ...parts.keys,
      offsets: ranges.offsets(),
      timestampsMs: ranges.timestampsMs(),
    }
    const appended = ranges.appended()
    this.#regions = []
    this.#bytes = 0
    ranges.reset()
    const encoded = parts.headers
    const headers = encoded && lazyHeaders(count, (i) => decodeHeaders(encoded, i))
    const raw = { ...fields, headers, ...(appended === undefined ? {} : { appended }) }
    return { raw, headers: encoded }
  }

  /** Returns the bytes of all regions, with at least one more after the last value. */
  #joined(): Buffer {
    const { count, lastValueEnd } = this.#ranges
    if (count === 0) return EMPTY
    const [first] = this.#regions
    // A message of format 0 or 1 ends with its value, so a newline has no place behind the last one.
    if (this.#regions.length === 1 && first !== undefined && lastValueEnd < first.bytes.length)
      return bufferOf(first.bytes)
    const bytes = Buffer.allocUnsafeSlow(this.#bytes + 1)
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

interface SeparatedParts {
  readonly values: Pick<Raw, 'bytes' | 'valueStart' | 'valueEnd'>
  readonly keys: Pick<Raw, 'keys' | 'keyStart' | 'keyEnd'>
  readonly headers: HeaderRanges | undefined
}

/**
 * Writes newlines and zeros over everything in `bytes` but the values, after it has copied headers and keys out. Keys stay beside their
 * values if a sample of both is text.
 */
function separated(bytes: Buffer, ranges: RecordRanges): SeparatedParts {
  const { count, headerBytes } = ranges
  // Local variables, because reading fields in the loop is slower.
  const { valueStart, valueEnd, keyStart, keyEnd, headersStart, headersEnd } = ranges
  const areKeysKept = ranges.keyBytes > 0 && isText(bytes, ranges, 0) && isText(bytes, ranges, count - 1)
  const keys = areKeysKept ? undefined : new CopiedPart(bytes, count, ranges.keyBytes)
  const headers = headerBytes === 0 ? undefined : new CopiedPart(bytes, count, headerBytes)
  const view = viewOf(bytes)
  let at = 0
  for (let i = 0; i < count; i++) {
    headers?.add(i, headersStart[i] as number, headersEnd[i] as number)
    const start = valueStart[i] as number
    const key = keyStart[i] as number
    if (keys !== undefined) keys.add(i, key, keyEnd[i] as number)
    else if (key >= 0) {
      separate(bytes, view, at, key)
      at = keyEnd[i] as number
    }
    if (start < 0) continue
    separate(bytes, view, at, start)
    at = valueEnd[i] as number
  }
  if (at > 0) bytes[at++] = NEWLINE
  // Without values and keys nothing keeps the response.
  const text = at === 0 ? EMPTY : bytes.subarray(0, at)
  return {
    values: { bytes: text, valueStart: valueStart.slice(0, count), valueEnd: valueEnd.slice(0, count) },
    keys:
      keys === undefined
        ? { keys: text, keyStart: keyStart.slice(0, count), keyEnd: keyEnd.slice(0, count) }
        : { keys: keys.bytes, keyStart: keys.start, keyEnd: keys.end },
    headers: headers && { bytes: headers.bytes, start: headers.start, end: headers.end },
  }
}

/** Returns whether key and value of a record are UTF-8. */
function isText(bytes: Buffer, { valueStart, valueEnd, keyStart, keyEnd }: RecordRanges, i: number): boolean {
  const isUtf8At = (start: number, end: number): boolean => start < 0 || isUtf8(bytes.subarray(start, end))
  return (
    isUtf8At(keyStart[i] as number, keyEnd[i] as number) &&
    isUtf8At(valueStart[i] as number, valueEnd[i] as number)
  )
}

/** Writes a newline at `start`, and zeros up to `end`: a reader that skips white space stops at the first zero. */
function separate(bytes: Buffer, view: DataView, start: number, end: number): void {
  const last = end - WORD_BYTES
  if (last < start) {
    for (let at = start; at < end; at++) bytes[at] = 0
  } else if (end - start > WORDS_BYTES_MAX) bytes.fill(0, start, end)
  else {
    // For short ranges, calling `fill` takes several times as long.
    for (let at = start; at < last; at += WORD_BYTES) view.setUint32(at, 0)
    view.setUint32(last, 0)
  }
  bytes[start] = NEWLINE
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
