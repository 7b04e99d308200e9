/** Random JSON Schemas over the keywords with a plain form, and values for them. */

export type Random = () => number

export const pick = <T>(random: Random, list: readonly T[]): T => list[random() % list.length] as T
const chance = (random: Random, one: number): boolean => random() % one === 0

/** The kinds of columns that are generated. */
export type Kind = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array' | 'map'

const STRINGS = [
  '',
  'a',
  'ab',
  'abc',
  'AB-12',
  'ü',
  '😀',
  'é1',
  'x@y.com',
  'no-reply@mail.example.org',
  '2024-02-29',
  '2024-02-30',
  '2024-02-29T12:00:00Z',
  '2024-02-29T12:00:00.25Z',
  '2024-02-29t12:00:00+02:00',
  '12:00:00Z',
  '23:59:60Z',
  '1.2.3.4',
  '256.1.1.1',
  '::1',
  '2001:db8::8a2e:370:7334',
  'example.com',
  'a-b.example',
  '-bad.com',
  'https://example.com/a?b=c#d',
  'http://[::1]/',
  'urn:x:y',
  'not a uri',
  '123e4567-e89b-12d3-a456-426614174000',
  '123E4567-E89B-12D3-A456-42661417400',
  'P1D',
  '/a/b',
  'a\\b',
  'say "hi"',
  'null',
  '1',
  'AAAA',
  'a\n',
  'toString',
]
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  5,
  10,
  100,
  0.1,
  0.3,
  0.5,
  1.5,
  2.5,
  -7,
  1e3,
  1e-7,
  1e21,
  1e22,
  2 ** 31,
  2 ** 53,
  12345.67,
]
const PATTERNS = [
  '^[A-Z]{2}-\\d+$',
  'a',
  '^a',
  'b$',
  '^.{1,3}$',
  '^(a|ab)(c|bcd)?$',
  '^[^a]*$',
  '\\w+@\\w+',
  '^\\p{L}+$',
  '^a|b$',
  '^(?=a).*$',
  'é',
  '^\\S+$',
  '^[a-z0-9-]+(\\.[a-z0-9-]+)*$',
  '\\.',
  '^$',
  '[\\u0041-\\u005a]',
  '(ab)+',
  '^😀?a*$',
]
const FORMATS = [
  'date',
  'date-time',
  'time',
  'uuid',
  'email',
  'uri',
  'uri-reference',
  'ipv4',
  'ipv6',
  'hostname',
  'duration',
  'json-pointer',
  'regex',
  'byte',
  'password',
  'int32',
  'double',
  'iso-time',
  'uri-template',
]
export const NAMES = ['a', 'b', 'c', 'd', 'constructor']

/** Returns a schema for a value of this kind, with some rules. */
export function schemaOf(random: Random, kind: Kind, depth: number): object {
  const type = kind === 'map' ? 'object' : kind
  const nullable = chance(random, 4)
  // Many rules at once accept nothing.
  const isFree = chance(random, 2)
  return {
    type: nullable ? [type, 'null'] : type,
    ...partsOf(random, kind, depth),
    ...(isFree ? {} : rulesOf(random, kind, depth)),
  }
}

function partsOf(random: Random, kind: Kind, depth: number): object {
  if (kind === 'array') return { items: schemaOf(random, innerKind(random, depth + 1), depth + 1) }
  if (kind === 'map')
    return { additionalProperties: schemaOf(random, innerKind(random, depth + 1), depth + 1) }
  if (kind !== 'object') return {}
  const names = NAMES.slice(0, 1 + (random() % 4))
  return {
    properties: Object.fromEntries(
      names.map((name) => [name, schemaOf(random, innerKind(random, depth + 1), depth + 1)]),
    ),
    ...(chance(random, 3) ? { required: names.filter(() => chance(random, 2)) } : {}),
    ...(chance(random, 4) ? { additionalProperties: false } : {}),
  }
}

function innerKind(random: Random, depth: number): Kind {
  const scalars: Kind[] = ['string', 'string', 'integer', 'number', 'boolean']
  return pick(random, depth > 2 ? scalars : [...scalars, 'object', 'array', 'map'])
}

/** Returns rules for values of a kind, also in combinations. */
function rulesOf(random: Random, kind: Kind, depth: number): object {
  const rules: Record<string, unknown> = {}
  for (let count = 1 + (random() % 2); count > 0; count--) Object.assign(rules, ruleOf(random, kind, depth))
  if (chance(random, 6)) {
    const inner = (): object => rulesOf(random, kind, depth + 3)
    const lists = { allOf: [inner()], anyOf: [inner(), inner()], oneOf: [inner(), inner()] }
    const key = pick(random, ['allOf', 'anyOf', 'oneOf', 'not', 'if'] as const)
    if (key === 'not') rules['not'] = inner()
    else if (key === 'if') Object.assign(rules, { if: inner(), then: inner(), else: inner() })
    else rules[key] = lists[key]
  }
  return rules
}

