import type { EventFields, FieldBuilder } from './event-batch.ts'
import { readEventField } from './event-fields.ts'
import {
  jsonInputOf,
  quotedTextOf,
  startsWithText,
  type JsonInput,
  type QuotedText,
} from '../json/columns/json-bytes.ts'
import { isNullAt, skipPlainString, skipSpace, skipValue } from '../json/columns/scan.ts'

/*
 * Functions that find the parts of a Debezium event in its bytes. Positions are indexes; -1 stands for a part that is
 * absent. A newline follows every record, so no loop needs a bounds check.
 */

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = 0x7b
const CLOSE = 0x7d

const NAMES = ['before', 'source', 'after', 'op', 'schema', 'payload'] as const
const [BEFORE, SOURCE, AFTER, OP, SCHEMA, PAYLOAD] = [0, 1, 2, 3, 4, 5] as const

/** Limit of schemas that are recognised by their bytes. */
const SCHEMAS_MAX = 8
/** Limit of members whose names are expected in the order of the previous object. */
const EXPECTED_MAX = 64

/** Holds the names that are looked for among an object's members, and the names of the previous object in order. */
class MemberNames {
  /** Hold where the value of each name begins and ends; -1 for a name that is absent. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly #names: readonly QuotedText[]
  readonly #expected: QuotedText[] = []
  readonly #indexes: number[] = []
  /** Position after the name that `indexAt` found last. */
  end = -1

  constructor(names: readonly string[]) {
    this.#names = names.map((name) => quotedTextOf(name))
    this.starts = new Int32Array(names.length)
    this.ends = new Int32Array(names.length)
  }

  /**
   * Returns the index of the name at `at`, the `nth` of its object, or -1 for a name that is not looked for. `end` is then
   * the position after it, or -1 when it has escapes, since it may then be any name.
   */
  indexAt({ bytes, view }: JsonInput, at: number, nth: number): number {
    const expected = this.#expected[nth]
    if (expected !== undefined && startsWithText(view, at, expected)) {
      this.end = at + expected.size
      return this.#indexes[nth] as number
    }
    const end = (this.end = skipPlainString(bytes, at))
    if (end < 0) return -1
    const index = this.#names.findIndex((name) => startsWithText(view, at, name))
    if (nth > this.#expected.length || nth >= EXPECTED_MAX) return index
    this.#expected[nth] =
      this.#names[index] ?? quotedTextOf(Buffer.from(bytes.subarray(at + 1, end - 1)).toString('utf8'))
    this.#indexes[nth] = index
    return index
  }
}

/** Finds the parts of one event at a time. The positions are valid until the next call of `find`. */
export class EventScan implements EventFields {
  #input: JsonInput = jsonInputOf(new Uint8Array(0))
  readonly #event: MemberNames
  readonly #source: MemberNames
  /** The event that stands beside its schema. */
  readonly #payload: MemberNames
  /** The one of both that is the event. */
  #found: MemberNames
  /** For each field, its index in an event or -1, and its index in a source or -1. */
  readonly #inEvent: readonly number[]
  readonly #inSource: readonly number[]
  /** Schemas that were found beside events, as they are written; the newest first. */
  readonly #schemas: Uint8Array[] = []
  #schema: Uint8Array | undefined
  #stateStart = -1
  #stateEnd = -1
  #isDelete = false

  /** Prepares the search for the event fields `fields`, such as `op`, `ts_ms` or `source.lsn`. */
  constructor(fields: readonly string[]) {
    const direct = fields.map((field) => (field.startsWith('source.') ? undefined : field))
    const names = [...new Set([...NAMES, ...direct.filter((name) => name !== undefined)])]
    const ofSource = fields.map((field) => field.replace(/^source\./, ''))
    const sourceNames = [...new Set(ofSource)]
    this.#event = new MemberNames(names)
    this.#source = new MemberNames(sourceNames)
    this.#payload = new MemberNames(names)
    this.#found = this.#event
    this.#inEvent = direct.map((name) => (name === undefined ? -1 : names.indexOf(name)))
    this.#inSource = ofSource.map((name) => sourceNames.indexOf(name))
  }

  /** The range of the row: `after`, or `before` of a delete. */
  get stateStart(): number {
    return this.#stateStart
  }

  get stateEnd(): number {
    return this.#stateEnd
  }

  /** True for the event of a delete. */
  get isDelete(): boolean {
    return this.#isDelete
  }

  /**
   * The schema that the JSON converter embeds beside the event, as it is written; undefined when there is none or it is
   * null. Equal schemas are one object while they are among the last eight.
   */
  get schema(): Uint8Array | undefined {
    return this.#schema
  }

