import type { SlowReason } from '../../format.ts'

/** Number of bytes that are read at once. */
const WORD_BYTES = 4

/** Holds the bytes of a batch in two views: single bytes for scanning, words for comparing and copying. */
export interface JsonInput {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Why the record that was refused last must be parsed. */
  slow: SlowReason
}

/** Returns the views of `bytes`. */
export function jsonInputOf(bytes: Uint8Array): JsonInput {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), slow: 'value' }
}

/** Holds a text as JSON writes it without escapes, quotes included, in words; unused bytes of the last word are 0. */
export interface QuotedText {
  /** Bytes, with both quotes and what follows. */
  readonly size: number
  readonly words: Int32Array
  /** Selects the bytes of the last word that belong to the text. */
  readonly lastMask: number
}

/** Returns the quoted form of `text`, with the characters `after` it. */
export function quotedTextOf(text: string, after = ''): QuotedText {
  const bytes = Buffer.from(JSON.stringify(text) + after)
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

/** Returns the name of a member, alone and with the colon after it. */
export function memberNameOf(name: string): { readonly name: QuotedText; readonly key: QuotedText } {
  return { name: quotedTextOf(name), key: quotedTextOf(name, ':') }
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
