// Goal: what brokers will never accept is said as such, and not retried as if they did not answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasErrorType, isUnreachable, kafkaFaultOf } from '../../../src/kafka/client/faults.ts'

/** An error as kafkajs throws it: with the type of the broker's error code. */
function refusal(type: string, message = 'no'): Error {
  return Object.assign(new Error(message), { name: 'KafkaJSProtocolError', type })
}

for (const [type, message] of [
  [
    'INVALID_TOPIC_EXCEPTION',
    /expected a topic name of 1 to 249 letters.*got "a b" \(INVALID_TOPIC_EXCEPTION\)/,
  ],
  ['POLICY_VIOLATION', /policy of the cluster.*"a b"/],
  ['INVALID_CONFIG', /got: no \(INVALID_CONFIG\)/],
  ['INVALID_PARTITIONS', /INVALID_PARTITIONS/],
  ['UNSUPPORTED_VERSION', /UNSUPPORTED_VERSION/],
  ['INVALID_GROUP_ID', /INVALID_GROUP_ID/],
] as const) {
  test(`${type} is a permanent refusal, wherever it is among the causes`, () => {
    const wrapped = new Error('Retries are used up', { cause: refusal(type) })
    const aggregate = Object.assign(new Error('Some failed'), { errors: [refusal(type)] })
    for (const error of [refusal(type), wrapped, aggregate]) {
      const fault = kafkaFaultOf(error, { topic: 'a b' })
      assert.deepEqual([fault?.code, fault?.retryable], ['KD_KAFKA_REFUSED', false])
      assert.match(fault?.message ?? '', message)
      assert.equal(isUnreachable(fault), false)
    }
  })
}

test('Too few brokers for the replicas are a refusal that may pass', () => {
  const fault = kafkaFaultOf(refusal('INVALID_REPLICATION_FACTOR'), { topic: 'orders' })
  assert.deepEqual([fault?.code, fault?.retryable], ['KD_KAFKA_REFUSED', true])
  assert.match(fault?.message ?? '', /default\.replication\.factor/)
})

test('Rights are no such refusal, and failures that may pass are none at all', () => {
  const forbidden = kafkaFaultOf(refusal('TOPIC_AUTHORIZATION_FAILED'), { topic: 'orders' })
  assert.equal(forbidden?.code, 'KD_KAFKA_FORBIDDEN')
  for (const type of ['LEADER_NOT_AVAILABLE', 'UNKNOWN', 'MESSAGE_TOO_LARGE', 'CONCURRENT_TRANSACTIONS'])
    assert.equal(kafkaFaultOf(refusal(type)), undefined, type)
  assert.equal(hasErrorType(refusal('MESSAGE_TOO_LARGE'), ['MESSAGE_TOO_LARGE']), true)
})
