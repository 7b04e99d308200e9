import fc from 'fast-check'
import protobuf from 'protobufjs'
import { decimalText } from '../../../src/arrow/decimal.ts'
import { formatDateTime } from '../../../src/arrow/time.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import { longValue } from './values.ts'

/** A generated type: its name, what declares it, and values as protobufjs takes them beside what a table must hold. */
interface Generated {
  readonly type: string
  readonly declared: string
  readonly value: fc.Arbitrary<Pair>
  /** What a row has where presence is not told; absent for messages. */
  readonly blank?: unknown
}
/** What goes in, and what must come out. */
type Pair = readonly [proto: unknown, row: unknown]

/** Fields of a message that are generated together; numbers are dealt to `NUMBER`. */
interface Member {
  readonly text: string
  readonly value: fc.Arbitrary<readonly [proto: object, row: object]>
}
type Syntax = 'proto2' | 'proto3'

const WELL_KNOWN = ['timestamp', 'duration', 'wrappers', 'struct', 'any', 'empty', 'field_mask'].map(
  (name) => `google/protobuf/${name}.proto`,
)

/** The encoder of another library for a message of a file that imports nothing but well-known types. */
export function protoEncoderOf(text: string, message: string): (value: object) => Buffer {
  const root = new protobuf.Root()
  for (const name of WELL_KNOWN) root.addJSON(protobuf.common.get(name)?.nested ?? {})
  protobuf.parse(text, root, { keepCase: true })
  const type = root.resolveAll().lookupType(message)
  return (value) => Buffer.from(type.encode(type.fromObject(value)).finish())
}

const LONG_MIN = -(2n ** 63n)
const LONG_MAX = 2n ** 63n - 1n
const floats = { noNaN: true, noDefaultInfinity: true }
// A mark at the start of a text is lost in DuckDB's client, not in the file.
const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.startsWith('\uFEFF'))
const uint32 = fc.nat(0xffff_ffff)
const longs = fc.oneof(fc.bigInt({ min: LONG_MIN, max: LONG_MAX }), fc.bigInt({ min: -300n, max: 300n }))
const ulongs = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 300n }))

const scalar = (type: string, value: fc.Arbitrary<Pair>, blank: unknown): Generated => ({
  type,
  declared: '',
  value,
  blank,
})
const same = (type: string, value: fc.Arbitrary<unknown>, blank: unknown = 0): Generated =>
  scalar(
    type,
    value.map((each): Pair => [each, each]),
    blank,
  )
const long = (type: string): Generated =>
  scalar(
    type,
    longs.map((each): Pair => [String(each), longValue(each)]),
    0,
  )
const ulong = (type: string): Generated =>
  scalar(
    type,
    ulongs.map((each): Pair => [String(each), new ExactNumber(String(each))]),
    new ExactNumber('0'),
  )

const bytes = scalar(
  'bytes',
  fc
    .uint8Array({ maxLength: 20 })
    .map((each): Pair => [Buffer.from(each), Buffer.from(each).toString('base64')]),
  '',
)

const SCALARS: readonly Generated[] = [
  same('bool', fc.boolean(), false),
  same('int32', fc.integer()),
  same('sint32', fc.integer()),
  same('sfixed32', fc.integer()),
  same('uint32', uint32),
  same('fixed32', uint32),
  long('int64'),
  long('sint64'),
  long('sfixed64'),
  ulong('uint64'),
  ulong('fixed64'),
  same('float', fc.float(floats)),
  same('double', fc.double(floats)),
  same('string', text, ''),
  bytes,
]

const message = (type: string, value: fc.Arbitrary<Pair>): Generated => ({ type, declared: '', value })
const seconds = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 })
const nanos = fc.nat(999_999_999)
const WELL_KNOWN_TYPES: readonly Generated[] = [
  message(
    'google.protobuf.Timestamp',
    fc
      .tuple(seconds, nanos)
      .map(([s, n]) => [
        { seconds: s, nanos: n },
        formatDateTime(BigInt(s) * 1_000_000n + BigInt(Math.floor(n / 1000)), true),
      ]),
  ),
  message(
    'google.protobuf.Duration',
    fc
      .tuple(fc.nat(315_576_000_000), nanos, fc.constantFrom(1, -1))
      .map(([s, n, sign]) => [
        { seconds: s * sign, nanos: n * sign },
        new ExactNumber(decimalText((BigInt(s) * 1_000_000_000n + BigInt(n)) * BigInt(sign), 9)),
      ]),
  ),
  message(
    'google.protobuf.Int64Value',
    longs.map((each) => [{ value: String(each) }, longValue(each)]),
  ),
  message(
    'google.protobuf.StringValue',
    text.map((each) => [{ value: each }, each]),
  ),
  message(
    'google.protobuf.BoolValue',
    fc.boolean().map((each) => [{ value: each }, each]),
  ),
  message('google.protobuf.Empty', fc.constant([{}, true])),
  message(
    'google.protobuf.Struct',
    fc
      .dictionary(
        text.filter((key) => key !== '__proto__'),
        fc.oneof(fc.boolean(), text, fc.integer(), fc.constant(null)),
        { maxKeys: 3, noNullPrototype: true },
      )
      .map((each) => [
        { fields: Object.fromEntries(Object.entries(each).map(([key, inner]) => [key, jsonValue(inner)])) },
        JSON.stringify(each),
      ]),
  ),
]

