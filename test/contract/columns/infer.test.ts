import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inferType, mergeTypes, mergeStructs } from '../../../src/contract/columns/infer.ts'
import { parseExact } from '../../../src/formats/json/exact.ts'
import type { DataType } from '../../../src/core/schema.ts'
import { arrayOf, mapOf, structOf } from '../../support/flow/batches.ts'

const typeOf = (json: string): DataType | undefined => inferType(parseExact(json))

test('A JSON value has the simplest type that holds it; text is never a date', () => {
  const cases: readonly (readonly [string, DataType | undefined])[] = [
    ['1', 'long'],
    ['-9223372036854775808', 'long'],
    ['9223372036854775808', 'string'],
    ['1.5', 'double'],
    ['1e20', 'double'],
    ['0.12345678901234567', 'double'],
    ['1e400', 'string'],
    ['true', 'boolean'],
    ['"2026-03-01"', 'string'],
    ['null', undefined],
    ['[]', undefined],
    ['[null, []]', undefined],
    ['{}', undefined],
    ['{"a": null}', undefined],
    ['[1, null, 2.5]', arrayOf('double')],
    ['[1, "x"]', arrayOf('string')],
    ['[[1], [2.5]]', arrayOf(arrayOf('double'))],
    ['{"a": {"b": [1]}, "n": null}', structOf({ a: structOf({ b: arrayOf('long') }) })],
    ['[{"a": 1}, {"b": true}]', arrayOf(structOf({ a: 'long', b: 'boolean' }))],
    ['{"a b": 1}', 'string'],
    ['{"": 1}', 'string'],
    ['{"__proto__": 1}', 'string'],
    ['{"\\ud800x": 1}', 'string'],
    ['{"\\u0000x": 1}', 'string'],
    ['{"a": {"x\\udc00": 1}}', structOf({ a: 'string' })],
    ['[{"\\udfff": 1}]', arrayOf('string')],
    ['{"\\ud83d\\ude00": 1}', structOf({ '😀': 'long' })],
    ['{"a": 1, "A": 2}', 'string'],
    [`${'['.repeat(8)}1${']'.repeat(8)}`, nested(8, 'long')],
    [`${'['.repeat(9)}1${']'.repeat(9)}`, nested(8, 'string')],
    [JSON.stringify(Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`k${i}`, i]))), 'string'],
  ]
  for (const [json, type] of cases) assert.deepEqual(typeOf(json), type, json.slice(0, 60))
})

function nested(depth: number, type: DataType): DataType {
  return depth === 0 ? type : arrayOf(nested(depth - 1, type))
}

test('A value nested beyond the stack has a type', () => {
  assert.deepEqual(inferType(JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), nested(8, 'string'))
})

test('Two types merge to the narrowest type that holds both, or to text; the order does not matter', () => {
  const cases: readonly (readonly [DataType, DataType, DataType])[] = [
    ['long', 'long', 'long'],
    ['long', 'double', 'double'],
    ['integer', 'long', 'long'],
    ['float', 'double', 'double'],
    ['date', 'timestamp_ntz', 'timestamp_ntz'],
    ['decimal(10,2)', 'decimal(8,4)', 'decimal(12,4)'],
    ['decimal(38,0)', 'decimal(38,38)', 'string'],
    ['integer', 'decimal(12,2)', 'decimal(12,2)'],
    ['boolean', 'long', 'string'],
    ['date', 'timestamp', 'string'],
    [structOf({ a: 'long' }), 'long', 'string'],
    [arrayOf('long'), structOf({ a: 'long' }), 'string'],
    [arrayOf('long'), arrayOf('double'), arrayOf('double')],
    [mapOf('long'), mapOf('boolean'), mapOf('string')],
    [structOf({ a: 'long' }), structOf({ A: 'double' }), structOf({ a: 'double' })],
  ]
  for (const [a, b, both] of cases) {
    assert.deepEqual(mergeTypes(a, b), both)
    const text = JSON.stringify(mergeTypes(b, a)).toLowerCase()
    assert.equal(text, JSON.stringify(both).toLowerCase())
  }
})

test('Merging equal types returns the same object; fields that one type lacks are nullable', () => {
  const a = structOf({ x: arrayOf(structOf({ y: 'double' })), m: mapOf('long') })
  assert.equal(mergeTypes(a, structOf({ x: arrayOf(structOf({ y: 'long' })), m: mapOf('integer') })), a)
  const required = {
    type: 'struct',
    fields: [{ name: 'n', type: 'long', nullable: false, metadata: {} }],
  } as const
  assert.equal(mergeStructs(required, required), required)
  assert.deepEqual(mergeStructs(required, structOf({ o: 'long' })), structOf({ n: 'long', o: 'long' }))
  assert.deepEqual(mergeStructs(structOf({ o: 'long' }), required), structOf({ o: 'long', n: 'long' }))
})
