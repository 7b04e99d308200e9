import type { Chance } from './chance.ts'

/** A contract that says what bytes alone can prove. */
export const SCHEMA = {
  type: 'object',
  required: ['id', 'at'],
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 8 },
    at: { type: 'string', format: 'date-time' },
    n: { type: 'integer', minimum: -10, exclusiveMaximum: 9007199254740994 },
    big: { type: ['integer', 'null'] },
    d: { type: ['number', 'null'], minimum: 0 },
    x: { type: 'number', exclusiveMinimum: -1e300, maximum: 1e300 },
    tiny: { type: ['integer', 'null'], 'x-delta-type': 'byte' },
    small: { type: 'integer', 'x-delta-type': 'short', minimum: -32768 },
    int: { type: 'integer', 'x-delta-type': 'integer' },
    real: { type: ['number', 'null'], 'x-delta-type': 'float' },
    ok: { type: 'boolean' },
    on: { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] },
    kind: { type: ['string', 'null'], enum: ['a', 'b"c', 'é', null] },
    naïve: { type: 'string' },
    where: {
      type: ['object', 'null'],
      required: ['page'],
      properties: { page: { type: 'string' }, depth: { type: ['integer', 'null'] } },
    },
    strict: { type: 'object', properties: { only: { type: 'boolean' } }, additionalProperties: false },
    tags: { type: 'array', items: { type: ['string', 'null'] } },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['n'],
        properties: { n: { type: 'integer' }, l: { type: 'array', items: { type: 'number' } } },
      },
    },
  },
}
/** Arrays within arrays. */
export const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/** Hostile and plain. */
export const NUMBERS = [
  '0',
  '-0',
  '00',
  '01',
  '-01',
  '1.0',
  '1.',
  '1.5.2',
  '127',
  '128',
  '-128',
  '-129',
  '32767',
  '32768',
  '-32768',
  '-32769',
  '2147483647',
  '2147483648',
  '-2147483648',
  '-2147483649',
  '3.4028234e38',
  '3.4028235677973366e38',
  '3.5e38',
  '-3.5e38',
  '1e-46',
  '16777217',
  '.5',
  '-.5',
  '-',
  '+1',
  '1e3',
  '1E+3',
  '1e',
  '1e+',
  '1e-3',
  '-0.0',
  '0e0',
  '1e400',
  '-1e400',
  '1e-400',
  '123456789012345',
  '1234567890123456',
  '12345678901234567',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '-9223372036854775809',
  '1e300',
  '1.0000000000000001e300',
  '-1e300',
  '0.1',
  '0.12345678901234',
  '0.123456789012345',
  '0.1234567890123456',
  '0.1234567890123456789',
  '123456789.123456',
  '1234567890.123456',
  '5e-324',
  '2.2250738585072011e-308',
  '-10',
  '-11',
  '9007199254740994',
  'NaN',
  'Infinity',
  '-Infinity',
  '0x10',
  '1_000',
  '"5"',
  'true',
  '1 2',
]
/** Hostile and plain. */
export const TIMES = [
  '2026-01-01T00:00:00Z',
  '2026-01-01t00:00:00z',
  '2026-01-01 00:00:00Z',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00.1Z',
  '2026-01-01T00:00:00.123456789Z',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00+01:00',
  '2026-01-01T00:00:00-0130',
  '2026-01-01T00:00:00+01',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T24:00:00Z',
  '2016-12-31T23:59:60Z',
  '2016-12-31T22:59:60-01:00',
  '2026-01-01T12:00:60Z',
  '2026-02-29T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '2024-02-30T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2000-02-29T23:59:59.999999Z',
  '0000-01-01T00:00:00Z',
  '0000-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59.9999999Z',
  '9999-12-31T23:59:59-01:00',
  '10000-01-01T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-1-1T00:00:00Z',
  '1500-01-01T00:00:00.000001Z',
  '2026-01-01T00:00:00Z ',
  '',
  'now',
  '2026-01-01T00:0:00Z',
  '2026-01-01',
  '0000-02-29',
  '9999-12-31',
  '1969-12-31',
  '2026-02-30',
  '٢٠٢٦-٠١-٠١',
  '2026-01-01T00:00:00,5Z',
  '2026/01/01',
]
/** Hostile and plain. */
export const STRINGS = [
  '',
  'a',
  'b\\"c',
  'b\\u0022c',
  'é',
  '\\u00e9',
  '12345678',
  '123456789',
  '🙂🙂🙂🙂🙂🙂🙂🙂',
  '🙂🙂🙂🙂🙂🙂🙂🙂🙂',
  '\\ud83d\\ude42',
  '\\ud83d',
  '\\ude42\\ud83d',
  '\\u0000',
  '\u0000',
  '\n',
  '\\n',
  '\\x',
  '\\u12',
  '\t',
  '\u007f',
  '\u2028',
  '\uFEFFa',
  'a\\',
  '\\/',
  '/',
  '\\\\',
  '\u{10ffff}',
  'null',
]
/** Hostile and plain. */
export const VALUES = [
  'null',
  'nul',
  'nullx',
  'true',
  'false',
  'tru',
  'True',
  '{}',
  '[]',
  '[null]',
  '["a",]',
  '[,]',
  '[1,2]',
  '["a" "b"]',
  '{"page":"p"}',
  '{"page":null}',
  '{"page":"p","depth":5}',
  '{"page":"p","depth":null,"more":[{}]}',
  '{"only":true}',
  '{"only":true,"more":1}',
  '{"page":"p",}',
  '{"page" "p"}',
  '[{"n":1}]',
  '[{"n":1,"l":[]},{"n":2,"l":[1,2.5]}]',
  '[{"n":1,"l":[null]}]',
  '[{"l":[1]}]',
  '[null]',
  '[{"n":1},{"n":"x"}]',
  '[[]]',
  '{"a":{"b":{"c":[1,{"d":"\\u0041"}]}}}',
  deep(63),
  deep(64),
  deep(65),
  deep(10_000),
  `[${'{"a":'.repeat(70)}1${'}'.repeat(70)}]`,
  '[',
  '{',
  '"',
  '""',
  '',
]
/** Hostile and plain. */
export const KEYS = Object.keys(SCHEMA.properties).map((name) => JSON.stringify(name))
/** Hostile and plain. */
export const ODD_KEYS = [
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"unknown"',
  '"\\u0069d"',
  '"i\\u0064"',
  '"na\\u00efve"',
  '"ID"',
  '""',
  '"id "',
  'id',
  '"a\\nb"',
  '"\u0001"',
  "'id'",
]