function jsonValue(value: boolean | string | number | null): object {
  if (typeof value === 'boolean') return { boolValue: value, bool_value: value }
  if (typeof value === 'string') return { stringValue: value, string_value: value }
  if (typeof value === 'number') return { numberValue: value, number_value: value }
  return { nullValue: 0, null_value: 0 }
}

let names = 0
/** A name that no other type of the process has. */
const fresh = (prefix: string): string => `${prefix}${names++}`

function enumOf(values: readonly number[], syntax: Syntax): Generated {
  const name = fresh('E')
  const known = [0, ...values]
  const symbols = known.map((value, i) => `${name}_${i} = ${value};`)
  // Of a number without a name only its digits are known.
  const number =
    syntax === 'proto3' ? fc.oneof(fc.constantFrom(...known), fc.integer()) : fc.constantFrom(...known)
  const rowOf = (value: number): string => {
    const index = known.indexOf(value)
    return index < 0 ? String(value) : `${name}_${index}`
  }
  return {
    type: name,
    declared: `enum ${name} { ${symbols.join(' ')} }`,
    value: number.map((each) => [each, rowOf(each)]),
    blank: `${name}_0`,
  }
}

const leafOf = (syntax: Syntax): fc.Arbitrary<Generated> =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...SCALARS), weight: 5 },
    { arbitrary: fc.constantFrom(...WELL_KNOWN_TYPES), weight: 2 },
    fc
      .uniqueArray(
        fc.integer({ min: -5, max: 1_000_000 }).filter((each) => each !== 0),
        { maxLength: 3 },
      )
      .map((values) => enumOf(values, syntax)),
  )

const fieldName = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/).filter((name) => !RESERVED.has(name))
/** Words that protobufjs's parser takes for the start of something else, or its objects for their own. */
const RESERVED = new Set([
  'oneof',
  'option',
  'map',
  'group',
  'message',
  'enum',
  'extend',
  'reserved',
  'constructor',
])

/** One field of one name; where it is left out, a row has null, or the default where presence is not told. */
function single(
  name: string,
  { type, declared, value, blank }: Generated,
  syntax: Syntax,
  told: boolean,
): Member {
  const label = syntax === 'proto2' || (told && blank !== undefined) ? 'optional ' : ''
  const absent = syntax === 'proto3' && !told && blank !== undefined ? blank : null
  return {
    text: `${declared} ${label}${type} ${name} = NUMBER;`,
    value: fc.option(value, { nil: undefined }).map((pair) => {
      if (pair === undefined) return [{}, { [name]: absent }]
      return [{ [name]: pair[0] }, { [name]: pair[1] }]
    }),
  }
}

function many(name: string, { type, declared, value }: Generated, packed: boolean | undefined): Member {
  const option = packed === undefined || !PACKABLE.test(type) ? '' : ` [packed = ${packed}]`
  return {
    text: `${declared} repeated ${type} ${name} = NUMBER${option};`,
    value: fc
      .array(value, { maxLength: 4 })
      .map((pairs) => [{ [name]: pairs.map(([p]) => p) }, { [name]: pairs.map(([, r]) => r) }]),
  }
}
const PACKABLE = /^(?:bool|float|double|s?u?int(?:32|64)|s?fixed(?:32|64))$/

function mapped(name: string, key: Generated, { type, declared, value }: Generated): Member {
  const keys = key.value.map(([, row]) => (row instanceof ExactNumber ? row.text : String(row)))
  const entries = fc.uniqueArray(
    fc.tuple(
      keys.filter((each) => each !== '__proto__'),
      value,
    ),
    { maxLength: 4, selector: ([each]) => each },
  )
  return {
    text: `${declared} map<${key.type}, ${type}> ${name} = NUMBER;`,
    value: entries.map((each) => [
      { [name]: Object.fromEntries(each.map(([k, [p]]) => [k, p])) },
      { [name]: Object.fromEntries(each.map(([k, [, r]]) => [k, r])) },
    ]),
  }
}