function ruleOf(random: Random, kind: Kind, depth: number): object {
  const small = random() % 4
  switch (kind) {
    case 'string':
      return pick(random, [
        () => ({ minLength: small }),
        () => ({ maxLength: small + 1 }),
        () => ({ pattern: pick(random, PATTERNS) }),
        () => ({
          format: pick(
            random,
            FORMATS.filter((name) => depth < 9 && name !== 'date' && name !== 'date-time'),
          ),
        }),
        () => ({ 'x-delta-type': 'string', format: pick(random, ['date', 'date-time']) }),
        () => ({ const: pick(random, STRINGS) }),
        () => ({
          enum: [
            pick(random, STRINGS),
            pick(random, STRINGS),
            ...(small === 0 ? [null] : small === 1 ? [1] : []),
          ],
        }),
      ])()
    case 'integer':
    case 'number':
      return pick(random, [
        () => ({ minimum: pick(random, NUMBERS) }),
        () => ({ maximum: pick(random, NUMBERS) }),
        () => ({ exclusiveMinimum: pick(random, NUMBERS) }),
        () => ({ exclusiveMaximum: pick(random, NUMBERS) }),
        () => ({ multipleOf: pick(random, [1, 2, 3, 0.1, 0.01, 1e-8, 5]) }),
        () => ({ enum: [pick(random, NUMBERS), pick(random, NUMBERS), 'x'] }),
        () => ({ format: pick(random, ['int32', 'int64', 'double']) }),
      ])()
    case 'boolean':
      return { const: small < 2 }
    case 'array':
      return pick(random, [{ minItems: small }, { maxItems: small }, { uniqueItems: true }])
    case 'object':
    case 'map':
      return objectRule(random, small)
  }
}

function objectRule(random: Random, small: number): object {
  const [one, two] = [pick(random, NAMES), pick(random, NAMES)]
  const constant = {
    properties: { [one]: { const: pick<unknown>(random, [...STRINGS, ...NUMBERS, true, null]) } },
  }
  return pick(random, [
    { minProperties: small },
    { maxProperties: small + 1 },
    { propertyNames: { pattern: pick(random, ['^[a-c]', '^.$', 'z']) } },
    { dependentRequired: { [one]: [two] } },
    { dependencies: { [one]: [two], [two]: { minProperties: small } } },
    { anyOf: [{ required: [one] }, { required: [two] }] },
    { oneOf: [{ required: [one] }, { required: [two] }] },
    { if: { ...constant, required: [one] }, then: { required: [two] }, else: { maxProperties: 4 } },
    { not: { required: [one, two] } },
    { allOf: [constant] },
    { allOf: [{ required: [one] }] },
  ])
}

/** Returns a value that mostly has the kind of the schema. */
export function valueOf(random: Random, schema: unknown, odd: number): unknown {
  const { type, items, properties, additionalProperties, required } = schema as {
    type?: unknown
    items?: unknown
    properties?: Record<string, unknown>
    additionalProperties?: unknown
    required?: string[]
  }
  const types = [type].flat()
  if (types.includes('null') && chance(random, 5)) return null
  if (odd > 0 && chance(random, odd))
    return pick<unknown>(random, [null, 1, 'x', true, [], {}, [1], { a: 1 }, 1.5])
  switch (types[0]) {
    case 'string': {
      const { const: only, enum: listed } = schema as { const?: unknown; enum?: unknown[] }
      if (typeof only === 'string' && !chance(random, 3)) return only
      if (typeof listed?.[0] === 'string' && !chance(random, 3)) return listed[0]
      return pick(random, STRINGS)
    }
    case 'integer':
      return pick(
        random,
        NUMBERS.filter((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 62),
      )
    case 'number':
      return pick(random, NUMBERS)
    case 'boolean':
      return chance(random, 2)
    case 'array':
      return Array.from({ length: random() % 4 }, () => valueOf(random, items, odd))
    default: {
      if (properties === undefined)
        return Object.fromEntries(
          NAMES.filter(() => chance(random, 2)).map((name) => [
            name,
            valueOf(random, additionalProperties, odd),
          ]),
        )
      const entries = Object.entries(properties)
        .filter(([name]) => !chance(random, required?.includes(name) === true ? 20 : 5))
        .map(([name, inner]): [string, unknown] => [name, valueOf(random, inner, odd)])
      if (odd > 0 && chance(random, 8)) entries.push([pick(random, ['z', ...NAMES]), 1])
      return Object.fromEntries(entries)
    }
  }
}
