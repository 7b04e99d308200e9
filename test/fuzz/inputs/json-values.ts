import type { DataType, StructField, StructType } from '../../../src/core/schema.ts'
import { decimalOf } from '../../../src/core/schema.ts'
import type { Chance } from '../../support/values/chance.ts'
import { NUMBERS, STRINGS, TIMES, VALUES } from '../../support/values/json-records.ts'

/** Choices for values: without `isOdd`, nearly all values fit their columns. */
export interface ValueChance extends Chance {
  readonly isOdd: boolean
}

const PRIMITIVES = [
  'boolean',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'decimal(5,2)',
  'decimal(18,4)',
  'decimal(38,0)',
  'decimal(38,10)',
  'decimal(9,9)',
  'string',
  'string',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
] as const
const NAMES = [
  'a',
  'b',
  'c',
  'id',
  'user_name',
  'é',
  'with.dot',
  'long_name_of_a_column',
  'x1',
  '1',
  'q"q',
  'toString',
]
const KEY_TYPES = [
  'string',
  'string',
  'string',
  'date',
  'decimal(5,2)',
  'timestamp',
  'long',
  'binary',
] as const
const ODD_NUMBERS = [
  '9999999999999998',
  '123456789012345678',
  '-999999999999999999',
  '1000000000000000000',
  '12345678901234567890123456789012345678',
  '123456789012345678901234567890123456789',
  '0.0000001',
  '0.000001',
  '-0.000',
  '123.4500',
  '999.99',
  '999.999',
  '1000.00',
  '-999.99',
  '0.123456789',
  '0.1234567890',
  '99999999999999.9999',
  '99999999999999.99990',
  '4503599627370496.5',
  '0.30000000000000004',
  '1.7976931348623157e308',
  '1e22',
  '1.5e-7',
  '100',
  '1e2',
  `0.${'0'.repeat(70)}`,
  `0.${'0'.repeat(25)}1`,
  `1${'0'.repeat(30)}`,
]
const ODD_TEXTS = [
  '+1',
  '007',
  '1.50',
  '-0',
  '12.5e0',
  'QUJD',
  'QQ==',
  'QR==',
  'Q===',
  'QUI=',
  'QUK',
  '4142',
  'QU-_',
  '=',
]
const KEYS = [
  'k',
  'key',
  '1',
  '2',
  '10',
  '01',
  '4294967294',
  '4294967295',
  '__proto__',
  '',
  'é',
  '\\u006b',
  '2026-01-01',
  '1.50',
  'K',
  '2026-01-01T00:00:00Z',
  'QUJD',
]

/** Returns a type, at most three levels deep. */
export function typeBy(chance: Chance, depth = 0): DataType {
  switch (depth < 3 ? chance.int(9) : 9) {
    case 0:
      return structBy(chance, 1 + chance.int(3), depth + 1)
    case 1:
      return { type: 'array', elementType: typeBy(chance, depth + 1), containsNull: !chance.once(5) }
    case 2:
      return {
        type: 'map',
        keyType: chance.pick(KEY_TYPES),
        valueType: typeBy(chance, depth + 1),
        valueContainsNull: !chance.once(5),
      }
    default:
      return chance.pick(PRIMITIVES)
  }
}

/** Returns a struct of at most `count` fields. */
export function structBy(chance: Chance, count: number, depth = 0): StructType {
  const names = new Set(Array.from({ length: count }, () => chance.pick(NAMES)))
  const fields = [...names].map((name): StructField => {
    return { name, type: typeBy(chance, depth), nullable: !chance.once(12), metadata: {} }
  })
  return { type: 'struct', fields }
}

const digits = (chance: Chance, count: number): string =>
  Array.from({ length: count }, () => String(chance.int(10))).join('')
const integer = (chance: Chance, digitsMax: number): string =>
  `${chance.once(3) ? '-' : ''}${String(1 + chance.int(9))}${digits(chance, chance.int(digitsMax))}`

function textBy(chance: ValueChance): string {
  if (chance.isOdd && chance.once(3)) return chance.pick(STRINGS)
  const part = (): string =>
    chance.pick(['a', 'text ', 'é', '🙂', '\\u00e9', '\\n', '\\"', '\\ud83d\\ude42', '\\\\', '\\/', '€', '0'])
  return Array.from({ length: chance.int(12) }, part).join('')
}

function timeBy(chance: ValueChance, zoned = true): string {
  if (chance.isOdd && chance.once(4)) return chance.pick(TIMES)
  const more = chance.isOdd ? 1 : 0
  const two = (from: number, to: number): string => String(from + chance.int(to + 1 - from)).padStart(2, '0')
  const date = `${chance.pick(['2026', '1969', '0000', '9999', '1600', '2400'])}-${two(1 - more, 12)}-${two(1 - more, 28 + 2 * more)}`
  const fraction = chance.once(2) ? '' : `.${digits(chance, 1 + chance.int(9))}`
  const seconds = chance.once(5) ? '' : `:${two(0, 59 + more)}${fraction}`
  const zone = chance.isOdd
    ? chance.pick(['Z', 'z', '', '+02:00', '-0530', '+01', '+23:59', '-24:00', '+02:00:30', 'Z[UTC]'])
    : zoned
      ? chance.pick(['Z', 'Z', 'z', '+02:00', '-0530', '+01', '+14:00'])
      : ''
  const separator = chance.isOdd ? chance.pick(['T', 't', ' ', '_']) : chance.pick(['T', 'T', 't', ' '])
  return `${date}${separator}${two(0, 23 + more)}:${two(0, 59 + more)}${seconds}${zone}`
}

