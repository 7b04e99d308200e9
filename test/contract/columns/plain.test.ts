import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadContract } from '../../../src/contract/contract.ts'
import type { PlainContract } from '../../../src/contract/columns/plain.ts'

const plainOf = (properties: object, rest: object = {}): PlainContract | undefined =>
  loadContract({ type: 'object', properties, ...rest }, { source: 'test' }).plain

test('an object with typed properties has a plain contract', () => {
  const plain = plainOf(
    {
      id: { type: 'string', minLength: 1, maxLength: 36, description: 'x', 'x-owner': 'y' },
      kind: { type: ['string', 'null'], enum: ['a', 'b', null] },
      n: { type: 'integer', minimum: 0, exclusiveMaximum: 10 },
      d: { anyOf: [{ type: 'number' }, { type: 'null' }] },
      at: { $ref: '#/$defs/at' },
      price: { type: 'number', 'x-delta-type': 'decimal(18,2)' },
      where: { type: 'object', properties: { page: { type: 'string' } }, additionalProperties: false },
      tags: { type: 'array', items: { type: 'string' } },
    },
    { required: ['id', 'n'], $defs: { at: { type: 'string', format: 'date-time' } } },
  )
  assert.deepEqual(
    plain?.fields.map(({ type, ...rest }) => [JSON.stringify(type).slice(0, 20), rest]),
    [
      [
        '"string"',
        { name: 'id', required: true, json: 'string', minLength: 1, maxLength: 36, nullable: false },
      ],
      ['"string"', { name: 'kind', required: false, json: 'string', nullable: true, enum: ['a', 'b'] }],
      [
        '"long"',
        { name: 'n', required: true, json: 'integer', minimum: 0, exclusiveMaximum: 10, nullable: false },
      ],
      ['"double"', { name: 'd', required: false, json: 'number', nullable: true }],
      ['"timestamp"', { name: 'at', required: false, json: 'string', nullable: false, format: 'date-time' }],
      ['"decimal(18,2)"', { name: 'price', required: false, json: 'number', nullable: false }],
      [
        '{"type":"struct","fi',
        {
          name: 'where',
          required: false,
          json: 'object',
          nullable: false,
          object: {
            fields: [{ name: 'page', required: false, type: 'string', json: 'string', nullable: false }],
            additionalProperties: false,
          },
        },
      ],
      [
        '{"type":"array","ele',
        {
          name: 'tags',
          required: false,
          json: 'array',
          nullable: false,
          items: { type: 'string', json: 'string', nullable: false },
        },
      ],
    ],
  )
  assert.equal(plain.additionalProperties, true)
})

test('an enumeration without null refuses null although the type allows it', () => {
  assert.equal(plainOf({ a: { type: ['string', 'null'], enum: ['x'] } })?.fields[0]?.nullable, false)
  const beside = plainOf({ a: { anyOf: [{ type: 'string', enum: ['x'] }, { type: 'null' }] } })
  assert.equal(beside?.fields[0]?.nullable, true)
})

const field = (schema: object, rest: object = {}): unknown => {
  const own = Object.entries(plainOf({ a: schema }, rest)?.fields[0] ?? {})
  return Object.fromEntries(own.filter(([key]) => !['type', 'name', 'required'].includes(key)))
}

test('rules that readers do not apply are kept beside the value', () => {
  const text = { json: 'string', nullable: false }
  const cases: [object, unknown][] = [
    [
      { type: 'string', pattern: '^x' },
      { ...text, rules: { pattern: '^x' } },
    ],
    [
      { type: 'string', format: 'uuid' },
      { ...text, rules: { format: 'uuid' } },
    ],
    [{ const: 'x' }, { ...text, rules: { values: ['x'] } }],
    [
      { type: 'integer', enum: [1, null] },
      { json: 'integer', nullable: false, rules: { values: [1, null] } },
    ],
    [
      { type: ['integer', 'null'], enum: [1, null] },
      { json: 'integer', nullable: true, rules: { values: [1, null] } },
    ],
    [
      { type: 'string', enum: ['abc', 'b'], minLength: 2 },
      { ...text, enum: ['abc', 'b'], rules: { minLength: 2 } },
    ],
    [
      { type: 'string', format: 'date', minLength: 2 },
      { ...text, format: 'date', rules: { minLength: 2 } },
    ],
    [
      { type: ['string', 'number'], 'x-delta-type': 'decimal(9,2)' },
      { nullable: false, rules: { types: ['string', 'number'] } },
    ],
    [
      { type: 'object', additionalProperties: { type: 'string', maxLength: 3 }, minProperties: 1 },
      {
        json: 'object',
        nullable: false,
        entries: { type: 'string', json: 'string', nullable: false, maxLength: 3 },
        rules: { minProperties: 1 },
      },
    ],
  ]
  for (const [schema, value] of cases) assert.deepEqual(field(schema), value, JSON.stringify(schema))
})

test('schemas that apply together are one value', () => {
  const rest = { $defs: { x: { type: 'string', minLength: 2 } } }
  const value = { json: 'string', nullable: false, minLength: 3, maxLength: 5 }
  assert.deepEqual(field({ $ref: '#/$defs/x', minLength: 3, allOf: [{ maxLength: 5 }] }, rest), value)
})

test('rules for an object are kept beside its fields', () => {
  const rest = {
    required: ['a', 'b'],
    if: { required: ['a'] },
    then: { maxProperties: 3 },
    dependentRequired: { a: ['b'] },
  }
  assert.deepEqual(plainOf({ a: { type: 'string' } }, rest), {
    fields: [{ name: 'a', type: 'string', json: 'string', nullable: false, required: true }],
    additionalProperties: true,
    rules: {
      required: ['a', 'b'],
      condition: { if: { required: ['a'] }, then: { maxProperties: 3 }, else: undefined },
      dependentRequired: [{ name: 'a', required: ['b'] }],
    },
  })
})

const opaque: [string, object, object, string][] = [
  [
    'unevaluatedProperties',
    { a: { type: 'string' } },
    { unevaluatedProperties: false },
    '/unevaluatedProperties',
  ],
  [
    'contains',
    { a: { type: 'array', items: { type: 'string' }, contains: {} } },
    {},
    '/properties/a/contains',
  ],
  ['an object in enum', { a: { type: 'integer', enum: [1, {}] } }, {}, '/properties/a/enum'],
  [
    'an unknown keyword',
    { a: { type: 'string', format: 'date', 'x-delta-type': 'string', formatMinimum: '2020-01-01' } },
    {},
    '/properties/a/formatMinimum',
  ],
]

for (const [name, properties, rest, at] of opaque) {
  test(`${name} has no plain contract, and the contract says where`, () => {
    const contract = loadContract({ type: 'object', properties, ...rest }, { source: 'test' })
    assert.equal(contract.plain, undefined)
    assert.deepEqual(
      contract.plainFaults?.map((fault) => fault.at),
      [at],
    )
  })
}

test('a contract with a plain form has no faults', () => {
  const contract = loadContract({ type: 'object', properties: { a: { type: 'string' } } }, { source: 'test' })
  assert.equal(contract.plainFaults, undefined)
})
