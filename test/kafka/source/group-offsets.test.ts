// Goal: offsets are copied to the group for lag tools, and reading waits for none of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OffsetToCommit } from '../../../src/kafka/group/offsets.ts'
import { GroupOffsetCopies } from '../../../src/kafka/source/group-offsets.ts'
import { SimClock } from '../group/support/sim-clock.ts'

const at = (partition: number, next: bigint): OffsetToCommit => ({ topic: 'a', partition, epoch: 1, next })

/** Copies whose requests are answered by hand. */
function copiesOfHand(clock: SimClock): {
  readonly copies: GroupOffsetCopies
  readonly sent: string[]
  readonly answer: () => void
} {
  const sent: string[] = []
  let answer = (): void => undefined
  const copies = new GroupOffsetCopies((positions) => {
    sent.push(positions.map(({ partition, next }) => `${partition}@${next}`).join(' '))
    return new Promise((resolve) => (answer = resolve))
  }, clock)
  return {
    copies,
    sent,
    answer: () => {
      answer()
    },
  }
}

test('a copy that is answered is waited for', async () => {
  const { copies, sent, answer } = copiesOfHand(new SimClock())
  let isDone = false
  const added = copies.add([at(0, 5n)]).then(() => (isDone = true))
  await Promise.resolve()
  assert.equal(isDone, false)
  answer()
  await added
  assert.deepEqual(sent, ['0@5'])
})

test('while the coordinator does not answer, flushes go on, and only the newest offsets are sent after it', async () => {
  const clock = new SimClock()
  const { copies, sent, answer } = copiesOfHand(clock)
  const first = copies.add([at(0, 5n), at(1, 7n)])
  await clock.advance(300)
  await first
  await copies.add([at(0, 6n)])
  await copies.add([at(0, 9n)])
  await copies.add([at(1, 8n)])
  assert.deepEqual(sent, ['0@5 1@7'])
  answer()
  await clock.advance(1)
  assert.deepEqual(sent, ['0@5 1@7', '0@9 1@8'])
  answer()
  await copies.finish()
  assert.equal(clock.sleepers, 0)
})

test('a source that closes waits for the last copy, but not forever', async () => {
  const clock = new SimClock()
  const { copies } = copiesOfHand(clock)
  void copies.add([at(0, 5n)])
  let isDone = false
  const finished = copies.finish().then(() => (isDone = true))
  await clock.advance(4_000)
  assert.equal(isDone, false)
  await clock.advance(1_500)
  await finished
})
