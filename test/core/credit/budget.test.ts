import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from '../../../src/core/credit/budget.ts'
import { Credit } from '../../../src/core/credit/credit.ts'
import { chanceBy, chanceOf, type Chance } from '../../support/values/chance.ts'

/** Creates a credit in a budget for a topic that buffers its bytes and has one flush under way at a time. */
function member(budget: Budget, bytesMax = 1_000): Credit {
  return new Credit(bytesMax, 2, budget)
}

function takeAll(credit: Credit, bytes: number): number {
  let taken = 0
  while (credit.tryTake(bytes)) taken += bytes
  return taken
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('A single topic has the whole budget', () => {
  assert.equal(takeAll(member(new Budget(100)), 10), 100)
})

test('A budget that covers the maximum of all topics never refuses', () => {
  const budget = new Budget(200)
  const [a, b] = [member(budget, 100), member(budget, 100)]
  assert.deepEqual([takeAll(a, 10), takeAll(b, 10)], [100, 100])
})

test('A topic borrows unused bytes but never all of them, and the reserved bytes of other topics stay free', () => {
  const budget = new Budget(1_000)
  const [greedy, second, third] = [member(budget), member(budget), member(budget)]
  const taken = takeAll(greedy, 10)
  // 166 bytes are reserved for each of three topics, 502 are lent: two thirds of these at most.
  assert.ok(taken > 166 + 502 / 2 && taken <= 166 + (502 * 2) / 3 + 10, `${taken} bytes are borrowed by one`)
  for (const other of [second, third]) assert.ok(takeAll(other, 10) >= 160, 'its own share is there')
  assert.ok(budget.taken <= 1_000, `${budget.taken} bytes are taken of 1,000`)
})

test('A waiting topic makes topics that borrowed more flush, and is granted bytes before them', async () => {
  const budget = new Budget(400)
  const [rich, poor] = [member(budget), member(budget)]
  const flushed: string[] = []
  rich.registerFlush(() => flushed.push('rich'))
  poor.registerFlush(() => flushed.push('poor'))
  const held = takeAll(rich, 10)
  assert.ok(poor.tryTake(100), 'its own share is there')
  const order: string[] = []
  const more = rich.take(50).then(() => order.push('rich'))
  const first = poor.take(120).then(() => order.push('poor'))
  assert.deepEqual([rich.wait?.reason, poor.wait?.reason], ['process', 'process'])
  await turn()
  assert.ok(flushed.includes('rich'), 'the one that borrowed most is told to flush')
  assert.ok(flushed.includes('poor'), 'so is the one that waits: its own bytes help too')
  rich.give(held - 150)
  await first
  assert.deepEqual(order, ['poor'])
  rich.give(150)
  await more
  assert.deepEqual(order, ['poor', 'rich'])
})

test('A batch larger than all bytes that can be lent is granted alone, to one topic at a time', async () => {
  const budget = new Budget(100)
  const [a, b] = [member(budget), member(budget)]
  await a.take(500)
  let isServed = false
  const waiting = b.take(500).then(() => (isServed = true))
  await turn()
  assert.equal(isServed, false)
  assert.ok(!a.tryTake(1), 'it has more than it may already')
  a.give(500)
  await waiting
  assert.equal(budget.taken, 500)
})

test('The bytes of a topic that ends are free for the others, and a topic that joins gets its share', () => {
  const budget = new Budget(100)
  const [a, b] = [member(budget), member(budget)]
  takeAll(a, 5)
  takeAll(b, 5)
  a.close()
  assert.equal(b.taken + takeAll(b, 5), 100)
  b.give(60)
  assert.ok(takeAll(member(budget), 5) >= 25, 'a quarter is kept for the one that joins')
})

interface Seen {
  peak: number
  largest: number
}

/** Runs a topic that reads `batches`, flushes at `flushBytes`, and commits after a random time, or never while `isStuck`. */
async function carry(
  credit: Credit,
  budget: Budget,
  seen: Seen,
  facts: {
    readonly batches: readonly number[]
    readonly flushBytes: number
    readonly chance: Chance
    readonly grows: boolean
    readonly isStuck: () => boolean
  },
): Promise<void> {
  const { batches, flushBytes, chance, grows, isStuck } = facts
  let buffered = 0
  let commits = Promise.resolve()
  const flush = (): void => {
    if (buffered === 0) return
    const bytes = buffered
    buffered = 0
    credit.flushOpened()
    commits = commits.then(async () => {
      for (let wait = chance.int(6); wait >= 0 || isStuck(); wait--) await turn()
      credit.give(bytes)
      credit.flushSettled(0)
    })
  }
  credit.registerFlush(flush)
  for (const bytes of batches) {
    await credit.take(bytes)
    seen.peak = Math.max(seen.peak, budget.taken)
    // Columns may be larger than their records.
    const more = grows ? chance.int(1 + Math.floor(bytes / 4)) : 0
    credit.charge(more)
    buffered += bytes + more
    if (buffered >= flushBytes || credit.shouldFlush) flush()
    if (chance.once(3)) await turn()
  }
  flush()
  await commits
}

test('Topics of any size in any budget all finish within the budget plus one batch, also beside one whose store is down', async (t) => {
  const { seed } = chanceOf(t)
  for (let run = 0; run < 60; run++) {
    const chance = chanceBy(seed + run)
    const count = 2 + chance.int(9)
    const budget = new Budget(2_000 + chance.int(20_000))
    budget.expectTopics(count)
    const seen: Seen = { peak: 0, largest: 0 }
    const hasBroken = chance.once(2)
    // Fetches are so small that the reserved bytes of a topic always hold one.
    const batchMax = hasBroken ? Math.floor(budget.bytesMax / (2 * count)) : 3_000
    const grows = chance.once(2)
    let isDown = hasBroken
    const runs = Array.from({ length: count }, (_, index) => {
      const flushBytes = 500 + chance.int(6_000)
      const credit = new Credit(2 * flushBytes, 2, budget)
      const large = 1 + chance.int(Math.min(batchMax, chance.once(4) ? 3_000 : 400))
      const batches = Array.from({ length: 20 + chance.int(60) }, () => 1 + chance.int(large))
      seen.largest = Math.max(seen.largest, ...batches)
      const isStuck = index === 0 ? () => isDown : () => false
      return carry(credit, budget, seen, { batches, flushBytes, chance, grows, isStuck })
    })
    await finished(runs.slice(1), `seed ${seed + run}: a topic starves beside one whose store is down`)
    isDown = false
    await finished(runs, `seed ${seed + run}: the topic whose store was down does not recover`)
    assert.equal(budget.taken, 0)
    const most = (grows ? 1.5 : 1) * budget.bytesMax + seen.largest
    assert.ok(seen.peak <= most, `seed ${seed + run}: ${seen.peak} bytes were taken at once, of ${most}`)
  }
})

/** Waits until all end, at most for enough turns of the event loop that nothing can be under way any more. */
async function finished(runs: readonly Promise<void>[], otherwise: string): Promise<void> {
  const over = new AbortController()
  const late = (async () => {
    for (let turns = 0; turns < 20_000 && !over.signal.aborted; turns++) await turn()
    assert.ok(over.signal.aborted, otherwise)
  })()
  const all = Promise.all(runs).then(() => over.abort())
  await Promise.race([all, late])
}