  appendField(builder: FieldBuilder, index: number): boolean | undefined {
    const at = this.#fieldStart(this.#input.bytes, index)
    return at < 0 ? undefined : readEventField(this.#input, builder, at)
  }

  /** Returns where the value of field `index` begins; -1 when event and source lack it or it is null. */
  #fieldStart(bytes: Uint8Array, index: number): number {
    const own = this.#inEvent[index] as number
    const at = own < 0 ? -1 : (this.#found.starts[own] as number)
    if (at >= 0 && !isNullAt(bytes, at)) return at
    const inSource = this.#source.starts[this.#inSource[index] as number] as number
    return inSource < 0 || isNullAt(bytes, inSource) ? -1 : inSource
  }

  /**
   * Finds the parts of the event in [start, end). Returns false when it is not plainly an event with the row that its
   * operation requires.
   */
  find(input: JsonInput, start: number, end: number): boolean {
    const { bytes } = input
    this.#input = input
    this.#schema = undefined
    this.#source.starts.fill(-1)
    this.#payload.starts.fill(-1)
    const at = this.#scan(input, skipSpace(bytes, start), this.#event)
    if (at < 0 || at > end || skipSpace(bytes, at) < end) return false
    const { starts } = this.#event
    const isEvent = (starts[OP] as number) >= 0
    // Members of both are too unusual to tell which of them count.
    if (isEvent ? (starts[PAYLOAD] as number) >= 0 : (starts[SOURCE] as number) >= 0) return false
    if (!isEvent && ((starts[SCHEMA] as number) < 0 || (starts[PAYLOAD] as number) < 0)) return false
    this.#found = isEvent ? this.#event : this.#payload
    if (isEvent || isNullAt(bytes, starts[SCHEMA] as number)) this.#schema = undefined
    return this.#findState(bytes)
  }

  #findState(bytes: Uint8Array): boolean {
    const { starts, ends } = this.#found
    const op = starts[OP] as number
    if (op < 0 || bytes[op] !== QUOTE || bytes[op + 2] !== QUOTE) return false
    switch (bytes[op + 1]) {
      case 0x63: // c
      case 0x75: // u
      case 0x72: // r
        this.#isDelete = false
        break
      case 0x64: // d
        this.#isDelete = true
        break
      default:
        return false
    }
    const side = this.#isDelete ? BEFORE : AFTER
    this.#stateStart = starts[side] as number
    this.#stateEnd = ends[side] as number
    return this.#stateStart >= 0 && bytes[this.#stateStart] === OPEN
  }

  /** The schema beside an event is nearly always one that was beside an event before. */
  #skipSchema(bytes: Uint8Array, at: number): number {
    for (const known of this.#schemas) {
      const end = at + known.length
      if (Buffer.compare(known, bytes.subarray(at, end)) !== 0) continue
      this.#schema = known
      return end
    }
    const end = skipValue(bytes, at)
    if (end < 0) return -1
    this.#schema = bytes.slice(at, end)
    this.#schemas.unshift(this.#schema)
    if (this.#schemas.length > SCHEMAS_MAX) this.#schemas.pop()
    return end
  }

  /** Notes where the members of the object at `at` begin and end. Returns the position after it, or -1. */
  #scan(input: JsonInput, at: number, members: MemberNames): number {
    const { bytes } = input
    const { starts, ends } = members
    starts.fill(-1)
    if (bytes[at] !== OPEN) return -1
    at = next(bytes, at + 1)
    if (bytes[at] === CLOSE) return at + 1
    for (let nth = 0; ; nth++) {
      const index = members.indexAt(input, at, nth)
      if (members.end < 0) return -1
      at = next(bytes, members.end)
      if (bytes[at] !== COLON) return -1
      at = next(bytes, at + 1)
      // With a duplicate name the last value counts.
      if (index >= 0 && starts[index] !== -1) return -1
      const end = this.#endOf(input, at, members, index)
      if (end < 0) return -1
      if (index >= 0) {
        starts[index] = at
        ends[index] = end
      }
      at = next(bytes, end)
      if (bytes[at] === CLOSE) return at + 1
      if (bytes[at] !== COMMA) return -1
      at = next(bytes, at + 1)
    }
  }

  /** Returns the position after the value at `at`; the source and the payload are scanned on the way. */
  #endOf(input: JsonInput, at: number, members: MemberNames, index: number): number {
    const { bytes } = input
    if (members !== this.#source) {
      if (index === SOURCE && bytes[at] === OPEN) return this.#scan(input, at, this.#source)
      if (members === this.#event) {
        if (index === PAYLOAD && bytes[at] === OPEN) return this.#scan(input, at, this.#payload)
        if (index === SCHEMA) return this.#skipSchema(bytes, at)
      }
    }
    return skipValue(bytes, at)
  }
}

/** Returns the position of the next token. Most bytes are no white space, and one comparison shows it. */
function next(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) > 0x20 ? at : skipSpace(bytes, at)
}