/** Fields of which at most one is there. */
function oneOf(name: string, members: readonly (readonly [string, Generated])[]): Member {
  const nulls = Object.fromEntries(members.map(([each]) => [each, null]))
  const lines = members.map(([each, { type }]) => `${type} ${each} = NUMBER;`)
  return {
    text: `${members.map(([, { declared }]) => declared).join(' ')} oneof ${name} { ${lines.join(' ')} }`,
    value: fc.oneof(
      fc.constant([{}, nulls] as const),
      ...members.map(([each, { value }]) =>
        value.map(([p, r]) => [{ [each]: p }, { ...nulls, [each]: r }] as const),
      ),
    ),
  }
}

function messageOf(members: readonly Member[]): Generated {
  const name = fresh('M')
  let number = 0
  // Also numbers whose tags take two bytes.
  const body = members.map((member) => member.text.replaceAll('NUMBER', () => String((number += 7))))
  return {
    type: name,
    declared: `message ${name} { ${body.join('\n')} }`,
    value: fc
      .tuple(...members.map(({ value }) => value))
      .map((pairs) => [
        Object.assign({}, ...pairs.map(([p]) => p)) as object,
        Object.assign({}, ...pairs.map(([, r]) => r)) as object,
      ]),
  }
}

const KEYS = SCALARS.filter(({ type }) => /^(?:bool|string|u?int64|sfixed32)$/.test(type))

/** The message in the file, with `required` and `group` where the syntax has them. */
function anyMessage(syntax: Syntax): fc.Arbitrary<Generated> {
  const leaf = leafOf(syntax)
  const { outer } = fc.letrec<{ any: Generated; outer: Generated; member: Member }>((tie) => ({
    any: fc.oneof({ maxDepth: 2, depthIdentifier: 'proto' }, leaf, tie('outer')),
    member: fc.oneof(
      fc.tuple(fieldName, tie('any'), fc.boolean()).map(([name, of, told]) => single(name, of, syntax, told)),
      fc
        .tuple(fieldName, tie('any'), fc.constantFrom(undefined, true, false))
        .map(([name, of, packed]) => many(name, of, packed)),
      fc
        .tuple(fieldName, fc.constantFrom(...KEYS), tie('any'))
        .map(([name, key, of]) => mapped(name, key, of)),
      fc
        .tuple(
          fieldName,
          fc.uniqueArray(fc.tuple(fieldName, leaf), {
            minLength: 1,
            maxLength: 3,
            selector: ([name]) => name,
          }),
        )
        .map(([name, members]) => oneOf(`of_${name}`, members)),
    ),
    outer: fc
      .array(tie('member'), { minLength: 1, maxLength: 4 })
      .map((members) => messageOf(withoutTwins(members))),
  }))
  return outer
}

/** Members whose names are there already are left out. */
function withoutTwins(members: readonly Member[]): Member[] {
  const seen = new Set<string>()
  return members.filter(({ text: line }) => {
    const named = [...line.matchAll(/(\w+) = NUMBER|oneof (\w+)/g)].map((match) => match[1] ?? match[2] ?? '')
    const twin = named.some((name) => seen.has(name))
    if (!twin) for (const name of named) seen.add(name)
    return !twin
  })
}

/** A file whose message `message` has these values, at most `pairsMax`, as protobufjs takes them beside their rows. */
export const messagesOf = (
  pairsMax: number,
): fc.Arbitrary<{
  readonly text: string
  readonly message: string
  readonly pairs: readonly Pair[]
}> =>
  fc
    .constantFrom<Syntax>('proto2', 'proto3')
    .chain((syntax) => anyMessage(syntax).map((generated) => ({ syntax, generated })))
    .chain(({ syntax, generated: { type, declared, value } }) =>
      fc.array(value, { minLength: 1, maxLength: pairsMax, size: 'max' }).map((pairs) => ({
        text: [
          `syntax = "${syntax}"; package generated;`,
          ...WELL_KNOWN.map((name) => `import "${name}";`),
          declared,
        ].join('\n'),
        message: `generated.${type}`,
        pairs,
      })),
    )

/** A file with a few values. */
export const messagesOfAnyType = messagesOf(10)
