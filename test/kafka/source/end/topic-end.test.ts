// When a topic counts as carried although other members have some of its partitions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../../src/core/errors.ts'
import { TopicEnd } from '../../../../src/kafka/source/end/topic-end.ts'
import { Positions } from '../../../../src/kafka/source/start-positions.ts'
import { HeldClock } from '../../../support/flow/held-clock.ts'

const MINUTE_MS = 60_000

/** Returns an end of three partitions: 0 is assigned and read, 1 belongs to another member, 2 is empty. */
function topicEnd(): {
  end: TopicEnd
  txns: Map<number, bigint>
  clock: HeldClock
  asked: number[]
  positions: () => ReturnType<Positions['all']>
} {
  const clock = new HeldClock()
  const txns = new Map<number, bigint>()
  const asked: number[] = []
  const resume = (partition: number): Promise<bigint | undefined> => {
    asked.push(partition)
    return Promise.resolve(txns.get(partition))
  }
  const end = new TopicEnd({ topic: 'events', groupId: 'readers', resume, clock })
  const positions = new Positions('events', 'earliest', clock)
  const [own] = positions.add([0])
  if (own === undefined) throw new Error('no position')
  positions.locate(own, 9n, { low: 0n, high: 10n })
  return { end, txns, clock, asked, positions: () => positions.all() }
}

const MARKS = new Map([
  [0, { low: 0n, high: 10n }],
  [1, { low: 0n, high: 5n }],
  [2, { low: 7n, high: 7n }],
])

test('A partition of another member counts once the table has its offsets, and is not asked for again', async () => {
  const { end, txns, clock, asked, positions } = topicEnd()
  assert.deepEqual([end.checkMs, end.isReachedBy(positions())], [undefined, false])
  end.set(MARKS)
  assert.deepEqual([end.isReachedBy(positions()), end.missing(positions())], [true, [1]])
  await end.refreshIfDue(positions())
  assert.deepEqual(end.missing(positions()), [1])
  txns.set(1, 4n)
  await end.refreshIfDue(positions())
  assert.deepEqual(asked, [1], 'at most once a second')
  await clock.advance(1_000)
  await end.refreshIfDue(positions())
  assert.deepEqual(end.missing(positions()), [])
  await clock.advance(1_000)
  await end.refreshIfDue(positions())
  assert.deepEqual(asked, [1, 1])
})

test('A partition whose records were deleted meanwhile counts', () => {
  const { end, positions } = topicEnd()
  end.set(MARKS)
  end.note(new Map([[1, { low: 5n, high: 8n }]]))
  assert.deepEqual(end.missing(positions()), [])
})

test('Members that commit nothing for ten minutes end the wait with an error', async () => {
  const { end, txns, clock, positions } = topicEnd()
  end.set(MARKS)
  await end.refreshIfDue(positions())
  await clock.advance(9 * MINUTE_MS)
  txns.set(1, 2n)
  await end.refreshIfDue(positions())
  await clock.advance(9 * MINUTE_MS)
  await end.refreshIfDue(positions())
  await clock.advance(MINUTE_MS)
  await assert.rejects(
    end.refreshIfDue(positions()),
    (error) =>
      error instanceof PipelineError &&
      error.code === 'KD_SOURCE_FAILED' &&
      /partitions 1 /.test(error.message),
  )
})
