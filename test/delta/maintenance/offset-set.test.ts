import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OffsetSet } from '../../../src/delta/maintenance/offset-set.ts'

test('An offset is new only once, also at chunk boundaries and beyond the exact range of a double', () => {
  const set = new OffsetSet()
  for (const offset of [65_535n, 65_536n, 0n, 9_007_199_254_740_993n, 9_007_199_254_740_992n]) {
    assert.equal(set.add(offset), true, String(offset))
    assert.equal(set.add(offset), false, String(offset))
  }
  assert.deepEqual([set.first, set.last, set.missing], [0n, 9_007_199_254_740_993n, 9_007_199_254_740_989n])
})

test('An empty set has no missing offsets', () => {
  const { first, last, missing } = new OffsetSet()
  assert.deepEqual([first, last, missing], [undefined, undefined, 0n])
})
