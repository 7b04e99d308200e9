/** Number of bytes that are read at once. */
const WORD_BYTES = 4

/** Holds the bytes of a batch in two views: single bytes for scanning, words for comparing and copying. */
export interface JsonInput {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Returns the views of `bytes`. */
export function jsonInputOf(bytes: Uint8Array): JsonInput {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
}

/** Holds a text as JSON writes it without escapes, quotes included, in words; unused bytes of the last word are 0. */
export interface QuotedText {
  /** Bytes, with both quotes. */
  readonly size: number
  readonly words: Int32Array
  /** Selects the bytes of the last word that belong to the text. */
  readonly lastMask: number
}

/** Returns the quoted form of `text`. */
export function quotedTextOf(text: string): QuotedText {
  const bytes = Buffer.from(JSON.stringify(text))
  const padded = Buffer.alloc(Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES)
  bytes.copy(padded)
  const used = bytes.length % WORD_BYTES
  return {
    size: bytes.length,
    words: Int32Array.from({ length: padded.length / WORD_BYTES }, (_, i) =>
      padded.readInt32LE(WORD_BYTES * i),
    ),
    lastMask: used === 0 ? -1 : 2 ** (8 * used) - 1,
  }
}

/**
 * Returns true when the quoted text starts at `at`. A text in the last three bytes of the input is not found: a record
 * cannot end there, since a value, a bracket and a newline follow every text of an object.
 */
export function startsWithText(view: DataView, at: number, { words, lastMask }: QuotedText): boolean {
  const last = words.length - 1
  if (at + WORD_BYTES * words.length > view.byteLength) return false
  for (let i = 0; i < last; i++) if (view.getInt32(at + WORD_BYTES * i, true) !== words[i]) return false
  return (view.getInt32(at + WORD_BYTES * last, true) & lastMask) === words[last]
}

/** Returns the position of the value at `start`: after a byte order mark, which some producers write before UTF-8 text. */
export function afterBom(bytes: Uint8Array, start: number, end: number): number {
  const isBom =
    end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
  return isBom ? start + 3 : start
}

/** Returns text or bytes in UTF-8 without the byte order mark that may precede them. */
export function withoutBom<T extends string | Uint8Array>(value: T): T {
  const part =
    typeof value === 'string'
      ? value.slice(value.startsWith('\ufeff') ? 1 : 0)
      : value.subarray(afterBom(value, 0, value.length))
  return part as T
}
