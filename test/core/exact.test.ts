import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Exact, holdsExact, plainNumbers } from '../../src/core/exact.ts'

test('a value of plain numbers is returned as it is', () => {
  const value = { a: [1, { b: null, c: 'x' }] }
  assert.equal(plainNumbers(value), value)
  assert.equal(plainNumbers(5), 5)
})

test('big integers and exact numbers become doubles at any place, in the order of keys', () => {
  const value = { z: 1n, a: [new Exact('0.1000000000000000000001'), { b: 2n ** 64n }], c: 'x' }
  assert.equal(holdsExact(value), true)
  const plain = plainNumbers(value)
  assert.deepEqual(plain, { z: 1, a: [0.1, { b: 2 ** 64 }], c: 'x' })
  assert.deepEqual(Object.keys(plain as object), ['z', 'a', 'c'])
  assert.equal(plainNumbers(new Exact('1e400')), Infinity)
  assert.deepEqual(value.z, 1n)
})

test('a __proto__ key stays a property', () => {
  const row = JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>
  row['n'] = 1n
  const plain = plainNumbers(row) as object
  assert.equal(Object.getPrototypeOf(plain), Object.prototype)
  assert.ok(Object.hasOwn(plain, '__proto__'))
})

test('nesting of 100,000 levels is no matter', () => {
  let deep: unknown = 1n
  for (let level = 0; level < 100_000; level++) deep = [deep]
  let plain = plainNumbers(deep)
  while (Array.isArray(plain)) plain = plain[0]
  assert.equal(plain, 1)
})
