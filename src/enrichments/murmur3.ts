const C1 = 0xcc9e2d51
const C2 = 0x1b873593

/** Returns the Murmur3 hash (x86, 32 bits, seed 0) of `bytes[start..end)` as a signed 32-bit number. */
export function murmur3(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0
  let at = start
  for (; at + 4 <= end; at += 4) hash = mix(hash, wordAt(bytes, at))
  let rest = 0
  for (let i = end - 1; i >= at; i--) rest = (rest << 8) | (bytes[i] as number)
  if (at < end) hash ^= scrambled(rest)
  return finished(hash, end - start)
}

/** Returns the Murmur3 hash of the eight bytes of a long, given as its two halves. */
export function murmur3OfLong(low: number, high: number): number {
  return finished(mix(mix(0, low), high), 8)
}

function wordAt(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [
    number,
    number,
    number,
    number,
  ]
  return a | (b << 8) | (c << 16) | (d << 24)
}

function mix(hash: number, word: number): number {
  const mixed = hash ^ scrambled(word)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

function scrambled(word: number): number {
  const product = Math.imul(word, C1)
  return Math.imul((product << 15) | (product >>> 17), C2)
}

function finished(hash: number, length: number): number {
  let h = hash ^ length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
