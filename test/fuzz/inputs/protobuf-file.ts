// Generates Protobuf files.
import type { Chance } from '../../support/values/chance.ts'

const NAMES = ['id', 'Id', 'ID', 'name', 'a', 'A', 'b', 'user_id', 'USER_ID', 'x1', '_y', 'value', 'at']
const SCALARS = [
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'float',
  'double',
  'string',
  'bytes',
]
const KEYS = SCALARS.filter((type) => !['float', 'double', 'bytes'].includes(type))
const KNOWN = [
  'Timestamp',
  'Timestamp',
  'Duration',
  'Int64Value',
  'UInt64Value',
  'StringValue',
  'BoolValue',
  'BytesValue',
  'DoubleValue',
  'FloatValue',
  'Int32Value',
  'UInt32Value',
  'Struct',
  'Value',
  'ListValue',
  'Empty',
].map((name) => `google.protobuf.${name}`)
/** Wire types of scalars; 0 for the others. */
export const WIRES: Readonly<Record<string, number>> = {
  fixed64: 1,
  sfixed64: 1,
  double: 1,
  string: 2,
  bytes: 2,
  float: 5,
  fixed32: 5,
  sfixed32: 5,
}

/** A generated type: a scalar, an enum, a message of its own or a known one. */
export type Type =
  | { readonly kind: 'scalar' | 'known'; readonly name: string }
  | { readonly kind: 'enum'; readonly name: string; readonly numbers: readonly number[] }
  | Message

/** A generated message. */
export interface Message {
  readonly kind: 'message'
  readonly name: string
  readonly fields: readonly Field[]
}

/** A field of it. */
export interface Field {
  readonly number: number
  readonly label: 'one' | 'many' | 'map' | 'group'
  readonly type: Type
  readonly key: string
}

/** Collects the text of a file while types are chosen. */
export class GeneratedFile {
  readonly text: string[] = []
  readonly root: Message
  readonly #chance: Chance
  readonly #isOld: boolean
  #names = 0

  constructor(chance: Chance) {
    this.#chance = chance
    this.#isOld = chance.once(3)
    this.root = this.#message(0)
  }

  get file(): string {
    const imports = ['timestamp', 'duration', 'wrappers', 'struct', 'empty']
    return [
      `syntax = "${this.#isOld ? 'proto2' : 'proto3'}"; package p;`,
      ...imports.map((name) => `import "google/protobuf/${name}.proto";`),
      ...this.text.toReversed(),
    ].join('\n')
  }

  #message(depth: number, isGroup = false): Message {
    const chance = this.#chance
    const name = `M${this.#names++}`
    const names = new Set(Array.from({ length: 1 + chance.int(6) }, () => chance.pick(NAMES)))
    const lines: string[] = []
    const fields: Field[] = []
    let number = chance.once(4) ? 13 : 0
    for (const each of names) {
      number += chance.once(12) ? 300 : 1 + chance.int(3)
      if (!isGroup && chance.once(8)) lines.push(this.#oneof(each, number, depth, fields))
      else lines.push(this.#field(each, number, depth, fields))
      number = fields.at(-1)?.number ?? number
    }
    this.text.push(`message ${name} { ${lines.join('\n')} }`)
    return { kind: 'message', name, fields }
  }

  #oneof(name: string, number: number, depth: number, fields: Field[]): string {
    const members = Array.from({ length: 1 + this.#chance.int(3) }, (_, i) => {
      const type = this.#type(depth)
      fields.push({ number: number + i, label: 'one', type, key: '' })
      return `${type.name} ${i === 0 ? name : `${name}_${i}`} = ${number + i};`
    })
    return `oneof of_${name} { ${members.join(' ')} }`
  }

  #field(name: string, number: number, depth: number, fields: Field[]): string {
    const chance = this.#chance
    if (this.#isOld && depth < 2 && chance.once(12)) {
      const inner = this.#message(depth + 1, true)
      const body = this.text.pop() ?? ''
      fields.push({ number, label: 'group', type: inner, key: '' })
      // protobufjs names the field of a group by the group in lower case.
      return `${chance.pick(['optional', 'repeated'])} group ${body.replace(/^message (\w+)/, `$1 = ${number}`)}`
    }
    const type = this.#type(depth)
    const kind = chance.int(10)
    if (kind === 0) {
      const key = chance.pick(KEYS)
      fields.push({ number, label: 'map', type, key })
      return `map<${key}, ${type.name}> ${name} = ${number};`
    }
    if (kind < 3) {
      fields.push({ number, label: 'many', type, key: '' })
      const isNumeric = type.kind === 'enum' || (type.kind === 'scalar' && (WIRES[type.name] ?? 0) !== 2)
      const packed = isNumeric && chance.once(3) ? ` [packed = ${chance.pick(['true', 'false'])}]` : ''
      return `repeated ${type.name} ${name} = ${number}${packed};`
    }
    fields.push({ number, label: 'one', type, key: '' })
    if (!this.#isOld) return `${chance.once(3) ? 'optional ' : ''}${type.name} ${name} = ${number};`
    const option = chance.once(3) ? this.#defaultOf(type) : ''
    return `${chance.once(8) ? 'required' : 'optional'} ${type.name} ${name} = ${number}${option};`
  }

  #defaultOf({ kind, name }: Type): string {
    if (kind === 'enum') return ` [default = ${name}_1]`
    if (kind !== 'scalar') return ''
    if (name === 'string' || name === 'bytes') return ' [default = "dé"]'
    if (name === 'bool') return ' [default = true]'
    if (name === 'float' || name === 'double')
      return ` [default = ${this.#chance.pick(['0.1', '-1e300', '-0.0', '7'])}]`
    if (name.startsWith('s') || name.startsWith('int')) return ' [default = -7]'
    return ` [default = ${name.endsWith('64') ? '9007199254740993' : '4294967295'}]`
  }

  #type(depth: number): Type {
    const chance = this.#chance
    const kind = chance.int(10)
    if (kind < 5) return { kind: 'scalar', name: chance.pick(SCALARS) }
    if (kind < 7) return { kind: 'known', name: chance.pick(KNOWN) }
    if (kind < 8 || depth >= 3) {
      const name = `E${this.#names++}`
      const numbers = [0, 1, chance.pick([2, 255, 256, 70_000, -1, -2_147_483_648])]
      this.text.push(`enum ${name} { ${numbers.map((value, i) => `${name}_${i} = ${value};`).join(' ')} }`)
      return { kind: 'enum', name, numbers }
    }
    return this.#message(depth + 1)
  }
}
