import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EndOffsetPoller, type Watermark } from '../../../src/kafka/client/end-offsets.ts'

type Marks = ReadonlyMap<number, Watermark>
const MARKS: Marks = new Map([[0, { low: 0n, high: 9n }]])

function setUp(read: () => Promise<Marks>): {
  heard: Marks[]
  clock: { nowMs: number }
  beat: () => Promise<void>
  beats: () => number
} {
  const heard: Marks[] = []
  const clock = { nowMs: 0, now: () => clock.nowMs }
  let beats = 0
  const waiting = new EndOffsetPoller({ read }, { noteEndOffsets: (marks) => void heard.push(marks) }, clock)
  const beat = waiting.besideHeartbeat(() => {
    beats++
    return Promise.resolve()
  })
  return { heard, clock, beat, beats: () => beats }
}

test('While a wait lasts, end offsets are read every fifteen seconds, beside the heartbeats', async () => {
  const { heard, clock, beat, beats } = setUp(() => Promise.resolve(MARKS))
  for (; clock.nowMs < 60_000; clock.nowMs += 1_500) {
    await beat()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(beats(), 40)
  assert.deepEqual(heard, [MARKS, MARKS, MARKS, MARKS])
})

test('Brokers that do not answer delay no heartbeat and get one request at a time, which is repeated', async () => {
  const asked: ((error: Error) => void)[] = []
  const { heard, clock, beat, beats } = setUp(() => new Promise((_, reject) => asked.push(reject)))
  for (; clock.nowMs < 60_000; clock.nowMs += 1_500) await beat()
  assert.deepEqual([beats(), asked.length], [40, 1])
  asked[0]?.(new Error('no answer'))
  await new Promise((resolve) => setImmediate(resolve))
  await beat()
  assert.deepEqual([asked.length, heard], [2, []])
})
