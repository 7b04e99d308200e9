import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ExactNumber,
  WholeFraction,
  containsExactNumber,
  narrowFraction,
  toPlainNumbers,
} from '../../src/core/exact.ts'

test('a value with plain numbers only is returned itself', () => {
  const value = { a: [1, { b: null, c: 'x' }] }
  assert.equal(toPlainNumbers(value), value)
  assert.equal(toPlainNumbers(5), 5)
})

test('big integers and exact numbers become doubles at any depth, and keys keep their order', () => {
  const value = { z: 1n, a: [new ExactNumber('0.1000000000000000000001'), { b: 2n ** 64n }], c: 'x' }
  assert.equal(containsExactNumber(value), true)
  const plain = toPlainNumbers(value)
  assert.deepEqual(plain, { z: 1, a: [0.1, { b: 2 ** 64 }], c: 'x' })
  assert.deepEqual(Object.keys(plain as object), ['z', 'a', 'c'])
  assert.equal(toPlainNumbers(new ExactNumber('1e400')), Infinity)
  assert.deepEqual(value.z, 1n)
})

test('a __proto__ key stays a property', () => {
  const row = JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>
  row['n'] = 1n
  const plain = toPlainNumbers(row) as object
  assert.equal(Object.getPrototypeOf(plain), Object.prototype)
  assert.ok(Object.hasOwn(plain, '__proto__'))
})

test('nesting of 100,000 levels works', () => {
  let deep: unknown = 1n
  for (let level = 0; level < 100_000; level++) deep = [deep]
  let plain = toPlainNumbers(deep)
  while (Array.isArray(plain)) plain = plain[0]
  assert.equal(plain, 1)
})

test('only a number that was written with a fraction and is whole becomes a double', () => {
  assert.equal(narrowFraction(new WholeFraction('2.0')), 2)
  const decimal = new ExactNumber('2.00')
  for (const value of [decimal, 2n, 'x', null]) assert.equal(narrowFraction(value), value)
})
