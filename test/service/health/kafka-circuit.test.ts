import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceEvent } from '../../../src/kafka/source/source-options.ts'
import { KafkaCircuit } from '../../../src/service/health/kafka-circuit.ts'

const clock = { nowMs: 1_000, now: () => clock.nowMs, sleep: () => Promise.resolve() }
const refused: SourceEvent = {
  kind: 'restarting',
  error: Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' }),
}
const loading: SourceEvent = {
  kind: 'restarting',
  error: Object.assign(new Error('The coordinator is loading'), { name: 'KafkaJSProtocolError' }),
}

test('The circuit opens once every topic has lost the brokers, and closes once one topic reaches them', () => {
  const kafka = new KafkaCircuit('a:1,b:2', clock)
  kafka.onSourceEvent('one', { kind: 'assigned', partitions: [0] })
  kafka.onSourceEvent('two', refused)
  assert.equal(kafka.circuit.state, 'closed')
  clock.nowMs = 2_000
  kafka.onSourceEvent('one', refused)
  const { state, sinceMs, openedCount: opened, retries, reason, name } = kafka.circuit
  assert.deepEqual(
    { state, sinceMs, opened, retries, reason, name },
    { state: 'open', sinceMs: 2_000, opened: 1, retries: 2, reason: 'connect ECONNREFUSED', name: 'a:1,b:2' },
  )
  clock.nowMs = 3_000
  kafka.markReachable('two')
  assert.deepEqual([kafka.circuit.state, kafka.circuit.sinceMs], ['closed', 3_000])
})

test('A broker that refuses a request counts as reachable', () => {
  const kafka = new KafkaCircuit('a:1', clock)
  kafka.onSourceEvent('one', loading)
  assert.deepEqual([kafka.circuit.state, kafka.circuit.retries], ['closed', 1])
})

test('A removed topic does not count', () => {
  const kafka = new KafkaCircuit('a:1', clock)
  kafka.onSourceEvent('one', { kind: 'assigned', partitions: [] })
  kafka.onSourceEvent('two', refused)
  kafka.retain(['two'])
  assert.equal(kafka.circuit.state, 'open')
  kafka.forget('two')
  assert.equal(kafka.circuit.state, 'closed')
})
