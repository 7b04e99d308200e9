import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerAnswers, ReadObstacles } from '../../../src/kafka/fetch/read-obstacles.ts'

test('An obstacle began with the first cause, while one cause follows another', () => {
  const obstacles = new ReadObstacles()
  assert.deepEqual(obstacles.follow(0, { sinceMs: 5, reason: 'a broker' }), {
    sinceMs: 5,
    reason: 'a broker',
  })
  assert.deepEqual(obstacles.follow(1, { sinceMs: 7, reason: 'other' }), { sinceMs: 7, reason: 'other' })
  assert.deepEqual(obstacles.follow(0, { sinceMs: 9, reason: 'no leader' }), {
    sinceMs: 5,
    reason: 'no leader',
  })
  assert.equal(obstacles.follow(0, undefined), undefined)
  assert.deepEqual(obstacles.follow(0, { sinceMs: 11, reason: 'again' }), { sinceMs: 11, reason: 'again' })
})

test('A broker is an obstacle while its requests fail, and once one has had no response in time', () => {
  const answers = new BrokerAnswers(2, 100)
  answers.begin(0)
  assert.equal(answers.obstacle(99), undefined)
  assert.deepEqual(answers.obstacle(100), { sinceMs: 0, reason: 'broker 2 does not answer' })
  answers.end()
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
