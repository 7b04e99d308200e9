import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileTransforms } from '../../src/transforms/compile.ts'
import { Transformation } from '../../src/transforms/transformation.ts'
import { rawBatch } from '../support/flow/batches.ts'

const MESSAGE = { a: 1, b: { c: 2 }, d: 3 }

function applied(keepsOnNull: boolean): unknown {
  const { steps: parts } = compileTransforms({
    transforms: { a: 'none', 'b.c': 'b.none', d: 'a', 'e.f': 'none' },
  })
  return new Transformation({ ...parts, keepsOnNull }).apply(MESSAGE, rawBatch(['{}']).payload, 0)
}

test('A transform that returns null replaces the existing value, unless it is to be kept', () => {
  assert.deepEqual(applied(false), { a: null, b: { c: null }, d: 1 })
  assert.deepEqual(applied(true), { a: 1, b: { c: 2 }, d: 1 })
})
