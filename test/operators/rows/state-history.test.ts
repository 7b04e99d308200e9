import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAfter, stateKeyOf, StateHistory } from '../../../operators/rows/state-history.ts'
import { provenanceOf } from '../../support/flow/batches.ts'

const at = (first: bigint, partition = 0) => provenanceOf({ first, records: 10, partition })

test('A state is copied when it is kept and when it is restored', () => {
  const copies: number[] = []
  const history = new StateHistory<{ n: number }>({
    operator: 'test',
    seed: () => ({ n: 0 }),
    copy: (state) => {
      copies.push(state.n)
      return { ...state }
    },
    batchesMax: 3,
  })
  const state = history.stateBefore(at(0n))
  state.n = 1
  history.store(at(0n), state)
  const same = history.stateBefore(at(10n))
  assert.equal(same, state)
  same.n = 2
  history.store(at(10n), same)
  same.n = 3
  assert.deepEqual(history.stateBefore(at(10n)), { n: 1 })
  // A batch that failed stored nothing.
  assert.deepEqual(history.stateBefore(at(10n)), { n: 1 })
  assert.deepEqual(copies, [0, 1, 2, 1, 1])
})

test('Partitions have states of their own', () => {
  const history = new StateHistory<string>({
    operator: 'test',
    seed: () => 'seed',
    copy: (state) => state,
    batchesMax: 3,
  })
  history.store(at(0n), (history.stateBefore(at(0n)), 'changed'))
  assert.equal(history.stateBefore(at(10n, 1)), 'seed')
  assert.equal(history.stateBefore(at(10n)), 'changed')
  assert.notEqual(stateKeyOf(at(0n)), stateKeyOf(at(0n, 1)))
})

test('No offset comes before all offsets', () => {
  assert.deepEqual(
    [
      isAfter(1n, 0n),
      isAfter(0n, 0n),
      isAfter(0n, undefined),
      isAfter(undefined, 0n),
      isAfter(undefined, undefined),
    ],
    [true, false, true, false, false],
  )
})
