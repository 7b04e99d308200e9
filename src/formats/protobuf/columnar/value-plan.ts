import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import type { ListBuilder, MapBuilder, StructBuilder } from '../../../arrow/builder.ts'

/**
 * Describes how the bytes of one value are read into its column. `kind` selects the function that reads it: a switch over
 * a few functions is faster than a call through a property, which the compiler cannot inline.
 */
export type WirePlan =
  | Plan<WireNumberKind, FixedBuilder, undefined>
  | Plan<'timestamp' | 'duration' | 'empty', FixedBuilder, undefined>
  | Plan<'string' | 'bytes', BytesBuilder, undefined>
  | Plan<'enum', BytesBuilder, SymbolTexts>
  | Plan<'json', BytesBuilder, 'Struct' | 'Value' | 'ListValue'>
  | Plan<'wrapper', FixedBuilder | BytesBuilder, WrapperPlan>
  | Plan<'message', StructBuilder, MessagePlan>

interface Plan<Kind, Builder, Rules> {
  readonly kind: Kind
  readonly builder: Builder
  readonly rules: Rules
  /** The tag that ends the value if it is a group, otherwise 0. */
  readonly groupEnd: number
}

/** Names the encodings of numbers; the column's number of words tells the type of an integer. */
export type WireNumberKind =
  | 'int32'
  | 'sint32'
  | 'sfixed32'
  | 'uint32'
  | 'fixed32'
  | 'int64'
  | 'sint64'
  | 'fixed64'
  | 'bool'
  | 'float'
  | 'double'

/** Describes the message around a single value, which its field 1 holds. */
export interface WrapperPlan {
  readonly tag: number
  readonly value: WirePlan
  readonly blank: FillPlan
}

/** Describes what a column gets where the bytes have no value for it; `refused` leaves the record to the slow way. */
export type FillPlan =
  | { readonly kind: 'refused' | 'null' | 'blankMessage' }
  | { readonly kind: 'words'; readonly low: number; readonly high: number }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly text: TextRange }

/** Locates a text; at least four more bytes follow it in the view. */
export interface TextRange {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly start: number
  readonly end: number
}

/** Holds the symbols of an enumeration by their numbers: those below 256 in `dense`, where 0 means none. */
export interface SymbolTexts {
  readonly texts: readonly TextRange[]
  /** Position in `texts` plus one. */
  readonly dense: Uint16Array
  readonly others: ReadonlyMap<number, number>
}

/** Describes one field of a message. */
export interface FieldPlan {
  readonly label: 'one' | 'many' | 'map'
  readonly value: WirePlan
  /** The list or map around the value. */
  readonly list: ListBuilder | undefined
  readonly map: MapFieldPlan | undefined
  /** Fills the column when a message lacks the field; for `one`. */
  readonly absent: FillPlan
  /** Position of the oneof among those of the message, or -1. */
  readonly oneof: number
}

/** Describes the entries of a map, and holds what is known of the keys of the present map. */
export interface MapFieldPlan {
  readonly builder: MapBuilder
  readonly key: WireKeyKind
  readonly keyTag: number
  readonly valueTag: number
  readonly blankKey: TextRange
  readonly blankValue: FillPlan
  readonly keys: MapKeys
}

/** Names how a key is read and turned into text. */
export type WireKeyKind = Exclude<WireNumberKind, 'float' | 'double'> | 'uint64' | 'ufixed64' | 'string'

/** Describes a message and holds what is known of the one that is read. */
export interface MessagePlan {
  readonly builder: StructBuilder
  readonly fields: readonly FieldPlan[]
  /** Position of a field by its tag, plus one; a list of numbers has a second tag. Tags beyond are in `farTags`. */
  readonly tags: Uint16Array
  readonly farTags: ReadonlyMap<number, number>
  /** True for tags with a position in `fields` that begin packed numbers. */
  readonly packed: ReadonlySet<number>
  readonly numbers: ReadonlySet<number>
  /** Number of the message in which each field was last seen; that of each oneof follows. */
  readonly seenIn: Float64Array
  /** Messages read so far. */
  turn: number
  /** True when the struct has columns that no field fills. */
  readonly hasOtherColumns: boolean
  /** Dotted paths of fields without a column, in lower case, if they are counted. */
  readonly droppedPaths: readonly string[]
  /** Messages whose fields without a column were counted. */
  turnsCounted: number
}

/** Largest number of entries of a map that are compared with each other. */
export const MAP_ENTRIES_MAX = 256
/** Largest key that an object orders before all others, by value instead of by insertion. */
const INDEX_MAX = 4_294_967_294

/**
 * Compares the keys of one map. An object keeps one entry of each key, and orders those that are indexes by their value:
 * entries that would be merged or moved are left to the slow way.
 */
export class MapKeys {
  readonly #hashes = new Int32Array(MAP_ENTRIES_MAX)
  #count = 0
  #lastIndex = -1
  #hasOthers = false

  /** Forgets the keys. */
  clear(): void {
    this.#count = 0
    this.#lastIndex = -1
    this.#hasOthers = false
  }

  /** Takes the next key, ASCII digits for an index. Returns false when an object might merge or move it. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#count === MAP_ENTRIES_MAX) return false
    const index = indexOf(bytes, start, end)
    if (index >= 0 && index <= INDEX_MAX) {
      if (this.#hasOthers || index <= this.#lastIndex) return false
      this.#lastIndex = index
      return true
    }
    this.#hasOthers = true
    let hash = 0x811c9dc5 | 0
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
    for (let i = 0; i < this.#count; i++) if (this.#hashes[i] === hash) return false
    this.#hashes[this.#count++] = hash
    return true
  }
}

/** Returns the integer that digits without a leading zero represent, or -1. */
function indexOf(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || (bytes[start] === 0x30 && end > start + 1)) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