/** What each key may hold for certain, so that most records are rows. */
const PLAIN: Readonly<Record<string, string>> = {
  '"id"': '"id"',
  '"at"': '"2026-05-05T05:05:05.123456Z"',
  '"ok"': 'true',
  '"on"': '"2024-02-29"',
  '"kind"': 'null',
  '"naïve"': '"text"',
  '"where"': '{"page":"p"}',
  '"strict"': '{}',
  '"tags"': '["a",null]',
  '"items"': '[{"n":1,"l":[0.5]}]',
}

/** The text of a value: often what its key asks for, sometimes anything. */
function valueFor(key: string, chance: Chance): string {
  const quoted = (texts: readonly string[]): string => `"${chance.pick(texts)}"`
  const anything = (): string =>
    chance.pick([chance.pick(NUMBERS), quoted(TIMES), quoted(STRINGS), chance.pick(VALUES)])
  if (!chance.once(6)) return PLAIN[key] ?? '1'
  if (chance.once(3)) return anything()
  const fitting: Readonly<Record<string, () => string>> = {
    '"id"': () => (chance.once(3) ? quoted(STRINGS) : `"${chance.int(100)}"`),
    '"at"': () => (chance.once(2) ? quoted(TIMES) : '"2026-05-05T05:05:05.5Z"'),
    '"n"': () => (chance.once(2) ? chance.pick(NUMBERS) : String(chance.int(1000))),
    '"big"': () => (chance.once(2) ? chance.pick(NUMBERS) : String(chance.int(1000) - 500)),
    '"d"': () => (chance.once(2) ? chance.pick(NUMBERS) : String(chance.int(100_000) / 100)),
    '"x"': () => (chance.once(2) ? chance.pick(NUMBERS) : String((chance.int(1_000_000) - 500_000) / 7)),
    '"ok"': () => chance.pick(['true', 'false', 'null', 'truefalse', '1']),
    '"on"': () => (chance.once(4) ? 'null' : quoted(TIMES)),
    '"kind"': () =>
      chance.pick(['"a"', '"b\\"c"', '"b\\u0022c"', '"é"', '"\\u00e9"', '"A"', 'null', '"a', '5']),
  }
  return fitting[key]?.() ?? (key === '"naïve"' ? quoted(STRINGS) : chance.pick(VALUES))
}

/** A record as text: mostly one of the contract, with every freedom and mistake that JSON allows. */
export function recordBy(chance: Chance): string {
  const space = chance.once(3)
    ? (): string => chance.pick(['', ' ', '\t', '\r\n', '  ', '\n'])
    : (): string => ''
  const keys = ['"id"', '"at"', ...KEYS.slice(2).filter(() => chance.once(3))]
  if (chance.once(12)) keys.splice(chance.int(2), 1)
  if (chance.once(4)) keys.push(chance.pick(ODD_KEYS))
  if (chance.once(6)) keys.push(chance.pick(keys))
  if (chance.once(3)) keys.sort(() => chance.int(3) - 1)
  const members = keys.map((key) => `${space()}${key}${space()}:${space()}${valueFor(key, chance)}${space()}`)
  return `${space()}{${members.join(',')}}${space()}`
}

/** The record, or its bytes with something broken. */
export function mutated(text: string, chance: Chance): Uint8Array | null {
  const bytes = Buffer.from(text)
  switch (chance.int(30)) {
    case 0:
      return bytes.subarray(0, chance.int(bytes.length + 1))
    case 1:
      bytes[chance.int(bytes.length)] = chance.int(128)
      return bytes
    case 2: {
      const at = chance.int(bytes.length)
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(chance.pick([' ', '"', '{', '}', ',', ':', '\\', '0', '.', 'e'])),
        bytes.subarray(at),
      ])
    }
    case 3:
      return Buffer.concat([bytes, Buffer.from(chance.pick(['}', ' x', ',', '\u0000', '{}', ' ', '\uFEFF']))])
    case 4:
      return chance.once(3) ? null : bytes
    default:
      return bytes
  }
}
