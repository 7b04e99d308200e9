import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lazyArray } from '../../src/core/lazy-array.ts'

test('each element is created once, when it is first read', () => {
  const created: number[] = []
  const array = lazyArray(5, (index) => {
    created.push(index)
    return index === 3 ? undefined : { index }
  })
  assert.equal(array.length, 5)
  assert.equal(array[5], undefined)
  assert.equal((array as unknown as Record<string, unknown>)['-1'], undefined)
  assert.deepEqual(created, [])
  assert.equal(array[2], array[2])
  assert.deepEqual([array[3], array[3]], [undefined, undefined])
  assert.deepEqual(created, [2, 3])
  // A copy of the object that holds the array creates nothing.
  const copy = { ...{ array } }
  assert.deepEqual(created, [2, 3])
  assert.deepEqual(
    copy.array.map((each) => each?.index),
    [0, 1, 2, undefined, 4],
  )
  assert.deepEqual([...array], [{ index: 0 }, { index: 1 }, { index: 2 }, undefined, { index: 4 }])
  assert.deepEqual(created, [2, 3, 0, 1, 4])
})
