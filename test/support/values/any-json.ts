import type { Chance } from './chance.ts'

/** Names that readers, JavaScript or Delta treat in a way of their own. */
const ODD_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'a.b',
  '.',
  'a.',
  '"quoted"',
  '`tick`',
  "it's",
  'with space',
  'a,b',
  'a=b',
  '',
  '\u0000',
  'nul\u0000l',
  '\ufeffmark',
  'new\nline',
  'tab\t',
  'a/b',
  'a\\b',
  '%41',
  '😀',
  'é',
  'e\u0301',
  'İ',
  'ſ',
  'ß',
  '\u212a',
  '\ud800',
  'x\udc00',
  '\ude00\ud83d',
  'filename',
  'element',
  'key_value',
  'list',
  'rowid',
  'file_row_number',
  '_metadata',
  '_rescued_data',
  '_change_type',
  'select',
  'NULL',
  '1',
  '-',
  '*',
  '#',
  '$',
]
const PLAIN_NAMES = ['a', 'A', 'b', 'id', 'Id', 'value', 'Value', 'x1']

/** Text of any UTF-16 code units, halves of surrogate pairs included. */
export function anyText(chance: Chance, lengthMax = 12): string {
  const length = chance.once(200) ? 3_000 : chance.int(lengthMax + 1)
  const kind = chance.int(6)
  let text = ''
  while (text.length < length)
    if (kind < 3) text += String.fromCharCode(0x20 + chance.int(0x5f))
    else if (kind < 5) text += String.fromCodePoint(anyCodePoint(chance))
    else text += String.fromCharCode(chance.once(3) ? 0xd800 + chance.int(0x800) : chance.int(0x1_0000))
  return text
}

function anyCodePoint(chance: Chance): number {
  const point = chance.once(2) ? chance.int(0x300) : chance.int(0x11_0000)
  return point >= 0xd800 && point < 0xe000 ? 0x1f600 : point
}

function anyName(chance: Chance): string {
  switch (chance.int(8)) {
    case 0:
      return anyText(chance, 6)
    case 1:
      return chance.pick(ODD_NAMES)
    case 2:
      return chance.pick(['n', 'ü', '😀']).repeat(300).slice(0, 300)
    default:
      return chance.pick(PLAIN_NAMES) + (chance.once(2) ? '' : String(chance.int(9)))
  }
}

/** Names of the fields of one topic, each with the kind of value that it mostly has. */
export type Fields = readonly { readonly name: string; readonly value: (chance: Chance) => string }[]

/** Returns the fields of a topic. */
export function anyFields(chance: Chance, depth = 0): Fields {
  return Array.from({ length: 1 + chance.int(depth === 0 ? 10 : 4) }, () => ({
    name: anyName(chance),
    value: kindOf(chance, depth),
  }))
}

function kindOf(chance: Chance, depth: number): (chance: Chance) => string {
  const kind = chance.int(depth >= 3 ? 6 : 9)
  if (kind < 6) return SCALARS[kind] as (chance: Chance) => string
  if (kind === 6) {
    const inner = kindOf(chance, depth + 1)
    return (each) => `[${Array.from({ length: each.int(4) }, () => inner(each)).join(',')}]`
  }
  if (kind === 7) {
    const fields = anyFields(chance, depth + 1)
    return (each) => anyObject(each, fields)
  }
  return (each) => anyJson(each, depth + 1)
}

const text = (chance: Chance): string => JSON.stringify(anyText(chance))
const SCALARS: readonly ((chance: Chance) => string)[] = [
  (chance) => String(chance.int(1000) - 500),
  (chance) => `${chance.int(1000)}.${chance.int(100)}`,
  text,
  text,
  (chance) => String(chance.once(2)),
  (chance) => chance.pick(NUMBERS),
]

/** Numbers at the bounds of the types, in the ways in which JSON writes them. */
const NUMBERS = [
  '0',
  '1.0',
  '2.5',
  '1e3',
  '1E-3',
  '-1.5e+2',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '123456789012345678901234567890',
  '0.1',
  '0.1000000000000000055511151231257827',
  '3.141592653589793238462643',
  '1.7976931348623157e308',
  '5e-324',
  '1e400',
  '4e-400',
]

/** Returns the JSON text of any value. */
export function anyJson(chance: Chance, depth: number): string {
  const kind = chance.int(depth >= 4 ? 5 : 8)
  if (kind === 0) return 'null'
  if (kind < 5) return chance.pick(SCALARS)(chance)
  if (kind === 5)
    return `[${Array.from({ length: chance.int(4) }, () => anyJson(chance, depth + 1)).join(',')}]`
  if (kind === 6 && chance.once(10)) return deep(chance.pick([7, 8, 9, 60]))
  return anyObject(chance, anyFields(chance, depth + 1))
}

const deep = (levels: number): string => `${'{"d":['.repeat(levels)}1${']}'.repeat(levels)}`

/** Returns the JSON text of an object that has some of the fields, mostly with the values that they usually have. */
export function anyObject(chance: Chance, fields: Fields): string {
  const members = fields.flatMap(({ name, value }) => {
    if (chance.once(5)) return []
    const json = chance.once(20) ? 'null' : chance.once(40) ? anyJson(chance, 2) : value(chance)
    return [`${JSON.stringify(name)}:${json}`]
  })
  return `{${members.join(',')}}`
}
