// Writes Protobuf messages, some of them odd.
import { Writer } from 'protobufjs/minimal.js'
import type { Chance } from '../../support/values/chance.ts'
import { WIRES, type Field, type Message, type Type } from './protobuf-file.ts'

const WRAPPED: Readonly<Record<string, string>> = {
  Int64Value: 'int64',
  UInt64Value: 'uint64',
  StringValue: 'string',
  BoolValue: 'bool',
  BytesValue: 'bytes',
  DoubleValue: 'double',
  FloatValue: 'float',
  Int32Value: 'int32',
  UInt32Value: 'uint32',
}

/** Writes values of generated types, some of them odd. */
export class GeneratedValues {
  readonly #chance: Chance

  constructor(chance: Chance) {
    this.#chance = chance
  }

  message({ fields }: Message, writer: Writer = Writer.create(), depth = 0): Writer {
    const chance = this.#chance
    const order = chance.once(6) ? [...fields].reverse() : fields
    for (const field of order) {
      if (chance.once(4)) continue
      const { label } = field
      const count = label === 'many' || label === 'map' ? chance.int(4) : chance.once(40) ? 2 : 1
      for (let i = 0; i < count; i++) this.#field(field, writer, depth)
      if (chance.once(60)) this.#unknown(writer)
    }
    return writer
  }

  #field({ number, label, type, key }: Field, writer: Writer, depth: number): void {
    const chance = this.#chance
    if (label === 'group' && type.kind === 'message') {
      writer.uint32((number << 3) | 3)
      this.message(type, writer, depth + 1)
      writer.uint32((number << 3) | (chance.once(50) ? 3 : 4))
      return
    }
    if (label === 'map') {
      writer.uint32((number << 3) | 2).fork()
      const parts = [
        () => this.#tagged(1, { kind: 'scalar', name: key }, writer, depth),
        () => this.#tagged(2, type, writer, depth),
        ...(chance.once(30) ? [() => this.#unknown(writer)] : []),
      ]
      if (chance.once(8)) parts.reverse()
      for (const part of parts) if (!chance.once(10)) part()
      writer.ldelim()
      return
    }
    if (label === 'many' && chance.once(2) && wireOf(type) !== 2) {
      writer.uint32((number << 3) | 2).fork()
      for (let i = chance.int(4); i > 0; i--) this.#value(type, writer, depth)
      writer.ldelim()
      return
    }
    this.#tagged(number, type, writer, depth)
  }

  #tagged(number: number, type: Type, writer: Writer, depth: number): void {
    const wire = this.#chance.once(150) ? this.#chance.int(8) : wireOf(type)
    if (this.#chance.once(80)) longVarint(writer, (number << 3) | wire)
    else writer.uint32((number << 3) | wire)
    this.#value(type, writer, depth)
  }

  #value(type: Type, writer: Writer, depth: number): void {
    const chance = this.#chance
    switch (type.kind) {
      case 'scalar':
        this.#scalar(type.name, writer)
        return
      case 'enum':
        writer.int32(chance.once(20) ? chance.pick([3, 254, -5, 99_999]) : chance.pick(type.numbers))
        return
      case 'known':
        writer.fork()
        this.#known(type.name.slice('google.protobuf.'.length), writer)
        writer.ldelim()
        return
      case 'message':
        writer.fork()
        if (depth < 6) this.message(type, writer, depth + 1)
        writer.ldelim()
    }
  }

