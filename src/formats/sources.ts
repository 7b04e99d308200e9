/**
 * Names a field of messages whose values are needed as the message has them, besides the columns: an expression reads
 * it, or a transform replaces or removes it.
 */
export interface MessageSource {
  /** Names from the message down to the field. */
  readonly path: readonly string[]
  /** `absent`: a message that has the field is decoded as an object. */
  readonly use: 'read' | 'absent'
  /** True when the field needs no column: it is neither an unknown field nor counted as dropped. */
  readonly isIgnored: boolean
}

/** Says what the value of a source is. `other` stands for lists, objects and text with escapes. */
export const SOURCE_KINDS = {
  absent: 0,
  null: 1,
  text: 2,
  number: 3,
  true: 4,
  false: 5,
  other: 6,
} as const

/** Holds the values of one source: row `i` has the JSON value at `bytes[starts[i]..ends[i])`, quotes included. */
export interface SourceValues {
  /** One of `SOURCE_KINDS` for each row; the positions have a meaning only from `text` on. */
  readonly kinds: Uint8Array
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/** Holds the values of all sources of the validated rows of a batch. */
export interface SourceColumns {
  /** The bytes of the messages, valid UTF-8 wherever a row is. */
  readonly bytes: Uint8Array
  /** Row `i` is the message `bytes[recordStarts[i]..recordEnds[i])`. */
  readonly recordStarts: Int32Array
  readonly recordEnds: Int32Array
  /** Fields of row `i` that were left out because they have no column, if they are counted. */
  readonly droppedFields: Int32Array
  /** True when integers written with a fraction are told by their text, as `FormatOptions.keepFractions` asks. */
  readonly keepFractions: boolean
  /** In the order of `FormatOptions.sources`. */
  readonly columns: readonly SourceValues[]
}
