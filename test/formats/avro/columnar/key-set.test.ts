import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeySet } from '../../../../src/formats/avro/columnar/key-set.ts'

/** Returns true when all keys are accepted as those of one map. */
function accepts(keys: readonly string[], set = new KeySet()): boolean {
  set.start()
  return keys.every((key) => {
    const bytes = Buffer.from(key)
    return set.add(bytes, 0, bytes.length)
  })
}

test('Keys are accepted in the order in which an object keeps them', () => {
  for (const keys of [
    [],
    ['b', 'a'],
    ['0', '1', '10', 'b', '01', '-1', '4294967295', ''],
    ['4294967294', 'x'],
  ]) {
    assert.ok(accepts(keys), keys.join())
    assert.deepEqual(Object.keys(Object.fromEntries(keys.map((key) => [key, 1]))), keys)
  }
  for (const keys of [
    ['a', 'a'],
    ['', ''],
    ['b', '1'],
    ['2', '1'],
    ['é', 'x', 'é'],
  ])
    assert.ok(!accepts(keys), keys.join())
})

test('A map of thousands of keys is accepted, a larger one is left, and the next map starts anew', () => {
  const set = new KeySet()
  const keys = Array.from({ length: 8_000 }, (_, i) => `key-${i}`)
  assert.ok(accepts(keys, set))
  assert.ok(accepts(keys, set))
  assert.ok(!accepts([...keys, 'key-77'], set))
  assert.ok(
    !accepts(
      Array.from({ length: 9_000 }, (_, i) => `key-${i}`),
      set,
    ),
  )
  assert.ok(accepts(['a'], set))
})
