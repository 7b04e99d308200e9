import type { StructBuilder } from '../../../arrow/builder.ts'
import { ensureCapacity } from '../../../arrow/validity.ts'
import { SOURCE_KINDS, type MessageSource, type SourceColumns, type SourceValues } from '../../sources.ts'
import { memberNameOf } from './json-bytes.ts'
import type { MemberPlan, SourceTap, UnknownFields, ValuePlan } from './plan.ts'
import { skipPlainString, skipSpace, skipValue, startsWith } from './scan.ts'

const QUOTE = 0x22
const COLON = 0x3a
const COMMA = 0x2c

/** Collects the values of one source while records are read into columns. */
class TappedValues {
  readonly mustBeAbsent: boolean
  kinds = new Uint8Array(1024)
  starts = new Int32Array(1024)
  ends = new Int32Array(1024)

  constructor({ use }: MessageSource) {
    this.mustBeAbsent = use === 'absent'
  }

  /** Makes room for the row and marks it as absent. */
  begin(row: number): void {
    if (row >= this.kinds.length) {
      this.kinds = ensureCapacity(this.kinds, row + 1)
      this.starts = ensureCapacity(this.starts, row + 1)
      this.ends = ensureCapacity(this.ends, row + 1)
    }
    this.kinds[row] = SOURCE_KINDS.absent
  }

  /** Notes the value at `start` for the row; returns false when the record must be parsed. */
  note(row: number, kind: number, start: number, end: number): boolean {
    this.kinds[row] = kind
    this.starts[row] = start
    this.ends[row] = end
    return !this.mustBeAbsent
  }

  finish(rows: number): SourceValues {
    return {
      kinds: this.kinds.slice(0, rows),
      starts: this.starts.slice(0, rows),
      ends: this.ends.slice(0, rows),
    }
  }
}

/** Describes a field at which, or inside which, there are sources. */
interface TapNode {
  readonly name: string
  readonly quoted: Buffer
  tap: TappedValues | undefined
  isIgnored: boolean
  readonly inside: TapNode[]
}

/** Describes a field without a column that is treated as an unknown one. */
interface UnknownSource {
  readonly fields: UnknownFields
  readonly member: MemberPlan
}

/** Notes the value of a field that is a source or contains some, beside its column if it has one. */
class FieldTap implements SourceTap {
  /** Set if the field is an unknown one. */
  unknown: UnknownSource | undefined
  readonly #taps: SourceTaps
  readonly #node: TapNode
  readonly #inner: ValuePlan | undefined

  constructor(taps: SourceTaps, node: TapNode, inner: ValuePlan | undefined) {
    this.#taps = taps
    this.#node = node
    this.#inner = inner
  }

  appendNull(): void {
    this.#inner?.builder.appendNull()
    if (this.unknown?.fields.policy === 'count') this.#count(this.unknown)
    if (this.#node.tap?.note(this.#taps.row, SOURCE_KINDS.null, 0, 0) === false) this.#taps.isRefused = true
  }

  note(bytes: Uint8Array, at: number, end: number): boolean {
    const { unknown } = this
    // The first value of an unknown field gives it a column.
    if (unknown?.fields.policy === 'leave') return false
    if (unknown?.fields.policy === 'count') this.#count(unknown)
    if (this.#node.tap?.note(this.#taps.row, kindAt(bytes, at, end), at, end) === false) return false
    return (
      this.#node.inside.length === 0 || bytes[at] !== 0x7b || this.#taps.readInside(this.#node, bytes, at)
    )
  }

  #count({ fields, member }: UnknownSource): void {
    fields.dropped++
    if (member.path !== undefined) fields.named.push(member)
  }
}

function kindAt(bytes: Uint8Array, at: number, end: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipPlainString(bytes, at) === end ? SOURCE_KINDS.text : SOURCE_KINDS.other
    case 0x7b:
    case 0x5b:
      return SOURCE_KINDS.other
    case 0x74:
      return SOURCE_KINDS.true
    case 0x66:
      return SOURCE_KINDS.false
    case 0x6e:
      return SOURCE_KINDS.null
    default:
      return SOURCE_KINDS.number
  }
}

/** Collects the values of all sources of the records that one reader reads. */
export class SourceTaps {
  /** Number of the row that is read. */
  row = 0
  /** True when a null was read where a field must be absent, or that must be left to the contract. */
  isRefused = false
  readonly #keepFractions: boolean
  readonly #taps: readonly TappedValues[]
  readonly #root: TapNode = { name: '', quoted: Buffer.of(), tap: undefined, isIgnored: false, inside: [] }
  readonly #nodes = new Map<StructBuilder, TapNode>()
  #starts = new Int32Array(1024)
  #ends = new Int32Array(1024)
  #dropped = new Int32Array(1024)

