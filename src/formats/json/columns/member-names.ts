import { startsWithText, type QuotedText } from './json-bytes.ts'

const QUOTE = 0x22
const FNV_PRIME = 0x01000193
/** Bytes of a name that its place in the table depends on. */
const HASHED_MAX = 64

/** A member of an object, as far as it is found by its name. */
interface NamedMember {
  readonly name: QuotedText
}

/** Finds the members of an object by the bytes of their names, however many there are. */
export class MemberNames {
  readonly #members: readonly NamedMember[]
  /** Index of a member plus one, at the place of its name or at the next free one after it; 0 where there is none. */
  #table = new Int32Array(16)

  /** Knows the members that are there; `add` makes later ones known. */
  constructor(members: readonly NamedMember[]) {
    this.#members = members
    this.#fill()
  }

  /** Makes the member at `index` known, which was added to the members last. */
  add(index: number): void {
    if (2 * this.#members.length > this.#table.length) this.#fill()
    else this.#put(index)
  }

  /** Returns the index of the member whose quoted name is at `at`, or -1. */
  find(view: DataView, at: number): number {
    const mask = this.#table.length - 1
    for (let place = hashAt(view, at) & mask; ; place = (place + 1) & mask) {
      const index = (this.#table[place] as number) - 1
      if (index < 0) return -1
      if (startsWithText(view, at, (this.#members[index] as NamedMember).name)) return index
    }
  }

  #fill(): void {
    let size = 16
    while (size < 4 * this.#members.length) size *= 2
    this.#table = new Int32Array(size)
    for (let index = 0; index < this.#members.length; index++) this.#put(index)
  }

  #put(index: number): void {
    const { words } = (this.#members[index] as NamedMember).name
    const mask = this.#table.length - 1
    let place = hashAt(new DataView(words.buffer, words.byteOffset, words.byteLength), 0) & mask
    while (this.#table[place] !== 0) place = (place + 1) & mask
    this.#table[place] = index + 1
  }
}

/** Returns a hash of the bytes after the quote at `at` up to the next quote. */
function hashAt(view: DataView, at: number): number {
  const end = Math.min(view.byteLength, at + 1 + HASHED_MAX)
  let hash = 0x811c9dc5
  for (let i = at + 1; i < end; i++) {
    const byte = view.getUint8(i)
    if (byte === QUOTE) break
    hash = Math.imul(hash ^ byte, FNV_PRIME)
  }
  // The low bits depend on the low bits of the bytes alone.
  return hash ^ (hash >>> 15)
}
