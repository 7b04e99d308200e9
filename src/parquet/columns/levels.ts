/** Bytes of a run of equal levels: its length as a varint, and the level. */
const runBytes = (length: number): number =>
  length < 64 ? 2 : length < 8_192 ? 3 : length < 1_048_576 ? 4 : 6

/**
 * Encodes the definition levels of an optional column that has values at `rows` and nulls elsewhere: runs where they take
 * less, otherwise one bit for each row. Specification of Parquet: "Run Length Encoding / Bit-Packing Hybrid".
 */
export function encodeLevels(rows: Int32Array, length: number): Uint8Array {
  const packedBytes = (length + 7) >> 3
  // Each value ends a run of nulls and begins one of values.
  if (rows.length * 4 < packedBytes) {
    const runs = encodeRuns(rows, length)
    if (runs.length <= packedBytes) return runs
  }
  return encodeBits(rows, packedBytes)
}

function encodeRuns(rows: Int32Array, length: number): Uint8Array {
  const encoded = new Uint8Array((rows.length + 1) * 2 * runBytes(length))
  let to = 0
  const put = (count: number, level: 0 | 1): void => {
    if (count === 0) return
    to = putVarint(encoded, to, count * 2)
    encoded[to++] = level
  }
  let end = 0
  for (let i = 0; i < rows.length;) {
    const start = rows[i] as number
    put(start - end, 0)
    end = start + 1
    for (i++; i < rows.length && rows[i] === end; i++) end++
    put(end - start, 1)
  }
  put(length - end, 0)
  return encoded.subarray(0, to)
}

function encodeBits(rows: Int32Array, packedBytes: number): Uint8Array {
  const encoded = new Uint8Array(packedBytes + 6)
  const start = putVarint(encoded, 0, packedBytes * 2 + 1)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    const at = start + (row >> 3)
    encoded[at] = (encoded[at] as number) | (1 << (row & 7))
  }
  return encoded.subarray(0, start + packedBytes)
}

function putVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) target[at++] = (rest % 128) | 128
  target[at++] = rest
  return at
}
