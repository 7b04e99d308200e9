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

test('The brokers are away once every topic has lost them, and back once one hears from them', () => {
  const kafka = new KafkaCircuit('a:1,b:2', clock)
  kafka.event('one', { kind: 'assigned', partitions: [0] })
  kafka.event('two', refused)
  assert.equal(kafka.circuit.state, 'closed')
  clock.nowMs = 2_000
  kafka.event('one', refused)
  const { state, sinceMs, opened, retries, reason, name } = kafka.circuit
  assert.deepEqual(
    { state, sinceMs, opened, retries, reason, name },
    { state: 'open', sinceMs: 2_000, opened: 1, retries: 2, reason: 'connect ECONNREFUSED', name: 'a:1,b:2' },
  )
  clock.nowMs = 3_000
  kafka.answered('two')
  assert.deepEqual([kafka.circuit.state, kafka.circuit.sinceMs], ['closed', 3_000])
})

test('A broker that refuses something is there', () => {
  const kafka = new KafkaCircuit('a:1', clock)
  kafka.event('one', loading)
  assert.deepEqual([kafka.circuit.state, kafka.circuit.retries], ['closed', 1])
})

test('A topic that is gone says nothing of the brokers', () => {
  const kafka = new KafkaCircuit('a:1', clock)
  kafka.event('one', { kind: 'assigned', partitions: [] })
  kafka.event('two', refused)
  kafka.keep(['two'])
  assert.equal(kafka.circuit.state, 'open')
  kafka.forget('two')
  assert.equal(kafka.circuit.state, 'closed')
})
