import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentOf, derived } from '../../src/core/changing.ts'

test('A value that never changes is its own current value', () => {
  const fixed = { a: 1 }
  assert.equal(currentOf(fixed), fixed)
  assert.equal(currentOf<object>({ current: () => fixed }), fixed)
})

test('A derived value is made once for each value that it derives from', () => {
  let value = { a: 1 }
  const twice = derived({ current: () => value }, ({ a }) => ({ b: 2 * a }))
  const first = twice.current()
  assert.deepEqual(first, { b: 2 })
  assert.equal(twice.current(), first)
  value = { a: 4 }
  assert.deepEqual(twice.current(), { b: 8 })
  assert.deepEqual(first, { b: 2 }, 'a value that was given out stays as it is')
})
