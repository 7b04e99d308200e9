/** Lists the types of Thrift's compact protocol, as encoded in the headers of fields and lists. */
export const THRIFT = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const

/** A `ThriftValue` is a value with its type, so that unknown fields can be written again unchanged. */
export type ThriftValue =
  | { readonly type: 1 | 2; readonly value: boolean }
  | { readonly type: 3 | 4 | 5 | 6; readonly value: bigint }
  | { readonly type: 7; readonly value: Uint8Array }
  | { readonly type: 8; readonly value: Uint8Array }
  | { readonly type: 9 | 10; readonly element: number; readonly value: readonly ThriftValue[] }
  | { readonly type: 12; readonly value: ThriftStruct }

/** A `ThriftStruct` maps field ids to values. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>

/** Maximum nesting; footers of Parquet nest seven structs deep. */
const DEPTH_MAX = 16

/**
 * Reads one struct of the compact protocol from the start of `bytes`.
 * @throws RangeError if the bytes are not such a struct
 */
export function readThrift(bytes: Uint8Array): ThriftStruct {
  return new Reader(bytes).struct(0)
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  struct(depth: number): ThriftStruct {
    if (depth > DEPTH_MAX) throw damagedFooterError('structs nest too deep')
    const fields = new Map<number, ThriftValue>()
    let id = 0
    for (;;) {
      const header = this.#byte()
      if (header === 0) return fields
      const delta = header >> 4
      id = delta === 0 ? Number(this.#zigzag()) : id + delta
      if (fields.has(id)) throw damagedFooterError(`field ${id} appears twice`)
      const type = header & 15
      // A boolean field holds its value in its header; a boolean in a list takes a byte.
      if (type === THRIFT.true || type === THRIFT.false) fields.set(id, { type, value: type === THRIFT.true })
      else fields.set(id, this.#value(type, depth))
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case THRIFT.true:
      case THRIFT.false:
        return { type, value: this.#byte() === THRIFT.true }
      case THRIFT.byte:
        return { type, value: BigInt(this.#byte()) }
      case THRIFT.i16:
      case THRIFT.i32:
      case THRIFT.i64:
        return { type, value: this.#zigzag() }
      case THRIFT.double:
        return { type, value: this.#take(8) }
      case THRIFT.binary:
        return { type, value: this.#take(Number(this.#varint())) }
      case THRIFT.list:
      case THRIFT.set:
        return this.#list(type, depth)
      case THRIFT.struct:
        return { type, value: this.struct(depth + 1) }
      default:
        throw damagedFooterError(`type ${type} is not one of Parquet's`)
    }
  }

  #list(type: 9 | 10, depth: number): ThriftValue {
    if (depth > DEPTH_MAX) throw damagedFooterError('lists nest too deep')
    const header = this.#byte()
    const size = header >> 4 === 15 ? Number(this.#varint()) : header >> 4
    const element = header & 15
    // Every element takes at least one byte.
    if (size > this.#bytes.length - this.#at) throw damagedFooterError(`a list has ${size} elements`)
    const value: ThriftValue[] = []
    for (let index = 0; index < size; index++) value.push(this.#value(element, depth + 1))
    return { type, element, value }
  }

  #zigzag(): bigint {
    const value = this.#varint()
    return (value >> 1n) ^ -(value & 1n)
  }

  #varint(): bigint {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 127) << shift
      if (byte < 128) return BigInt(low)
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    throw damagedFooterError('a number has more than 64 bits')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw damagedFooterError('it ends too early')
    return byte
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) throw damagedFooterError('it ends too early')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}

/** Encodes one struct in the compact protocol. */
export function writeThrift(struct: ThriftStruct): Uint8Array {
  const pieces: Buffer[] = []
  writeStruct(struct, pieces)
  return Buffer.concat(pieces)
}

function writeStruct(struct: ThriftStruct, to: Buffer[]): void {
  let last = 0
  for (const [id, field] of [...struct].sort(([a], [b]) => a - b)) {
    const delta = id - last
    last = id
    if (delta > 0 && delta < 16) to.push(Buffer.of((delta << 4) | field.type))
    else to.push(Buffer.of(field.type), varint(zigzag(BigInt(id))))
    if (field.type !== THRIFT.true && field.type !== THRIFT.false) writeValue(field, to)
  }
  to.push(Buffer.of(0))
}

function writeValue(value: ThriftValue, to: Buffer[]): void {
  switch (value.type) {
    case THRIFT.true:
    case THRIFT.false:
      to.push(Buffer.of(value.value ? THRIFT.true : THRIFT.false))
      return
    case THRIFT.byte:
      to.push(Buffer.of(Number(value.value)))
      return
    case THRIFT.i16:
    case THRIFT.i32:
    case THRIFT.i64:
      to.push(varint(zigzag(value.value)))
      return
    case THRIFT.double:
      to.push(Buffer.from(value.value))
      return
    case THRIFT.binary:
      to.push(varint(BigInt(value.value.length)), Buffer.from(value.value))
      return
    case THRIFT.list:
    case THRIFT.set: {
      const size = value.value.length
      to.push(Buffer.of((Math.min(size, 15) << 4) | value.element))
      if (size >= 15) to.push(varint(BigInt(size)))
      for (const item of value.value) writeValue(item, to)
      return
    }
    case THRIFT.struct:
      writeStruct(value.value, to)
  }
}

function zigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** Returns the error for a footer that Parquet does not allow. */
export function damagedFooterError(detail: string): RangeError {
  return new RangeError(`the footer of the file is damaged: ${detail}`)
}
