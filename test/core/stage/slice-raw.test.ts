import assert from 'node:assert/strict'
import { test } from 'node:test'
import { valueOf } from '../../../src/core/raw.ts'
import { sliceRaw } from '../../../src/core/stage/slice-raw.ts'
import { rawOf } from '../../support/flow/batches.ts'

test('records without any value have no bytes', () => {
  const slice = sliceRaw(rawOf(['a', null, null, 'b']), 1, 3)
  assert.equal(slice?.bytes.length, 0)
  assert.deepEqual([slice.count, valueOf(slice, 0), valueOf(slice, 1)], [2, undefined, undefined])
})

test('values that follow nothing keep the newline behind them', () => {
  const slice = sliceRaw(rawOf(['first', 'second', 'third']), 1, 2)
  assert.equal(Buffer.from(slice?.bytes ?? []).toString(), 'second\n')
})
