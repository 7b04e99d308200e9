import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deriveTableSchema, invalidContractError } from '../../../src/contract/columns/to-table-schema.ts'
import type { PipelineError } from '../../../src/core/errors.ts'
import { columnNameFault, type DataType, type StructType } from '../../../src/core/schema.ts'

function tableSchemaOf(schema: unknown, source = 'contract'): StructType {
  const { type, faults } = deriveTableSchema(schema)
  if (type === undefined) throw invalidContractError(faults, source)
  return type
}

const typeOf = (property: unknown, rest: object = {}): DataType | undefined =>
  tableSchemaOf({ type: 'object', properties: { a: property }, ...rest }).fields[0]?.type

const faultsOf = (property: unknown, rest: object = {}): string[] =>
  deriveTableSchema({ type: 'object', properties: { a: property }, ...rest }).faults.map(
    ({ at, message }) => `${at}: ${message}`,
  )

const mapped: [string, unknown, DataType][] = [
  ['string', { type: 'string' }, 'string'],
  ['integer', { type: 'integer' }, 'long'],
  ['number', { type: 'number' }, 'double'],
  ['number or integer', { type: ['number', 'integer'] }, 'double'],
  ['boolean', { type: 'boolean' }, 'boolean'],
  ['date-time', { type: 'string', format: 'date-time' }, 'timestamp'],
  ['date', { type: 'string', format: 'date' }, 'date'],
  ['another format', { type: 'string', format: 'uuid' }, 'string'],
  ['base64', { type: 'string', contentEncoding: 'base64' }, 'binary'],
  ['a null union by type', { type: ['integer', 'null'] }, 'long'],
  ['a null union by anyOf', { anyOf: [{ type: 'null' }, { type: 'number' }] }, 'double'],
  ['a null union by oneOf', { oneOf: [{ type: 'string', format: 'date' }, { const: null }] }, 'date'],
  ['alternatives of one type', { anyOf: [{ enum: ['a'] }, { type: 'string', pattern: '^x' }] }, 'string'],
  ['alternatives without types', { type: 'integer', anyOf: [{ minimum: 5 }, { maximum: 1 }] }, 'long'],
  ['enum of texts', { enum: ['a', 'b', null] }, 'string'],
  ['enum of integers', { enum: [1, 2] }, 'long'],
  ['enum of numbers', { enum: [1, 2.5] }, 'double'],
  ['const', { const: true }, 'boolean'],
  ['allOf', { allOf: [{ type: ['integer', 'string'] }, { type: 'integer', minimum: 1 }] }, 'long'],
  ['named decimal', { type: 'number', 'x-delta-type': 'decimal(18, 2)' }, 'decimal(18,2)'],
  [
    'decimal from text or number',
    { type: ['string', 'number', 'null'], 'x-delta-type': 'decimal(38,38)' },
    'decimal(38,38)',
  ],
  [
    'text for different alternatives',
    {
      'x-delta-type': 'string',
      oneOf: [
        { type: 'object', properties: { b: { type: 'string' } } },
        { type: 'integer' },
        { type: 'null' },
      ],
    },
    'string',
  ],
  [
    'text for alternatives of text',
    { 'x-delta-type': 'string', anyOf: [{ const: 'a' }, { minLength: 3 }] },
    'string',
  ],
  ['named alone', { 'x-delta-type': 'long' }, 'long'],
  ['named timestamp_ntz', { type: 'string', 'x-delta-type': 'timestamp_ntz' }, 'timestamp_ntz'],
  ['named short', { type: 'integer', 'x-delta-type': 'short' }, 'short'],
  [
    'array',
    { type: 'array', items: { type: ['string', 'null'] } },
    { type: 'array', elementType: 'string', containsNull: true },
  ],
  [
    'map',
    { type: 'object', additionalProperties: { type: 'integer' } },
    { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true },
  ],
  [
    'struct',
    { type: 'object', properties: { b: { type: 'string' } }, required: ['b'] },
    { type: 'struct', fields: [{ name: 'b', type: 'string', nullable: true, metadata: {} }] },
  ],
]

for (const [name, property, expected] of mapped) {
  test(`${name} maps to its column type`, () => {
    assert.deepEqual(typeOf(property), expected)
  })
}

test("references to $defs and definitions are followed, including escapes and the document's own $id", () => {
  const defs = { $id: 'https://a.b/s.json', $defs: { 'a/b ~': { type: 'integer' } } }
  assert.equal(typeOf({ $ref: '#/$defs/a~1b%20~0' }, defs), 'long')
  assert.equal(typeOf({ $ref: 'https://a.b/s.json#/$defs/a~1b%20~0' }, defs), 'long')
  const chain = { definitions: { x: { $ref: '#/definitions/y' }, y: { type: 'boolean' } } }
  assert.equal(typeOf({ $ref: '#/definitions/x' }, chain), 'boolean')
})

test('one definition used by two properties is not a recursion', () => {
  const schema = tableSchemaOf({
    type: 'object',
    properties: { a: { $ref: '#/$defs/x' }, b: { $ref: '#/$defs/x' } },
    $defs: { x: { type: 'object', properties: { c: { type: 'string' } } } },
  })
  assert.equal(schema.fields.length, 2)
  assert.deepEqual(schema.fields[0]?.type, schema.fields[1]?.type)
})

test('properties of allOf and of the schema itself are merged in order', () => {
  const schema = tableSchemaOf({
    allOf: [{ $ref: '#/$defs/base' }, { properties: { c: { type: 'string' } } }],
    properties: { a: { minimum: 3 } },
    $defs: { base: { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'boolean' } } } },
  })
  assert.deepEqual(
    schema.fields.map(({ name, type }) => `${name} ${JSON.stringify(type)}`),
    ['a "long"', 'b "boolean"', 'c "string"'],
  )
})

