import type { AnyBuilder, ListBuilder, StructBuilder } from '../arrow/builder.ts'
import type { PlainContract, PlainField, PlainValue } from '../contract/plain.ts'
import { scalarReader } from './json-scalars.ts'
import { skipPlainString, skipSpace, skipValue, startsWith } from './json-scan.ts'

/**
 * Reads one JSON value from bytes into its column: the position after it, or -1 when the value is not one that this
 * reader can prove right. After -1 the column may hold a part of the value: the caller truncates.
 */
export interface ValueReader {
  read(bytes: Uint8Array, at: number): number
}

const NULL = Buffer.from('null')

/** A reader for a value under a contract, or `undefined` when bytes alone cannot prove its rules. */
export function valueReader(value: PlainValue, builder: AnyBuilder): ValueReader | undefined {
  const inner = presentReader(value, builder)
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

function presentReader(value: PlainValue, builder: AnyBuilder): ValueReader | undefined {
  switch (builder.kind) {
    case 'struct':
      return value.json === 'object' && value.object !== undefined
        ? structReader(value.object, builder)
        : undefined
    case 'list':
      return value.json === 'array' && value.items !== undefined
        ? listReader(value.items, builder)
        : undefined
    case 'map':
      return undefined
    default:
      return scalarReader(value, builder)
  }
}

function structReader(contract: PlainContract, builder: StructBuilder): ValueReader | undefined {
  return objectReader(contract, builder)
}

function listReader(items: PlainValue, builder: ListBuilder): ValueReader | undefined {
  const element = valueReader(items, builder.child)
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
  /** The name's UTF-8 with both quotes. */
  readonly quoted: Uint8Array
}

/** A reader for objects: guesses that the next key is the one that followed last time, and compares bytes. */
export function objectReader(contract: PlainContract, builder: StructBuilder): ValueReader | undefined {
  const members: Member[] = []
  for (const [index, child] of builder.children.entries()) {
    const name = builder.fields[index]?.name
    const field = contract.fields.find((candidate) => candidate.name === name)
    const reader = field && valueReader(field, child)
    if (field === undefined || reader === undefined) return undefined
    members.push({ field, builder: child, reader, quoted: Buffer.from(JSON.stringify(field.name)) })
  }
  return new ObjectReader(members, contract.additionalProperties, builder)
}

class ObjectReader implements ValueReader {
  readonly #members: readonly Member[]
  readonly #additional: boolean
  readonly #builder: StructBuilder
  /** The member seen in each place of the last object. */
  readonly #predicted: Member[] = []

  constructor(members: readonly Member[], additional: boolean, builder: StructBuilder) {
    this.#members = members
    this.#additional = additional
    this.#builder = builder
  }

  read(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== 0x7b) return -1
    const row = this.#builder.length
    at = skipSpace(bytes, at + 1)
    if (bytes[at] === 0x7d) return this.#end(row) ? at + 1 : -1
    for (let place = 0; ; place++) {
      const member = this.#memberAt(bytes, at, place)
      const key = member === undefined ? this.#skipUnknown(bytes, at) : at + member.quoted.length
      if (key < 0) return -1
      at = skipSpace(bytes, key)
      if (bytes[at] !== 0x3a) return -1
      at = skipSpace(bytes, at + 1)
      if (member === undefined) at = skipValue(bytes, at)
      // A key that comes twice: the last one counts, which is not for this reader to sort out.
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

  #memberAt(bytes: Uint8Array, at: number, place: number): Member | undefined {
    const guess = this.#predicted[place]
    if (guess !== undefined && startsWith(bytes, at, guess.quoted)) return guess
    const found = this.#members.find((member) => startsWith(bytes, at, member.quoted))
    if (found !== undefined) this.#predicted[place] = found
    return found
  }

  /** A key with escapes may be a known one in disguise, so only plain keys are skipped. */
  #skipUnknown(bytes: Uint8Array, at: number): number {
    return this.#additional ? skipPlainString(bytes, at) : -1
  }

  #end(row: number): boolean {
    for (const { field, builder } of this.#members) if (field.required && builder.length === row) return false
    this.#builder.endRow()
    return true
  }
}
