// Writes bytes of values of Avro schemas, some of them odd.
import type { AvroNode } from '../../../src/formats/avro/schema.ts'
import type { Chance } from '../../support/values/chance.ts'

const TEXTS = [
  '',
  'a',
  'é',
  '€uro',
  '😀',
  'long text '.repeat(8),
  'ä'.repeat(200),
  '1',
  '0',
  '12',
  '-1',
  '\0',
  '\ufeffx',
  '__proto__',
  '2024-01-02',
]
const BAD_TEXTS = ['ff', 'c328', 'eda080', 'f4908080', 'c080', 'e28c', '61e2'].map((hex) =>
  Buffer.from(hex, 'hex'),
)
const LONGS = [
  0n,
  1n,
  -1n,
  63n,
  64n,
  -64n,
  -65n,
  8191n,
  8192n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 48n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  1_700_000_000_123n,
  1_700_000_000_123_456n,
  -62_167_219_200_000n,
  -62_167_219_200_001n,
  253_402_300_799_999n,
  253_402_300_800_000n,
  -62_167_219_200_000_000n,
  -62_167_219_200_000_001n,
  253_402_300_799_999_999n,
  253_402_300_800_000_000n,
  1_700_000_000_123_456_789n,
]
const INTS = [
  0n,
  1n,
  -1n,
  100n,
  127n,
  128n,
  -128n,
  -129n,
  32_767n,
  32_768n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  -719_528n,
  -719_529n,
  2_932_896n,
  2_932_897n,
  19_000n,
]
const DOUBLES = [0, -0, 1, -1.5, 0.1, 1e300, -1e39, 2 ** 53, 3.4028235677973366e38, 5e-324, 1e-46]

/** Writes values of a schema, mostly ordinary ones. */
export class ValueWriter {
  readonly #chance: Chance
  #bytes: number[] = []
  #depth = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** Returns the bytes of one value. */
  encode(node: AvroNode): Buffer {
    this.#bytes = []
    this.#depth = 0
    this.#write(node)
    return Buffer.from(this.#bytes)
  }

  #write(node: AvroNode): void {
    const chance = this.#chance
    switch (node.kind) {
      case 'null':
        return
      case 'boolean':
        this.#bytes.push(chance.once(200) ? 2 : chance.int(2))
        return
      case 'int':
        this.#long(chance.once(3) ? chance.pick(INTS) : BigInt(chance.int(40_000) - 20_000))
        if (chance.once(400)) this.#long(2n ** 31n)
        return
      case 'long':
        this.#long(
          chance.once(3)
            ? chance.pick(LONGS)
            : BigInt(chance.int(2 ** 31)) * (chance.once(2) ? 1n : 100_000n),
        )
        return
      case 'float': {
        const bytes = Buffer.alloc(4)
        bytes.writeFloatLE(
          chance.once(200) ? NaN : chance.pick(DOUBLES.filter((each) => Math.abs(each) < 1e38)),
        )
        this.#bytes.push(...bytes)
        return
      }
      case 'double': {
        const bytes = Buffer.alloc(8)
        bytes.writeDoubleLE(chance.once(200) ? Infinity : chance.pick(DOUBLES))
        this.#bytes.push(...bytes)
        return
      }
      case 'string':
        this.#sized(this.#text())
        return
      case 'bytes':
        this.#sized(
          node.logical === undefined ? this.#text() : this.#random(chance.once(30) ? 20 : chance.int(12)),
        )
        return
      case 'fixed':
        this.#bytes.push(...this.#number(node.size))
        return
      case 'enum':
        this.#long(BigInt(chance.once(100) ? node.symbols.length : chance.int(node.symbols.length)))
        return
      case 'union':
        this.#union(node.branches)
        return
      case 'array':
        this.#blocks(() => {
          this.#write(node.items)
        })
        return
      case 'map':
        this.#blocks(() => {
          this.#sized(this.#text())
          this.#write(node.values)
        })
        return
      case 'record':
        this.#depth++
        for (const field of node.fields) this.#write(field.node)
        this.#depth--
    }
  }

  #union(branches: readonly AvroNode[]): void {
    const nullAt = branches.findIndex(({ kind }) => kind === 'null')
    const index =
      this.#depth > 6 && nullAt >= 0
        ? nullAt
        : this.#chance.once(150)
          ? branches.length
          : this.#chance.int(branches.length)
    this.#long(BigInt(index))
    const branch = branches[index]
    if (branch !== undefined) this.#write(branch)
  }

  #blocks(item: () => void): void {
    for (let blocks = this.#chance.int(3); blocks > 0; blocks--) {
      const count = 1 + this.#chance.int(3)
      if (this.#chance.once(4)) {
        this.#long(BigInt(-count))
        this.#long(BigInt(this.#chance.int(100)))
      } else this.#long(BigInt(count))
      for (let i = 0; i < count; i++) item()
    }
    this.#long(0n)
  }

  #text(): Buffer {
    return this.#chance.once(150) ? this.#chance.pick(BAD_TEXTS) : Buffer.from(this.#chance.pick(TEXTS))
  }

  /** Bytes that are mostly a small number. */
  #number(size: number): Buffer {
    const bytes = this.#random(size)
    if (this.#chance.once(3)) return bytes
    const kept = Math.min(size, 5)
    return Buffer.concat([
      Buffer.alloc(size - kept, this.#chance.once(2) ? 0 : 0xff),
      bytes.subarray(size - kept),
    ])
  }

  #random(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.#chance.int(256)))
  }

  #sized(bytes: Uint8Array): void {
    this.#long(BigInt(bytes.length))
    this.#bytes.push(...bytes)
  }

  /** Writes a number, once in a while with more bytes than it needs. */
  #long(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes.push(Number(rest & 0x7fn) | 0x80)
    if (this.#chance.once(300)) this.#bytes.push(Number(rest) | 0x80, this.#chance.once(4) ? 0x80 : 0, 0)
    else this.#bytes.push(Number(rest))
  }
}

/** Returns bytes with a few of them changed, cut or added. */
export function mutated(chance: Chance, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  switch (chance.int(4)) {
    case 0:
      return copy.subarray(0, chance.int(copy.length + 1))
    case 1:
      return Buffer.concat([copy, Buffer.of(chance.int(256))])
    default:
      for (let times = 1 + chance.int(2); times > 0 && copy.length > 0; times--)
        copy[chance.int(copy.length)] = chance.int(256)
      return copy
  }
}
