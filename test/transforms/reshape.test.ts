import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { valueAt } from '../../src/jmespath/expression.ts'
import { placesOf, renamed, withResults, without } from '../../src/transforms/reshape.ts'

const SEED = Date.now() % 1_000_000

test('Results stand at their places, nothing else changes, and the message stays as it was', () => {
  console.log(`seed ${SEED}`)
  const names = fc.constantFrom('a', 'b', 'c')
  const paths = fc.uniqueArray(fc.array(names, { minLength: 1, maxLength: 3 }), {
    maxLength: 4,
    selector: (path) => path.join('.'),
  })
  const messages = fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }))
  fc.assert(
    fc.property(messages, paths, (message, wanted) => {
      const apart = wanted.filter((path) => !wanted.some((other) => other !== path && isWithin(path, other)))
      const before = JSON.stringify(message)
      const results = apart.map((_, at) => `result ${at}`)
      const row = withResults(message, placesOf(apart), results)
      for (const [at, path] of apart.entries()) assert.equal(valueAt(row, path), results[at])
      assert.equal(JSON.stringify(message), before)
      for (const name of Object.keys(message).filter((key) => !apart.some(([top]) => top === key)))
        assert.deepEqual(valueAt(row, [name]), message[name] ?? null)
    }),
    { numRuns: 200, seed: SEED },
  )
})

function isWithin(path: readonly string[], other: readonly string[]): boolean {
  return other.length <= path.length && other.every((name, at) => path[at] === name)
}

test('A null takes the place of a value and makes no objects on its way', () => {
  const places = placesOf([['a'], ['b', 'c']])
  assert.deepEqual(withResults({ a: 1 }, places, [null, null]), { a: null })
  assert.deepEqual(withResults({ b: { c: 2 } }, places, [null, null]), { b: { c: null } })
  assert.deepEqual(withResults({ b: 'text' }, places, [1, 2]), { a: 1, b: { c: 2 } })
})

test('Dropping the last field of an object drops the object, renaming into an object makes it', () => {
  assert.deepEqual(without({ a: { b: 1 }, c: 2 }, ['a', 'b']), { c: 2 })
  assert.deepEqual(without({ a: 1 }, ['a', 'b']), { a: 1 })
  assert.deepEqual(without({ a: 1 }, ['a']), {})
  assert.deepEqual(renamed({ a: 1, b: { c: 2 } }, ['a'], placesOf([['b', 'd']])), { b: { c: 2, d: 1 } })
  assert.deepEqual(renamed({ b: 1 }, ['a'], placesOf([['c']])), { b: 1 })
})

test('A key of a message that looks like a prototype stays a key', () => {
  const message = JSON.parse('{"__proto__":{"x":1},"a":{"__proto__":2}}') as object
  const row = withResults(message, placesOf([['a', 'b']]), [3])
  assert.equal(JSON.stringify(row), '{"__proto__":{"x":1},"a":{"__proto__":2,"b":3}}')
})
