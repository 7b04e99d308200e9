import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StructBuilder } from '../../../src/arrow/builder.ts'
import { columnRulesOf, type NullMeaning } from '../../../src/contract/columns/column-rules.ts'
import { loadContract } from '../../../src/contract/contract.ts'

function suspectsOf(
  properties: object,
  rows: readonly object[],
  { rest = {}, meaning = 'either' }: { rest?: object; meaning?: NullMeaning } = {},
): number[] {
  const { plain, schema } = loadContract({ type: 'object', properties, ...rest }, { source: 'test' })
  assert.ok(plain !== undefined)
  const builder = new StructBuilder(schema)
  for (const row of rows) assert.equal(builder.append(row), undefined)
  const suspect = new Uint8Array(rows.length)
  const rules = columnRulesOf(plain, schema, () => meaning)
  assert.ok(rules !== undefined)
  rules(builder.finishColumns(), suspect)
  return [...suspect]
}

test('numbers are compared with the arithmetic of the contract', () => {
  const rows = [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 9_007_199_254_740_993n }]
  assert.deepEqual(suspectsOf({ a: { type: 'integer', minimum: 2 } }, rows), [1, 0, 0, 1])
  assert.deepEqual(suspectsOf({ a: { type: 'integer', enum: [1, 3] } }, rows), [0, 1, 0, 1])
  const prices = [{ a: 0.3 }, { a: 19.99 }, { a: 0.25 }]
  // 0.3 / 0.1 is not a whole number of doubles.
  assert.deepEqual(suspectsOf({ a: { type: 'number', multipleOf: 0.1 } }, prices), [1, 1, 1])
  assert.deepEqual(suspectsOf({ a: { type: 'number', multipleOf: 0.25 } }, prices), [1, 1, 0])
})

test('decimals are compared as the doubles that the contract sees', () => {
  const decimal = { type: 'number', 'x-delta-type': 'decimal(38,2)', maximum: 10.5 }
  const rows = [{ a: 10.5 }, { a: 10.51 }, { a: '12345678901234567890123456789012345.67' }, { a: -3 }]
  assert.deepEqual(suspectsOf({ a: decimal }, rows), [0, 1, 1, 0])
})

test('texts are compared by code points, pattern, format and enumeration', () => {
  const rows = [{ a: 'ab' }, { a: '😀😀😀' }, { a: 'a' }]
  assert.deepEqual(suspectsOf({ a: { type: 'string', minLength: 2, maxLength: 3 } }, rows), [0, 0, 1])
  assert.deepEqual(suspectsOf({ a: { type: 'string', pattern: '^[ab]+$' } }, rows), [0, 1, 0])
  assert.deepEqual(suspectsOf({ a: { type: 'string', const: 'ab' } }, rows), [0, 1, 1])
  const mails = [{ a: 'x@y.com' }, { a: 'x@' }]
  assert.deepEqual(suspectsOf({ a: { type: 'string', format: 'email' } }, mails), [0, 1])
})

test('the meaning of null decides on required and nullable fields', () => {
  const rows = [{ a: 1 }, { a: null }]
  const required = { rest: { required: ['a'] } }
  const nullable = { a: { type: ['integer', 'null'] } }
  assert.deepEqual(suspectsOf(nullable, rows, { ...required, meaning: 'null' }), [0, 0])
  assert.deepEqual(suspectsOf(nullable, rows, { ...required, meaning: 'absent' }), [0, 1])
  assert.deepEqual(suspectsOf(nullable, rows, required), [0, 1])
  assert.deepEqual(suspectsOf(nullable, rows, { ...required, meaning: 'missing' }), [1, 1])
  const plain = { a: { type: 'integer' } }
  assert.deepEqual(suspectsOf(plain, rows, { meaning: 'null' }), [0, 1])
  assert.deepEqual(suspectsOf(plain, rows, { meaning: 'absent' }), [0, 0])
})

test('rules apply within structs, lists and maps', () => {
  const inner = { type: 'integer', maximum: 5 }
  const struct = { a: { type: 'object', properties: { b: inner } } }
  assert.deepEqual(suspectsOf(struct, [{ a: { b: 5 } }, { a: { b: 6 } }], { meaning: 'absent' }), [0, 1])
  const list = { a: { type: 'array', items: inner, maxItems: 2 } }
  const lists = [{ a: [1, 2] }, { a: [1, 6] }, { a: [] }, { a: [1, 1, 1] }, { a: [5] }]
  assert.deepEqual(suspectsOf(list, lists), [0, 1, 0, 1, 0])
  const map = { a: { type: 'object', additionalProperties: inner, propertyNames: { pattern: '^[a-z]+$' } } }
  const maps = [{ a: { x: 1 } }, { a: { x: 1, y: 6 } }, { a: { X: 1 } }, { a: {} }]
  assert.deepEqual(suspectsOf(map, maps), [0, 1, 1, 0])
})

test('conditions and alternatives are decided row by row', () => {
  const properties = { kind: { type: 'string' }, n: { type: 'integer' } }
  const rows = [{ kind: 'a', n: 1 }, { kind: 'a' }, { kind: 'b' }, { n: 1 }]
  const rest = {
    if: { properties: { kind: { const: 'a' } }, required: ['kind'] },
    then: { required: ['n'] },
  }
  assert.deepEqual(suspectsOf(properties, rows, { rest, meaning: 'absent' }), [0, 1, 0, 0])
  const one = { oneOf: [{ required: ['kind'] }, { required: ['n'] }] }
  assert.deepEqual(suspectsOf(properties, rows, { rest: one, meaning: 'absent' }), [1, 0, 0, 0])
})

test('a double that is not finite is left to the contract', () => {
  const { plain, schema } = loadContract(
    { type: 'object', properties: { a: { type: 'number' } } },
    { source: 'test' },
  )
  assert.ok(plain !== undefined)
  const suspect = new Uint8Array(3)
  const values = Float64Array.of(1, NaN, Infinity)
  columnRulesOf(plain, schema)?.(
    {
      schema,
      length: 3,
      columns: [{ kind: 'fixed', type: 'double', words: 1, length: 3, values, valid: undefined }],
    },
    suspect,
  )
  assert.deepEqual([...suspect], [0, 1, 1])
})

test('a field without a column needs the contract', () => {
  const { plain } = loadContract(
    { type: 'object', properties: { a: { type: 'string' } } },
    { source: 'test' },
  )
  assert.ok(plain !== undefined)
  assert.equal(columnRulesOf(plain, { type: 'struct', fields: [] }), undefined)
})
