import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerMonitor } from '../../../../src/kafka/wire/network/answer-monitor.ts'
import { HeldClock } from '../../../support/flow/held-clock.ts'

const SILENCE = new Error('no response within 10000 ms')

function monitor(): { clock: HeldClock; answers: AnswerMonitor; seen: string[] } {
  const clock = new HeldClock()
  const seen: string[] = []
  const answers = new AnswerMonitor(clock, (change) => {
    seen.push(change.isAnswering ? 'answers' : change.error.message)
  })
  return { clock, answers, seen }
}

test('the first answer is reported, and silence once nobody answers for two seconds after a failure', async () => {
  const { clock, answers, seen } = monitor()
  answers.answered()
  answers.answered()
  assert.deepEqual(seen, ['answers'])
  await clock.advance(10_000)
  answers.unanswered(0, SILENCE)
  // Further failures do not extend the time.
  await clock.advance(1_000)
  answers.unanswered(0, new Error('another'))
  await clock.advance(999)
  assert.deepEqual(seen, ['answers'])
  await clock.advance(1)
  assert.deepEqual(seen, ['answers', SILENCE.message])
  answers.unanswered(0, SILENCE)
  await clock.advance(10_000)
  assert.equal(seen.length, 2)
  answers.answered()
  assert.deepEqual(seen, ['answers', SILENCE.message, 'answers'])
})

test('a failure is no silence if any broker answered since the request began, or answers soon after the failure', async () => {
  const { clock, answers, seen } = monitor()
  await clock.advance(100)
  answers.answered()
  await clock.advance(10_000)
  answers.unanswered(99, SILENCE)
  await clock.advance(5_000)
  answers.unanswered(clock.now(), SILENCE)
  await clock.advance(1_500)
  answers.answered()
  await clock.advance(5_000)
  assert.deepEqual(seen, ['answers'])
  // The next failure starts another time.
  answers.unanswered(clock.now(), SILENCE)
  await clock.advance(2_000)
  assert.deepEqual(seen, ['answers', SILENCE.message])
})

test('brokers that never answered are silent too, and a closed monitor reports nothing', async () => {
  const { clock, answers, seen } = monitor()
  answers.unanswered(clock.now(), SILENCE)
  await clock.advance(2_000)
  assert.deepEqual(seen, [SILENCE.message])
  const closed = monitor()
  closed.answers.unanswered(0, SILENCE)
  closed.answers.close()
  closed.answers.answered()
  await closed.clock.advance(5_000)
  assert.deepEqual(closed.seen, [])
})
