import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { valueAtPath } from '../../src/jmespath/expression.ts'
import { buildDestinationTree, renameField, withResults, withoutField } from '../../src/transforms/reshape.ts'

const SEED = Date.now() % 1_000_000

test('Results are set at their destinations, nothing else changes, and the message is not modified', () => {
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
      const row = withResults(message, buildDestinationTree(apart), results)
      for (const [at, path] of apart.entries()) assert.equal(valueAtPath(row, path), results[at])
      assert.equal(JSON.stringify(message), before)
      for (const name of Object.keys(message).filter((key) => !apart.some(([top]) => top === key)))
        assert.deepEqual(valueAtPath(row, [name]), message[name] ?? null)
    }),
    { numRuns: 200, seed: SEED },
  )
})

function isWithin(path: readonly string[], other: readonly string[]): boolean {
  return other.length <= path.length && other.every((name, at) => path[at] === name)
}

test('A null replaces a value and creates no objects', () => {
  const places = buildDestinationTree([['a'], ['b', 'c']])
  assert.deepEqual(withResults({ a: 1 }, places, [null, null]), { a: null })
  assert.deepEqual(withResults({ b: { c: 2 } }, places, [null, null]), { b: { c: null } })
  assert.deepEqual(withResults({ b: 'text' }, places, [1, 2]), { a: 1, b: { c: 2 } })
})

test('Dropping the last field of an object drops the object, renaming into an object creates it', () => {
  assert.deepEqual(withoutField({ a: { b: 1 }, c: 2 }, ['a', 'b']), { c: 2 })
  assert.deepEqual(withoutField({ a: 1 }, ['a', 'b']), { a: 1 })
  assert.deepEqual(withoutField({ a: 1 }, ['a']), {})
  assert.deepEqual(renameField({ a: 1, b: { c: 2 } }, ['a'], buildDestinationTree([['b', 'd']])), {
    b: { c: 2, d: 1 },
  })
  assert.deepEqual(renameField({ b: 1 }, ['a'], buildDestinationTree([['c']])), { b: 1 })
})

test('A message key such as __proto__ stays an ordinary key', () => {
  const message = JSON.parse('{"__proto__":{"x":1},"a":{"__proto__":2}}') as object
  const row = withResults(message, buildDestinationTree([['a', 'b']]), [3])
  assert.equal(JSON.stringify(row), '{"__proto__":{"x":1},"a":{"__proto__":2,"b":3}}')
})