  /** Creates taps for sources of messages whose columns `builder` builds. */
  constructor(sources: readonly MessageSource[], builder: StructBuilder, keepFractions: boolean) {
    this.#keepFractions = keepFractions
    this.#taps = sources.map((source) => {
      const tap = new TappedValues(source)
      let at = this.#root
      for (const name of source.path) {
        let next = at.inside.find((node) => node.name === name)
        if (next === undefined) {
          const quoted = Buffer.from(JSON.stringify(name))
          next = { name, quoted, tap: undefined, isIgnored: false, inside: [] }
          at.inside.push(next)
        }
        at = next
      }
      at.tap = tap
      at.isIgnored = source.isIgnored
      return tap
    })
    this.#assign(this.#root, builder)
  }

  #assign(node: TapNode, builder: StructBuilder): void {
    this.#nodes.set(builder, node)
    for (const inner of node.inside) {
      const child = builder.children[builder.fields.findIndex(({ name }) => name === inner.name)]
      if (child?.kind === 'struct') this.#assign(inner, child)
    }
  }

  /**
   * Adds the sources in an object to the plans of its members: those of columns are wrapped, and those without a column
   * follow. Returns the names that were added. `allowed` is false when the contract refuses unknown fields.
   */
  addTo(
    members: MemberPlan[],
    builder: StructBuilder,
    {
      fields,
      path,
      allowed,
      inferred,
    }: {
      readonly fields: UnknownFields
      readonly path: string
      readonly allowed: boolean
      readonly inferred: boolean
    },
  ): readonly string[] {
    const added: string[] = []
    for (const node of this.#nodes.get(builder)?.inside ?? []) {
      const index = builder.fields.findIndex(({ name }) => name === node.name)
      const member = members[index]
      if (member !== undefined)
        members[index] = this.#wrapped(member, node, builder.children[index]?.kind === 'struct')
      // Inference counts the names of an object, with or without a value.
      else if (allowed && (node.isIgnored || !inferred || fields.policy !== 'leave')) {
        const tap = new FieldTap(this, node, undefined)
        const value: ValuePlan = { kind: 'source', nullable: true, builder: tap, rules: undefined }
        const counted =
          node.isIgnored || fields.policy !== 'count' ? undefined : path + node.name.toLowerCase()
        const own: MemberPlan = { required: false, ...memberNameOf(node.name), value, path: counted }
        if (!node.isIgnored) tap.unknown = { fields, member: own }
        members.push(own)
        added.push(node.name)
      }
    }
    return added
  }

  /** Returns the plan of a member with a tap on its value. A struct has the taps inside it in its own members. */
  #wrapped(member: MemberPlan, node: TapNode, isStruct: boolean): MemberPlan {
    const { value } = member
    if (value === undefined || (node.tap === undefined && isStruct)) return member
    const tap = new FieldTap(this, isStruct ? { ...node, inside: [] } : node, value)
    return { ...member, value: { kind: 'source', nullable: value.nullable, builder: tap, rules: value } }
  }

  begin(row: number, start: number, end: number): void {
    this.row = row
    this.isRefused = false
    if (row >= this.#starts.length) {
      this.#starts = ensureCapacity(this.#starts, row + 1)
      this.#ends = ensureCapacity(this.#ends, row + 1)
      this.#dropped = ensureCapacity(this.#dropped, row + 1)
    }
    this.#starts[row] = start
    this.#ends[row] = end
    const taps = this.#taps
    for (let i = 0; i < taps.length; i++) (taps[i] as TappedValues).begin(row)
  }

  /** Ends the row; `dropped` is the number of its fields that were left out. */
  end(dropped: number): void {
    this.#dropped[this.row] = dropped
  }

  /** Returns the values of the rows read so far. */
  finish(bytes: Uint8Array, rows: number): SourceColumns {
    return {
      bytes,
      recordStarts: this.#starts.slice(0, rows),
      recordEnds: this.#ends.slice(0, rows),
      droppedFields: this.#dropped.slice(0, rows),
      keepFractions: this.#keepFractions,
      columns: this.#taps.map((tap) => tap.finish(rows)),
    }
  }

  /** Notes the sources inside the valid object at `at`; returns false when the record must be parsed. */
  readInside(node: TapNode, bytes: Uint8Array, at: number): boolean {
    const { inside } = node
    let found = 0
    at = skipSpace(bytes, at + 1)
    if (bytes[at] === 0x7d) return true
    for (;;) {
      const end = skipPlainString(bytes, at)
      if (end < 0) return false
      const index = inside.findIndex(
        ({ quoted }) => quoted.length === end - at && startsWith(bytes, at, quoted),
      )
      at = skipSpace(bytes, end)
      if (bytes[at] !== COLON) return false
      at = skipSpace(bytes, at + 1)
      const stop = skipValue(bytes, at)
      if (stop < 0) return false
      const inner = inside[index]
      if (inner !== undefined) {
        // With a duplicate key the last value counts.
        if ((found & (1 << index)) !== 0 || index > 30) return false
        found |= 1 << index
        if (inner.tap?.note(this.row, kindAt(bytes, at, stop), at, stop) === false) return false
        if (inner.inside.length > 0 && bytes[at] === 0x7b && !this.readInside(inner, bytes, at)) return false
      }
      at = skipSpace(bytes, stop)
      if (bytes[at] === 0x7d) return true
      if (bytes[at] !== COMMA) return false
      at = skipSpace(bytes, at + 1)
    }
  }
}
