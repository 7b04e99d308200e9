import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DistinctKeys } from '../../../operators/rows/distinct-keys.ts'
import { provenanceOf } from '../../support/flow/batches.ts'

const at = (first: bigint, partition = 0, records = 10) => provenanceOf({ first, records, partition })

test('The maximum of keys holds over all partitions, and the fullest gives way', () => {
  const keys = new DistinctKeys({ withinMs: 10, keysMax: 4 })
  const first = keys.startBatch(at(0n))
  for (let n = 0; n < 4; n++) assert.equal(keys.isFirst(first, n, BigInt(n), 0), true)
  const second = keys.startBatch(at(0n, 1))
  assert.equal(keys.isFirst(second, 'a', 0n, 0), true)
  assert.equal(keys.size, 4)
  // The least recently seen key of the first partition has gone.
  assert.equal(keys.isFirst(second, 'a', 1n, 0), false)
  assert.equal(keys.isFirst(first, 1, 5n, 0), false)
  assert.equal(keys.isFirst(first, 0, 6n, 0), true)
})

test('Keys that were forgotten come back when the records that displaced them are read again', () => {
  const keys = new DistinctKeys({ withinMs: 10, keysMax: 2 })
  let own = keys.startBatch(at(0n, 0, 2))
  assert.deepEqual(
    [1, 2].map((n) => keys.isFirst(own, n, BigInt(n - 1), 0)),
    [true, true],
  )
  for (let again = 0; again < 3; again++) {
    own = keys.startBatch(at(2n, 0, 1))
    assert.equal(keys.isFirst(own, 3, 2n, 0), true)
    assert.equal(keys.size, 2)
    own = keys.startBatch(at(2n, 0, 1))
    assert.equal(keys.isFirst(own, 1, 2n, 0), false)
  }
})

test('Keys of different types differ', () => {
  const keys = new DistinctKeys({ withinMs: 10, keysMax: 10 })
  const own = keys.startBatch(at(0n))
  assert.deepEqual(
    ['1', 1, 1n].map((key) => keys.isFirst(own, key, 0n, 0)),
    [true, true, true],
  )
})