function decimalBy(chance: ValueChance, { precision, scale }: { precision: number; scale: number }): string {
  const whole = Math.max(1, precision - scale + (chance.isOdd && chance.once(4) ? 1 : 0))
  const fraction = chance.int(scale + (chance.isOdd && chance.once(3) ? 3 : 1))
  const text = `${integer(chance, whole)}${fraction === 0 ? '' : `.${digits(chance, fraction)}`}`
  const short = chance.once(4) ? text.replace(/\d+/, '0') : text
  return chance.once(4) ? `"${short}"` : short
}

/** Returns JSON text that mostly fits a type. */
export function valueBy(chance: ValueChance, type: DataType, depth = 0): string {
  if (chance.once(chance.isOdd ? 12 : 30)) return 'null'
  if (chance.isOdd && chance.once(12)) return oddBy(chance)
  if (typeof type !== 'string') return nestedBy(chance, type, depth)
  const decimal = decimalOf(type)
  if (decimal !== undefined) return decimalBy(chance, decimal)
  switch (type) {
    case 'boolean':
      return chance.pick(['true', 'false'])
    case 'byte':
      return integer(chance, chance.isOdd ? 3 : 2)
    case 'short':
      return integer(chance, chance.isOdd ? 5 : 4)
    case 'integer':
      return integer(chance, chance.isOdd ? 10 : 9)
    case 'long':
      return integer(chance, chance.pick([3, 10, 16, 19]))
    case 'float':
    case 'double':
      return `${integer(chance, 10)}${chance.once(3) ? '' : `.${digits(chance, 1 + chance.int(chance.pick([3, 8, 20])))}`}${chance.once(10) ? `e${integer(chance, 2)}` : ''}`
    case 'binary':
      return JSON.stringify(
        Buffer.from(digits(chance, chance.int(7))).toString(
          chance.isOdd && chance.once(3) ? 'hex' : 'base64',
        ),
      )
    case 'date':
      return `"${timeBy(chance).slice(0, 10)}"`
    case 'timestamp':
    case 'timestamp_ntz':
      return `"${timeBy(chance, type === 'timestamp')}"`
    default:
      return `"${textBy(chance)}"`
  }
}

/** Returns JSON text of any kind. */
export function oddBy(chance: ValueChance): string {
  switch (chance.int(7)) {
    case 0:
      return chance.pick(NUMBERS)
    case 1:
      return chance.pick(ODD_NUMBERS)
    case 2:
      return `"${chance.pick(ODD_TEXTS)}"`
    case 3:
      return `"${chance.pick(TIMES)}"`
    case 4:
      return `"${textBy(chance)}"`
    case 5:
      return valueBy(chance, typeBy(chance))
    default:
      return chance.pick(VALUES.filter((text) => text.length < 200))
  }
}

function nestedBy(chance: ValueChance, type: Exclude<DataType, string>, depth: number): string {
  if (type.type === 'struct') return objectBy(chance, type, depth + 1)
  const count = chance.int(4)
  if (type.type === 'array')
    return `[${Array.from({ length: count }, () => valueBy(chance, type.elementType, depth + 1)).join(',')}]`
  const entries = Array.from({ length: count }, () => {
    const key = chance.isOdd && chance.once(2) ? chance.pick(KEYS) : keyBy(chance, type.keyType)
    return `"${key}":${valueBy(chance, type.valueType, depth + 1)}`
  })
  return `{${entries.join(',')}}`
}

function keyBy(chance: ValueChance, type: DataType): string {
  if (type === 'long') return chance.pick(KEYS)
  return valueBy(chance, type).replaceAll(/^"|"$/g, '').replaceAll('"', '')
}

/** Returns the text of an object for these columns, with every freedom and some mistakes. */
export function objectBy(chance: ValueChance, { fields }: StructType, depth = 0): string {
  const space = chance.once(6) ? (): string => chance.pick(['', ' ', '\t', '\r\n', '  ']) : (): string => ''
  const members = fields
    .filter(() => !chance.once(chance.isOdd ? 10 : 30))
    .map(({ name, type }): [string, string] => [JSON.stringify(name), valueBy(chance, type, depth)])
  if (chance.once(depth === 0 ? 8 : 24)) members.push(unknownBy(chance))
  if (chance.isOdd && chance.once(10)) members.push(unknownBy(chance))
  if (chance.isOdd && chance.once(12) && members.length > 0) members.push(chance.pick(members))
  if (chance.once(8)) members.sort(() => chance.int(3) - 1)
  const texts = members.map(([name, value]) => `${space()}${name}${space()}:${space()}${value}${space()}`)
  return `${space()}{${texts.join(',')}${texts.length === 0 ? space() : ''}}${space()}`
}

/** Returns a field that most schemas lack, or a name that differs from a column only in its spelling. */
function unknownBy(chance: ValueChance): [string, string] {
  const name = chance.pick([
    '"unknown"',
    '"more"',
    '"extra"',
    '"A"',
    '"Id"',
    '"É"',
    '"\\u0061"',
    '"__proto__"',
    '""',
    '"bad name"',
    '"_rescued_data"',
  ])
  const value = chance.once(2)
    ? chance.pick(['null', 'null', '{}', '[]', '{ }', '[null]', '{"a":null}'])
    : oddBy(chance)
  return [name, value]
}
