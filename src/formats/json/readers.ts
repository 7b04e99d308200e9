import type { AnyBuilder, ListBuilder, StructBuilder } from '../../arrow/builder.ts'
import type { PlainContract, PlainField, PlainValue } from '../../contract/columns/plain.ts'
import { scalarReader } from './scalars.ts'
import { skipPlainString, skipSpace, skipValue, startsWith } from './scan.ts'
import type { ValueReader } from './value-reader.ts'

const NULL = Buffer.from('null')

/** Counts the fields that the contract allows and does not name, over all objects of a reader. */
interface UnknownFields {
  readonly policy: 'skip' | 'count' | 'leave'
  /** Number of fields left out, if they are counted. */
  dropped: number
}

/** Returns a reader for a value of a contract, or `undefined` when bytes alone cannot prove its rules. */
function valueReader(
  value: PlainValue,
  builder: AnyBuilder,
  unknownFields: UnknownFields,
): ValueReader | undefined {
  const inner = presentReader(value, builder, unknownFields)
  if (inner === undefined) return undefined
  return {
    read(bytes, at) {
      if (bytes[at] !== 0x6e) return inner.read(bytes, at)
      if (!value.nullable || !startsWith(bytes, at, NULL)) return -1
      builder.appendNull()
      return at + 4
    },
  }
}

function presentReader(
  value: PlainValue,
  builder: AnyBuilder,
  unknownFields: UnknownFields,
): ValueReader | undefined {
  switch (builder.kind) {
    case 'struct':
      return value.json === 'object' && value.object !== undefined
        ? objectReader(value.object, builder, unknownFields)
        : undefined
    case 'list':
      return value.json === 'array' && value.items !== undefined
        ? listReader(value.items, builder, unknownFields)
        : undefined
    case 'map':
      return undefined
    default:
      return scalarReader(value, builder)
  }
}

function listReader(
  items: PlainValue,
  builder: ListBuilder,
  unknownFields: UnknownFields,
): ValueReader | undefined {
  const element = valueReader(items, builder.child, unknownFields)
  if (element === undefined) return undefined
  return {
    read(bytes, at) {
      if (bytes[at] !== 0x5b) return -1
      at = skipSpace(bytes, at + 1)
      if (bytes[at] === 0x5d) {
        builder.end(1)
        return at + 1
      }
      for (;;) {
        at = element.read(bytes, at)
        if (at < 0) return -1
        at = skipSpace(bytes, at)
        const byte = bytes[at]
        if (byte === 0x5d) {
          builder.end(1)
          return at + 1
        }
        if (byte !== 0x2c) return -1
        at = skipSpace(bytes, at + 1)
      }
    },
  }
}

interface Member {
  readonly field: PlainField
  readonly builder: AnyBuilder
  readonly reader: ValueReader
  /** The quoted name in UTF-8. */
  readonly quoted: Uint8Array
}

/**
 * Returns a reader for objects. It predicts that the keys come in the order of the previous object and compares
 * bytes.
 */
export function objectReader(
  contract: PlainContract,
  builder: StructBuilder,
  unknownFields: UnknownFields,
): ValueReader | undefined {
  const members: Member[] = []
  for (const [index, child] of builder.children.entries()) {
    const name = builder.fields[index]?.name
    const field = contract.fields.find((candidate) => candidate.name === name)
    const reader = field && valueReader(field, child, unknownFields)
    if (field === undefined || reader === undefined) return undefined
    members.push({ field, builder: child, reader, quoted: Buffer.from(JSON.stringify(field.name)) })
  }
  return new ObjectReader(members, contract.additionalProperties, builder, unknownFields)
}

class ObjectReader implements ValueReader {
  readonly #members: readonly Member[]
  readonly #skips: boolean
  /** Lower-case names, if unknown fields are counted: a name that differs only in case is not unknown. */
  readonly #folded: ReadonlySet<string> | undefined
  readonly #unknownFields: UnknownFields
  readonly #builder: StructBuilder
  /** The member seen at each position of the previous object. */
  readonly #predicted: Member[] = []

  constructor(
    members: readonly Member[],
    additional: boolean,
    builder: StructBuilder,
    unknownFields: UnknownFields,
  ) {
    this.#members = members
    this.#skips = additional && unknownFields.policy !== 'leave'
    this.#folded =
      unknownFields.policy === 'count'
        ? new Set(members.map(({ field }) => field.name.toLowerCase()))
        : undefined
    this.#unknownFields = unknownFields
    this.#builder = builder
  }

  read(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== 0x7b) return -1
    const row = this.#builder.length
    at = skipSpace(bytes, at + 1)
    if (bytes[at] === 0x7d) return this.#end(row) ? at + 1 : -1
    for (let position = 0; ; position++) {
      const member = this.#memberAt(bytes, at, position)
      const key = member === undefined ? this.#skipUnknown(bytes, at) : at + member.quoted.length
      if (key < 0) return -1
      at = skipSpace(bytes, key)
      if (bytes[at] !== 0x3a) return -1
      at = skipSpace(bytes, at + 1)
      if (member === undefined) at = skipValue(bytes, at)
      // With a duplicate key the last value counts, which this reader does not support.
      else if (member.builder.length > row) return -1
      else at = member.reader.read(bytes, at)
      if (at < 0) return -1
      at = skipSpace(bytes, at)
      const byte = bytes[at]
      if (byte === 0x7d) return this.#end(row) ? at + 1 : -1
      if (byte !== 0x2c) return -1
      at = skipSpace(bytes, at + 1)
    }
  }

  #memberAt(bytes: Uint8Array, at: number, position: number): Member | undefined {
    const guess = this.#predicted[position]
    if (guess !== undefined && startsWith(bytes, at, guess.quoted)) return guess
    const found = this.#members.find((member) => startsWith(bytes, at, member.quoted))
    if (found !== undefined) this.#predicted[position] = found
    return found
  }

  /** A key with escapes may be a known name, so only plain keys are skipped. */
  #skipUnknown(bytes: Uint8Array, at: number): number {
    const end = this.#skips ? skipPlainString(bytes, at) : -1
    if (end < 0 || this.#folded === undefined) return end
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, end - at - 2).toString('utf8')
    if (this.#folded.has(name.toLowerCase())) return -1
    this.#unknownFields.dropped++
    return end
  }

  #end(row: number): boolean {
    for (const { field, builder } of this.#members) if (field.required && builder.length === row) return false
    return this.#builder.endRow()
  }
}
