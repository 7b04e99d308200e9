import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Positions } from '../../../../src/kafka/source/start-positions.ts'
import { waitUntilCommitted } from '../../../../src/kafka/source/end/wait-until-committed.ts'

/** Positions of two partitions: everything of 0 is committed, 1 was read up to offset 9 and committed up to 4. */
function positions(): Positions {
  const made = new Positions('orders', 'earliest')
  for (const position of made.add([0, 1])) {
    made.locate(position, 4n, { low: 0n, high: 20n })
    if (position.partition === 1) made.advance(position, 9n)
  }
  return made
}

const clock = (onSleep: () => void): Parameters<typeof waitUntilCommitted>[1]['clock'] => ({
  now: () => 0,
  sleep: () => {
    onSleep()
    return Promise.resolve()
  },
})

test('A wait requests flushes until everything that was read is committed', async () => {
  const made = positions()
  let flushes = 0
  const last = [6n, 9n]
  await waitUntilCommitted([0, 1], {
    positions: made,
    credit: { requestFlush: () => flushes++ },
    clock: clock(() => made.committed(1, last.shift() ?? assert.fail('a wait after the last commit'))),
    isOver: () => false,
  })
  assert.equal(flushes, 2)
})

test('Partitions that are committed or no longer assigned are not waited for', async () => {
  const made = positions()
  const wait = {
    positions: made,
    credit: { requestFlush: () => assert.fail('a flush') },
    clock: clock(() => assert.fail('a wait')),
    isOver: () => false,
  }
  await waitUntilCommitted([0], wait)
  made.remove([{ partition: 1 }])
  await waitUntilCommitted([0, 1, 2], wait)
})

test('A wait ends when it is of no more use', async () => {
  let left = 3
  await waitUntilCommitted([1], {
    positions: positions(),
    credit: { requestFlush: () => undefined },
    clock: clock(() => left--),
    isOver: () => left === 0,
  })
  assert.equal(left, 0)
})
