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
  const [again] = reassigned(positions)
  assert.equal(positions.locate(position, 5n, mark), undefined)
  assert.ok(again)
  assert.equal(positions.isCurrent(again), true)
  const abandoned = positions.abandon(0)
  assert.equal(positions.locate(again, 5n, mark), undefined)
  assert.ok(abandoned)
  assert.equal(positions.locate(abandoned, 5n, mark)?.position.next, 6n)
  assert.equal(positions.abandon(1), undefined)
})

test('a partition that comes back continues from the table', () => {
  for (const txn of [5n, 9n, 29n, 35n]) assert.equal(afterRebalance(txn).next, txn + 1n)
})

test('adding a partition leaves the others alone', () => {
  const { positions, position } = assigned('earliest')
  positions.locate(position, 9n, mark)
  positions.add([1])
  assert.equal(positions.isCurrent(position), true)
  positions.remove([{ partition: 1 }])
  assert.deepEqual(
    positions.all().map(({ partition, next }) => [partition, next]),
    [[0, 10n]],
  )
})

test('a txn that disappeared from the table is an error', () => {
  assert.throws(() => afterRebalance(undefined), { code: 'KD_OFFSETS_VANISHED' })
})

test('end offsets only grow, and only for live positions', () => {
  const { positions, position } = assigned('earliest')
  positions.noteEndOffsets(new Map([[0, { low: 0n, high: 500n }]]))
  assert.equal(position.high, undefined, 'nobody has said yet where to go on')
  positions.locate(position, 9n, mark)
  positions.noteEndOffsets(new Map([[0, { low: 0n, high: 500n }]]))
  positions.noteEndOffsets(new Map([[0, { low: 0n, high: 400n }]]))
  positions.noteEndOffsets(new Map([[1, { low: 0n, high: 900n }]]))
  assert.equal(position.high, 500n)
})

function assigned(startFrom: 'earliest' | 'latest'): { positions: Positions; position: Position } {
  const positions = new Positions('t', startFrom)
  const [position] = positions.add([0])
  assert.ok(position)
  return { positions, position }
}

/** Revokes partition 0 and assigns it again. */
function reassigned(positions: Positions): readonly Position[] {
  positions.remove([{ partition: 0 }])
  return positions.add([0])
}

/** Resumes at 9, reads up to 29, then assigns again with the table at `txn`. */
function afterRebalance(txn: bigint | undefined): Position {
  const { positions, position } = assigned('earliest')
  positions.locate(position, 9n, mark)
  positions.advance(position, 19n)
  positions.advance(position, 29n)
  const [again] = reassigned(positions)
  assert.ok(again)
  positions.locate(again, txn, mark)
  return again
}

test('The end of a partition is unknown before its position, and once no broker has reported it for a minute', () => {
  const clock = { nowMs: 0, now: () => clock.nowMs, sleep: () => Promise.resolve() }
  const positions = new Positions('orders', 'earliest', clock)
  const [position] = positions.add([0])
  assert.ok(position !== undefined)
  const end = (): bigint | undefined => positions.status()[0]?.end
  assert.equal(end(), undefined)
  positions.locate(position, 41n, mark)
  clock.nowMs = 60_000
  assert.equal(end(), 100n)
  clock.nowMs = 60_001
  assert.equal(end(), undefined)
  // A follower that is behind has answered too.
  positions.noteEndOffsets(new Map([[0, { low: 0n, high: 90n }]]))
  assert.equal(end(), 100n)
})

test('A partition that waits for its position keeps the offset that the table held at the last look', () => {
  const { positions, position } = assigned('earliest')
  positions.locate(position, 41n, mark)
  positions.abandon(0)
  assert.deepEqual(positions.status(), [
    { partition: 0, live: false, next: 0n, committed: 41n, end: undefined },
  ])
})

test('The assignment is unknown at first, stays when partitions are lost, and can be empty once the group has settled', () => {
  const positions = new Positions('orders', 'earliest')
  assert.equal(positions.assignment(false), undefined)
  positions.add([2, 0])
  assert.deepEqual(positions.assignment(false), [0, 2])
  positions.remove([{ partition: 2 }])
  assert.deepEqual(positions.assignment(false), [0])
  positions.remove([{ partition: 0 }], { areLost: true })
  assert.deepEqual(positions.assignment(false), [0])
  assert.deepEqual(positions.assignment(true), [])
})
