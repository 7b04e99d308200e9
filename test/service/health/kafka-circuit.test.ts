import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceEvent } from '../../../src/kafka/source/source-options.ts'
import { KafkaCircuit } from '../../../src/service/health/kafka-circuit.ts'

const clock = { nowMs: 1_000, now: () => clock.nowMs, sleep: () => Promise.resolve() }
const silent: SourceEvent = { kind: 'brokers-silent', error: new Error('connect ECONNREFUSED') }
const answer: SourceEvent = { kind: 'brokers-answer' }

test('The circuit is half open and passes requests until a broker answers, and tells each change of its state once', () => {
  const changes: string[] = []
  const kafka = new KafkaCircuit('a:1', clock, ({ state }) => changes.push(state))
  assert.deepEqual([kafka.circuit.state, kafka.circuit.isPassing], ['half-open', true])
  kafka.onSourceEvent('one', { kind: 'rebalancing' })
  assert.equal(kafka.circuit.state, 'half-open')
  kafka.onSourceEvent('one', silent)
  kafka.onSourceEvent('two', silent)
  assert.deepEqual([kafka.circuit.state, kafka.circuit.code], ['open', 'KD_KAFKA_UNREACHABLE'])
  kafka.onSourceEvent('two', answer)
  kafka.onSourceEvent('one', answer)
  assert.deepEqual([kafka.circuit.state, kafka.circuit.isPassing], ['closed', undefined])
  assert.deepEqual(changes, ['open', 'closed'])
  const listed = new KafkaCircuit('a:1', clock)
  listed.markAnswered()
  assert.equal(listed.circuit.state, 'closed')
})

test('A topic that failed because one broker of several did not answer leaves the circuit closed', () => {
  const kafka = new KafkaCircuit('a:1,b:2', clock)
  kafka.onSourceEvent('one', answer)
  kafka.noteFailure('one', 'the leader of partition 3 did not answer')
  assert.equal(kafka.circuit.state, 'closed')
  kafka.noteFailure('other', 'no broker answered')
  assert.equal(kafka.circuit.state, 'closed')
  kafka.retain(['other'])
  assert.equal(kafka.circuit.state, 'open')
})

test('The circuit opens once no broker answers to any topic, and closes with the next answer to any topic', () => {
  const kafka = new KafkaCircuit('a:1,b:2', clock)
  kafka.onSourceEvent('one', answer)
  kafka.onSourceEvent('two', silent)
  assert.equal(kafka.circuit.state, 'closed')
  clock.nowMs = 2_000
  kafka.onSourceEvent('one', silent)
  const { state, sinceMs, openedCount: opened, reason, name } = kafka.circuit
  assert.deepEqual(
    { state, sinceMs, opened, reason, name },
    { state: 'open', sinceMs: 2_000, opened: 1, reason: 'connect ECONNREFUSED', name: 'a:1,b:2' },
  )
  clock.nowMs = 3_000
  kafka.onSourceEvent('two', answer)
  assert.deepEqual([kafka.circuit.state, kafka.circuit.sinceMs], ['closed', 3_000])
})

test('A failed request counts as a retry and does not open the circuit; a rebalance and commits change nothing', () => {
  const kafka = new KafkaCircuit('a:1', clock)
  kafka.onSourceEvent('one', answer)
  kafka.onSourceEvent('one', { kind: 'restarting', error: new Error('the connection broke') })
  kafka.onSourceEvent('one', { kind: 'rebalancing' })
  kafka.onSourceEvent('one', { kind: 'offsets-failed', error: new Error('REBALANCE_IN_PROGRESS') })
  assert.deepEqual([kafka.circuit.state, kafka.circuit.retries], ['closed', 1])
  kafka.onSourceEvent('one', silent)
  kafka.onSourceEvent('one', { kind: 'assigned', partitions: [0] })
  assert.equal(kafka.circuit.state, 'open')
})

test('A topic that failed because no broker answered keeps the circuit open until one answers', () => {
  const kafka = new KafkaCircuit('a:1', clock)
  kafka.markUnreachable('one', 'No Kafka broker answered')
  assert.equal(kafka.circuit.state, 'open')
  kafka.onSourceEvent('one', answer)
  assert.equal(kafka.circuit.state, 'closed')
})

test('A removed topic does not count', () => {
  const kafka = new KafkaCircuit('a:1', clock)
  kafka.onSourceEvent('one', answer)
  kafka.onSourceEvent('two', silent)
  kafka.retain(['two'])
  assert.equal(kafka.circuit.state, 'open')
  kafka.forget('two')
  assert.equal(kafka.circuit.state, 'closed')
})

test('A topic that waits for its restart hides no outage from the others, and ends none', () => {
  const kafka = new KafkaCircuit('a:1', clock)
  kafka.onSourceEvent('one', answer)
  kafka.onSourceEvent('two', answer)
  kafka.markIdle('one')
  assert.equal(kafka.circuit.state, 'closed')
  kafka.onSourceEvent('two', silent)
  assert.equal(kafka.circuit.state, 'open')
  kafka.markIdle('two')
  assert.equal(kafka.circuit.state, 'open')
})