  #scalar(name: string, writer: Writer): void {
    const chance = this.#chance
    const int = chance.pick([
      0,
      1,
      -1,
      5,
      10,
      127,
      128,
      300,
      2_147_483_647,
      -2_147_483_648,
      chance.int(1_000),
    ])
    switch (name) {
      case 'int32':
      case 'sint32':
      case 'sfixed32':
        writer[name](int)
        return
      case 'uint32':
      case 'fixed32':
        writer[name](int >>> 0)
        return
      case 'bool':
        if (chance.once(20)) longVarint(writer, chance.pick([0, 1, 2, 128]))
        else writer.bool(chance.once(2))
        return
      case 'float':
        writer.float(chance.pick([0, -0, 1.5, 3.4e38, 1e-45, chance.once(10) ? Infinity : 2]))
        return
      case 'double':
        writer.double(chance.pick([0, -0, 1.5, 1e308, 5e-324, chance.once(10) ? NaN : 2]))
        return
      case 'string':
        this.#bytes(writer, true)
        return
      case 'bytes':
        this.#bytes(writer, false)
        return
    }
    const high = chance.pick([0, 0, 0, -1, 1, 2_097_151, 2_097_152, -2_147_483_648, 2_147_483_647])
    const low = chance.pick([0, 1, -1, int])
    const bits = { low, high, unsigned: false }
    writer[name as 'int64'](bits)
  }

  #bytes(writer: Writer, isText: boolean): void {
    const chance = this.#chance
    const texts = [
      '',
      'a',
      'true',
      '0',
      '7',
      '12',
      '4294967295',
      '007',
      'é',
      '\u{1F600}',
      '\uFEFFx',
      'abcdefgh',
      'x'.repeat(300),
    ]
    const spoiled = [
      [0xff],
      [0xc3],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe0, 0x80, 0x80],
      [0xf0, 0x9f, 0x98],
    ]
    if (!isText || chance.once(60)) writer.bytes(Uint8Array.from([...chance.pick(spoiled), 0x61]))
    else writer.string(chance.pick(texts) + (chance.once(3) ? chance.pick(texts) : ''))
  }

  #known(name: string, writer: Writer): void {
    const chance = this.#chance
    const wrapped = WRAPPED[name]
    if (chance.once(40)) this.#unknown(writer)
    if (wrapped !== undefined) {
      for (let i = chance.once(40) ? 2 : chance.int(2); i > 0; i--)
        this.#tagged(1, { kind: 'scalar', name: wrapped }, writer, 0)
    } else if (name === 'Timestamp' || name === 'Duration') {
      const seconds = chance.pick([
        0, 1, -1, 1_700_000_000, -62_135_596_800, 253_402_300_799, 315_576_000_000, -315_576_000_000,
        253_402_300_800, 65_536, 8_589_934_592,
      ])
      const sign = name === 'Duration' && seconds < 0 && !chance.once(20) ? -1 : 1
      if (!chance.once(5)) writer.uint32(8).int64(seconds)
      if (!chance.once(5))
        writer
          .uint32(16)
          .int32(sign * chance.pick([0, 1, 999, 1_000, 999_999_999, chance.once(10) ? 1_000_000_000 : 5]))
      if (chance.once(30)) writer.uint32(8).int64(7)
    } else if (name === 'Struct') {
      for (let i = chance.int(3); i > 0; i--) {
        writer
          .uint32(10)
          .fork()
          .uint32(10)
          .string(chance.pick(['a', '1', '__proto__', 'é']))
          .uint32(18)
          .fork()
        this.#known('Value', writer)
        writer.ldelim().ldelim()
      }
    } else if (name === 'ListValue') {
      for (let i = chance.int(3); i > 0; i--) {
        writer.uint32(10).fork()
        this.#known('Value', writer)
        writer.ldelim()
      }
    } else if (name === 'Value') {
      const kind = chance.int(6)
      if (kind === 0) writer.uint32(8).int32(0)
      else if (kind === 1) writer.uint32(17).double(chance.pick([-0, 1e300, 1.5, chance.once(9) ? NaN : 3]))
      else if (kind === 2) writer.uint32(26).string(chance.pick(['', 'x\u2028', '"']))
      else if (kind === 3) writer.uint32(32).bool(true)
      else if (kind === 4 && chance.once(2)) {
        writer.uint32(chance.pick([42, 50])).fork()
        writer.ldelim()
      }
    }
  }

  #unknown(writer: Writer): void {
    const chance = this.#chance
    const number = chance.pick([1_000, 15, 536_870_911])
    switch (chance.int(5)) {
      case 0:
        writer.uint32(((number << 3) | 0) >>> 0).int64(-1)
        return
      case 1:
        writer.uint32(((number << 3) | 1) >>> 0).double(1)
        return
      case 2:
        writer.uint32(((number << 3) | 2) >>> 0).string('unknown')
        return
      case 3:
        writer.uint32(((number << 3) | 5) >>> 0).float(1)
        return
      default:
        writer
          .uint32(((number << 3) | 3) >>> 0)
          .uint32(8)
          .int32(5)
        writer.uint32((((chance.once(20) ? 1 : number) << 3) | 4) >>> 0)
    }
  }
}

function wireOf(type: Type): number {
  return type.kind === 'scalar' ? (WIRES[type.name] ?? 0) : type.kind === 'enum' ? 0 : 2
}

/** Writes an integer with more bytes than it needs. */
function longVarint(writer: Writer, value: number): void {
  const bytes = Array.from({ length: 4 }, (_, i) => ((value >>> (7 * i)) & 0x7f) | 0x80)
  writer.raw(Uint8Array.from([...bytes, value >>> 28]))
}
