import type { Headers } from '../../core/raw.ts'

/**
 * Holds the encoded headers of records: those of record `i` are in `bytes` from `start[i]` to `end[i]` and begin with
 * their count; `start[i]` is -1 if the record has none.
 */
export interface HeaderRanges {
  readonly bytes: Uint8Array
  readonly start: Int32Array
  readonly end: Int32Array
}

const EMPTY = new Uint8Array(0)

/** Decodes the headers of record `i`; returns `undefined` if it has none. Values are copies; a null value
 * stays null. */
export function decodeHeaders({ bytes, start }: HeaderRanges, i: number): Headers | undefined {
  let at = start[i] as number
  if (at < 0) return undefined
  // `RecordCursor` has validated all lengths.
  const next = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
  }
  // Without a prototype, any header name is safe.
  const headers = Object.create(null) as Record<string, Uint8Array | null | (Uint8Array | null)[]>
  for (let left = next(); left > 0; left--) {
    const nameEnd = next() + at
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + at, nameEnd - at).toString('utf8')
    at = nameEnd
    const length = next()
    // `slice` of a Buffer would share its memory.
    const value =
      length < 0 ? null : length === 0 ? EMPTY : Uint8Array.prototype.slice.call(bytes, at, at + length)
    at += Math.max(0, length)
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (before === null || before instanceof Uint8Array) headers[name] = [before, value]
    else before.push(value)
  }
  return headers
}
