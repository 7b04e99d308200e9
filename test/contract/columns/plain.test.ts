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

const unsaid: [string, object, object?][] = [
  ['a pattern', { a: { type: 'string', pattern: '^x' } }],
  ['another format', { a: { type: 'string', format: 'uuid' } }],
  ['a map', { a: { type: 'object', additionalProperties: { type: 'string' } } }],
  ['a constant', { a: { const: 'x' } }],
  ['an enumeration of numbers', { a: { type: 'integer', enum: [1] } }],
  ['minItems', { a: { type: 'array', items: { type: 'string' }, minItems: 1 } }],
  ['several types', { a: { type: ['string', 'number'], 'x-delta-type': 'decimal(9,2)' } }],
  [
    'a rule next to a reference',
    { a: { $ref: '#/$defs/x', minLength: 2 } },
    { $defs: { x: { type: 'string' } } },
  ],
  ['a condition', { a: { type: 'string' } }, { if: { required: ['a'] }, then: { required: ['b'] } }],
  ['a required property that is not described', { a: { type: 'string' } }, { required: ['b'] }],
  ['allOf', { a: { type: 'string' } }, { allOf: [{ required: ['a'] }] }],
  ['unevaluatedProperties', { a: { type: 'string' } }, { unevaluatedProperties: false }],
  ['dependentRequired', { a: { type: 'string' } }, { dependentRequired: { a: ['b'] } }],
  [
    'oneOf of two schemas that accept null',
    { a: { oneOf: [{ type: ['string', 'null'] }, { type: 'null' }] } },
  ],
  ['a rule two levels down', { a: { type: 'array', items: { type: 'string', pattern: 'x' } } }],
  ['no type at an object', { a: { properties: { b: { type: 'string' } } } }],
]

for (const [name, properties, rest] of unsaid) {
  test(`${name} has no plain contract`, () => {
    assert.equal(plainOf(properties, rest), undefined)
  })
}