const refused: [string, unknown, object, RegExp][] = [
  [
    'a mixed union',
    { type: ['string', 'integer'] },
    {},
    /^\/properties\/a: mixes the types string and integer/,
  ],
  [
    'different alternatives',
    { oneOf: [{ type: 'string' }, { type: 'integer' }] },
    {},
    /^\/properties\/a\/oneOf: /,
  ],
  [
    'another type than text for different alternatives',
    { 'x-delta-type': 'long', oneOf: [{ type: 'string' }, { type: 'integer' }] },
    {},
    /^\/properties\/a\/oneOf: /,
  ],
  [
    'text for different alternatives beside a type',
    { type: 'string', 'x-delta-type': 'string', oneOf: [{ type: 'string' }, { type: 'integer' }] },
    {},
    /^\/properties\/a\/oneOf: /,
  ],
  ['no type', {}, {}, /^\/properties\/a: has no type/],
  ['true', true, {}, /^\/properties\/a: has no type/],
  ['null alone', { type: 'null' }, {}, /^\/properties\/a: has no type/],
  ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }] }, {}, /^\/properties\/a: .*tuple/],
  ['a draft-07 tuple', { type: 'array', items: [{ type: 'string' }] }, {}, /^\/properties\/a: .*tuple/],
  ['an array of anything', { type: 'array' }, {}, /^\/properties\/a: an array needs/],
  ['an object of anything', { type: 'object' }, {}, /^\/properties\/a: an object needs/],
  [
    'properties by pattern',
    { type: 'object', patternProperties: { '^x': { type: 'string' } } },
    {},
    /^\/properties\/a\/patternProperties: /,
  ],
  [
    'struct and map at once',
    { type: 'object', properties: { b: { type: 'string' } }, additionalProperties: { type: 'string' } },
    {},
    /^\/properties\/a: .*struct or a map/,
  ],
  [
    'a recursion',
    { $ref: '#/$defs/n' },
    { $defs: { n: { type: 'object', properties: { next: { $ref: '#/$defs/n' } } } } },
    /^\/\$defs\/n\/properties\/next\/\$ref: #\/\$defs\/n refers to itself/,
  ],
  ['a recursion to the root', { $ref: '#' }, {}, /# refers to itself/],
  ['another file', { $ref: 'https://a.b/c.json' }, {}, /nor in a file next to it; nothing is fetched/],
  ['nothing', { $ref: '#/$defs/none' }, {}, /is not in this file/],
  [
    'an unknown Delta type',
    { 'x-delta-type': 'varchar' },
    {},
    /\/x-delta-type: "varchar" is not a primitive/,
  ],
  ['a decimal too wide', { 'x-delta-type': 'decimal(39,2)' }, {}, /is not a primitive/],
  ['a decimal with scale over precision', { 'x-delta-type': 'decimal(3,4)' }, {}, /is not a primitive/],
  [
    'a Delta type that does not fit',
    { type: 'string', 'x-delta-type': 'long' },
    {},
    /a column of type long cannot hold a JSON string/,
  ],
]

for (const [name, property, rest, message] of refused) {
  test(`${name} is refused with its location`, () => {
    const faults = faultsOf(property, rest)
    assert.equal(faults.length, 1, faults.join('\n'))
    assert.match(faults[0] ?? '', message)
  })
}

test('column names that Delta refuses, or that differ only by case, are refused by name', () => {
  const names = ['a b', 'a,b', 'a;b', 'a{', 'a}', 'a(', 'a)', 'a\nb', 'a\tb', 'a=b', '', '\ud800', 'x\udc00']
  for (const name of names) {
    const { faults } = deriveTableSchema({ type: 'object', properties: { [name]: { type: 'string' } } })
    assert.deepEqual(
      faults.map(({ message }) => message),
      [`${JSON.stringify(name)} cannot be a column name: it ${columnNameFault(name) ?? ''}`],
    )
    const inner = { type: 'object', properties: { [name]: { type: 'string' } } }
    const nested = deriveTableSchema({
      type: 'object',
      properties: { a: { type: 'array', items: inner }, m: { additionalProperties: inner } },
    })
    assert.equal(nested.faults.length, 2)
  }
  const proto = deriveTableSchema(
    JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'),
  )
  assert.match(proto.faults[0]?.message ?? '', /"__proto__" cannot be a column name/)
  const twice = deriveTableSchema({
    type: 'object',
    properties: { Id: { type: 'string' }, id: { type: 'string' } },
  })
  assert.match(twice.faults[0]?.message ?? '', /"id" and "Id" differ only by case/)
})

test('all faults are listed in one error, with the source', () => {
  assert.throws(
    () => tableSchemaOf({ type: 'object', properties: { a: {}, b: { type: 'array' } } }, 'x.json'),
    (error: PipelineError) =>
      error.code === 'KD_CONTRACT_INVALID' &&
      error.message.includes('/properties/a: ') &&
      error.message.includes('/properties/b: ') &&
      error.message.includes('x.json'),
  )
})

test('a contract that is not an object with properties is refused', () => {
  for (const json of [
    null,
    5,
    'x',
    [],
    {},
    { type: 'string' },
    { type: 'array', items: { type: 'string' } },
  ]) {
    assert.equal(deriveTableSchema(json).type, undefined)
    assert.ok(deriveTableSchema(json).faults.length > 0)
  }
  assert.match(
    deriveTableSchema({ type: 'object', additionalProperties: { type: 'string' } }).faults[0]?.message ?? '',
    /a row is an object with properties/,
  )
})
