import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Positions, type Position } from '../../../src/kafka/source/start-positions.ts'

const mark = { low: 0n, high: 100n }

test('a partition continues after the txn of the table', () => {
  const { positions, position } = assigned('earliest')
  assert.equal(positions.locate(position, 41n, mark)?.pin, undefined)
  assert.deepEqual([position.live, position.follows, position.next, position.high], [true, 41n, 42n, 100n])
})

test('a partition without a txn starts at the low or the high watermark', () => {
  const earliest = assigned('earliest')
  earliest.positions.locate(earliest.position, undefined, { low: 7n, high: 100n })
  assert.deepEqual([earliest.position.follows, earliest.position.next], [undefined, 7n])
  const latest = assigned('latest')
  assert.equal(latest.positions.locate(latest.position, undefined, mark)?.pin, 99n)
  assert.equal(latest.position.next, 100n)
})

test('offsets before the start or past the end of the log fail, the boundaries do not', () => {
  for (const [txn, low, high] of [
    [8n, 10n, 100n],
    [100n, 0n, 100n],
  ] as const) {
    const { positions, position } = assigned('earliest')
    assert.throws(() => positions.locate(position, txn, { low, high }), { code: 'KD_OFFSETS_VANISHED' })
  }
  for (const [txn, low, high] of [
    [9n, 10n, 100n],
    [99n, 0n, 100n],
  ] as const) {
    const { positions, position } = assigned('earliest')
    assert.equal(positions.locate(position, txn, { low, high })?.position.next, txn + 1n)
  }
})

test('an answer after the next assignment or a reset is ignored', () => {
  const { positions, position } = assigned('earliest')
  const [again] = positions.assign([0], true)
  assert.equal(positions.locate(position, 5n, mark), undefined)
  assert.ok(again)
  assert.equal(positions.isCurrent(again), true)
  const abandoned = positions.abandon(0)
  assert.equal(positions.locate(again, 5n, mark), undefined)
  assert.ok(abandoned)
  assert.equal(positions.locate(abandoned, 5n, mark)?.position.next, 6n)
  assert.equal(positions.abandon(1), undefined)
})

test('a live position is kept over a rebalance if the table moved only along its own batches', () => {
  for (const txn of [9n, 19n, 29n]) assert.equal(afterRebalance(true, txn).next, 30n)
})

test('a position is not kept when the table moved past it, moved back, or the membership was lost', () => {
  assert.equal(afterRebalance(true, 35n).next, 36n)
  assert.equal(afterRebalance(true, 5n).next, 6n)
  assert.equal(afterRebalance(false, 9n).next, 10n)
})

test('a txn that disappeared from the table is an error', () => {
  assert.throws(() => afterRebalance(true, undefined), { code: 'KD_OFFSETS_VANISHED' })
})

test('end offsets only grow, and only for live positions', () => {
  const { positions, position } = assigned('earliest')
  positions.noteEndOffsets(new Map([[0, { low: 0n, high: 500n }]]))
  assert.equal(position.high, 0n, 'nobody has said yet where to go on')
  positions.locate(position, 9n, mark)
  positions.noteEndOffsets(new Map([[0, { low: 0n, high: 500n }]]))
  positions.noteEndOffsets(new Map([[0, { low: 0n, high: 400n }]]))
  positions.noteEndOffsets(new Map([[1, { low: 0n, high: 900n }]]))
  assert.equal(position.high, 500n)
})

function assigned(startFrom: 'earliest' | 'latest'): { positions: Positions; position: Position } {
  const positions = new Positions('t', startFrom)
  const [position] = positions.assign([0], false)
  assert.ok(position)
  return { positions, position }
}

/** Resumes at 9, reads up to 29, then assigns again with the table at `txn`. */
function afterRebalance(sameMember: boolean, txn: bigint | undefined): Position {
  const { positions, position } = assigned('earliest')
  positions.locate(position, 9n, mark)
  positions.advance(position, 19n)
  positions.advance(position, 29n)
  const [again] = positions.assign([0], sameMember)
  assert.ok(again)
  positions.locate(again, txn, mark)
  return again
}
