import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { columns, list, mapOf, nullable, struct } from '../../src/rows/row-schema.ts'
import type { FieldTypes } from '../../src/rows/row-types.ts'

/** Returns the field that `columns` makes of a type. */
function fieldOfType(type: FieldTypes[string]): object {
  const [field] = columns({ a: type }).fields
  return { type: field?.type, nullable: field?.nullable }
}

describe('A schema as code', () => {
  it('is a struct type with the fields in their order', () => {
    assert.deepEqual(columns({ id: 'long', name: 'string?' }), {
      type: 'struct',
      fields: [
        { name: 'id', type: 'long', nullable: false, metadata: {} },
        { name: 'name', type: 'string', nullable: true, metadata: {} },
      ],
    })
  })

  it('has nested types, with nulls where they are allowed', () => {
    const item = columns({ sku: 'string', price: 'decimal( 10, 2)?' })
    const itemType = {
      type: 'struct',
      fields: [
        { name: 'sku', type: 'string', nullable: false, metadata: {} },
        { name: 'price', type: 'decimal(10,2)', nullable: true, metadata: {} },
      ],
    }
    const cases: [FieldTypes[string], object][] = [
      [item, { type: itemType, nullable: false }],
      [nullable(item), { type: itemType, nullable: true }],
      [
        { sku: 'string', price: 'decimal(10,2)?' },
        { type: itemType, nullable: false },
      ],
      [struct({ sku: 'string', price: 'decimal(10,2)?' }), { type: itemType, nullable: false }],
      [list(item), { type: { type: 'array', elementType: itemType, containsNull: false }, nullable: false }],
      [
        nullable(list('date?')),
        { type: { type: 'array', elementType: 'date', containsNull: true }, nullable: true },
      ],
      [
        mapOf('string', nullable(list('long'))),
        {
          type: {
            type: 'map',
            keyType: 'string',
            valueType: { type: 'array', elementType: 'long', containsNull: false },
            valueContainsNull: true,
          },
          nullable: false,
        },
      ],
    ]
    for (const [given, expected] of cases) assert.deepEqual(fieldOfType(given), expected)
  })

  it('may have fields with the names of its own properties', () => {
    assert.deepEqual(
      columns({ type: 'string', nullable: { fields: 'string' }, columnType: 'long' }).fields.map(
        ({ name }) => name,
      ),
      ['type', 'nullable', 'columnType'],
    )
  })

  const faults: [string, () => unknown, RegExp][] = [
    [
      'an unknown type',
      () => columns({ a: 'lonng' as 'long' }),
      /a: unknown type "lonng"; types are boolean,/,
    ],
    ['a decimal of 39 digits', () => columns({ a: 'decimal(39,2)' }), /a: unknown type "decimal\(39,2\)"/],
    ['an unknown nested type', () => columns({ a: { b: 'text' as 'string' } }), /a\.b: unknown type "text"/],
    ['a name with a space', () => columns({ 'a b': 'long' }), /a b: the name contains one of/],
    ['an empty name', () => columns({ '': 'long' }), /the name is empty/],
    ['a nested name twice', () => columns({ a: { b: 'long', B: 'long' } }), /a\.B: the name appears twice/],
    ['a name twice but for its case', () => columns({ a: 'long', A: 'long' }), /A: the name appears twice/],
    ['no field', () => columns({}), /at least one field/],
    ['a number for a type', () => columns({ a: 1 as never }), /a: expected a type, got number/],
    ['null for a type', () => columns({ a: null as never }), /a: expected a type, got null/],
    ['keys that may be null', () => mapOf('string?', 'long'), /key: keys of a map cannot be null/],
  ]
  for (const [title, make, message] of faults)
    it(`refuses ${title}`, () => {
      assert.throws(
        make,
        (error) =>
          error instanceof PipelineError &&
          error.code === 'KD_CONTRACT_INVALID' &&
          message.test(error.message),
      )
    })
})
