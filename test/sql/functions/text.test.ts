import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqlError } from '../../../src/sql/expression/error.ts'
import { structOf } from '../../support/flow/batches.ts'
import { evaluated } from '../evaluate.ts'

const schema = structOf({ b: 'binary' })

function bytesOf(expression: string, value: readonly number[]): unknown {
  const [result] = evaluated(expression, schema, [{ b: Uint8Array.from(value) }])
  return result instanceof Uint8Array ? [...result] : result
}

test('A part of binary values is taken by position and length, as of text, and stays binary', () => {
  const value = [1, 2, 200, 4]
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['substr(b, 2)', [2, 200, 4]],
    ['substring(b, 2, 2)', [2, 200]],
    ['substr(b, 0, 2)', [1, 2]],
    ['substr(b, -2)', [200, 4]],
    ['substr(b, -6, 3)', [1]],
    ['substr(b, 5)', []],
    ['substr(b, 2, 0)', []],
    ['substr(b, 2, -1)', []],
    ['left(b, 2)', [1, 2]],
    ['left(b, -1)', []],
  ]
  for (const [expression, expected] of cases)
    assert.deepEqual(bytesOf(expression, value), expected, expression)
  assert.deepEqual(evaluated('substr(b, 2)', schema, [{ b: null }]), [null])
})

test('Binary values are not padded as if they were text', () => {
  assert.throws(() => evaluated("lpad(b, 8, 'x')", schema, [{ b: null }]), SqlError)
})
