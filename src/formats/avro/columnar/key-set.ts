/** Slots at first; the set doubles as maps need it. */
const SLOTS_MIN = 64
/** Limit of the keys in one map; larger maps are read as objects. */
const KEYS_MAX = 8_192
/** Beyond this, a key of digits is no index. */
const INDEX_MAX = 4_294_967_294
const INDEX_DIGITS_MAX = 10
const ZERO = 0x30

/**
 * Remembers the keys of one map by their hashes. It only accepts keys that an object would keep as entries of their own
 * in this order: each one once, and those that are array indexes first and ascending.
 */
export class KeySet {
  #hashes = new Int32Array(SLOTS_MIN)
  /** The map in which each slot was used last. */
  #turns = new Float64Array(SLOTS_MIN)
  #turn = 0
  #count = 0
  #lastIndex = -1
  #hasNames = false

  /** Starts a new map. */
  start(): void {
    this.#turn++
    this.#count = 0
    this.#lastIndex = -1
    this.#hasNames = false
  }

  /** Adds the key in `bytes[start..end)`; returns false when it may be one of those before, or breaks the order. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    const index = indexAt(bytes, start, end)
    if (index < 0) this.#hasNames = true
    else if (this.#hasNames || index <= this.#lastIndex) return false
    else this.#lastIndex = index
    let hash = end - start
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
    if (++this.#count * 2 > this.#hashes.length && !this.#grow()) return false
    return this.#put(hash)
  }

  /** Returns false when the hash is there already. */
  #put(hash: number): boolean {
    const mask = this.#hashes.length - 1
    let slot = (hash ^ (hash >>> 15)) & mask
    while (this.#turns[slot] === this.#turn) {
      if (this.#hashes[slot] === hash) return false
      slot = (slot + 1) & mask
    }
    this.#turns[slot] = this.#turn
    this.#hashes[slot] = hash
    return true
  }

  #grow(): boolean {
    if (this.#count > KEYS_MAX) return false
    const hashes = this.#hashes
    const turns = this.#turns
    this.#hashes = new Int32Array(hashes.length * 2)
    this.#turns = new Float64Array(hashes.length * 2)
    for (let slot = 0; slot < hashes.length; slot++)
      if (turns[slot] === this.#turn) this.#put(hashes[slot] as number)
    return true
  }
}

/** Returns the array index that the text is, or -1. */
function indexAt(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start
  if (digits === 0 || digits > INDEX_DIGITS_MAX) return -1
  if (bytes[start] === ZERO) return digits === 1 ? 0 : -1
  let index = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) return -1
    index = index * 10 + digit
  }
  return index <= INDEX_MAX ? index : -1
}
