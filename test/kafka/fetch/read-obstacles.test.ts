import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerAnswers, type ReadObstacle, ReadObstacles } from '../../../src/kafka/fetch/read-obstacles.ts'

test('An obstacle began with the first cause, while one cause follows another', () => {
  const obstacles = new ReadObstacles()
  const present = new Map<number, ReadObstacle>()
  const described = (): unknown =>
    obstacles.addTo([{ partition: 0 }, { partition: 1 }], (each) => present.get(each))
  const withObstacle = (sinceMs: number, reason: string): unknown => [
    { partition: 0, obstacle: { sinceMs, reason } },
    { partition: 1 },
  ]
  present.set(0, { sinceMs: 5, reason: 'a broker' })
  assert.deepEqual(described(), withObstacle(5, 'a broker'))
  present.set(0, { sinceMs: 9, reason: 'no leader' })
  assert.deepEqual(described(), withObstacle(5, 'no leader'))
  present.clear()
  assert.deepEqual(described(), [{ partition: 0 }, { partition: 1 }])
  present.set(0, { sinceMs: 11, reason: 'again' })
  assert.deepEqual(described(), withObstacle(11, 'again'))
})

test('A broker is an obstacle while its requests fail, and once one has had no response in time', () => {
  const answers = new BrokerAnswers(2, 100)
  answers.begin(0)
  assert.equal(answers.obstacle(99), undefined)
  assert.deepEqual(answers.obstacle(100), { sinceMs: 0, reason: 'broker 2 does not answer' })
  answers.end(100)
  assert.equal(answers.obstacle(500), undefined)
  answers.address = 'b:9'
  answers.noteFailure(600, 'answers UNKNOWN_SERVER_ERROR')
  answers.noteFailure(700, 'does not answer: it hung up')
  assert.deepEqual(answers.obstacle(700), {
    sinceMs: 600,
    reason: 'broker 2 at b:9 does not answer: it hung up',
  })
  answers.noteSuccess()
  assert.equal(answers.obstacle(800), undefined)
})

test('A failure is forgotten once nothing has been read from the broker for a while', () => {
  const answers = new BrokerAnswers(2, 100)
  answers.begin(0)
  answers.noteFailure(50, 'does not answer: it hung up')
  answers.end(50)
  answers.begin(10_050)
  assert.equal(answers.obstacle(10_050)?.sinceMs, 50)
  answers.end(10_060)
  answers.begin(3_600_000)
  assert.equal(answers.obstacle(3_600_000), undefined)
})
