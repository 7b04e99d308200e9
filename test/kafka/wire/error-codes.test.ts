import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BROKER_ERRORS,
  errorNameOf,
  isMetadataStale,
  isPermanentRefusal,
  isRetriable,
  refusalCodeOf,
} from '../../../src/kafka/wire/error-codes.ts'
import { errorsOfJava } from './support/java.ts'

test("Error codes have the names and the flags that Kafka's own classes give them", async () => {
  const lines = await errorsOfJava()
  assert.ok(lines.length > 100)
  for (const line of lines) {
    const [code, name] = line.split(' ')
    const flags = `${isRetriable(Number(code))} ${isMetadataStale(Number(code))}`
    assert.equal(`${code ?? ''} ${errorNameOf(Number(code))} ${flags}`, line, name)
  }
})

test('An unknown code is named by its number and is not retriable', () => {
  assert.equal(errorNameOf(9999), 'ERROR_9999')
  assert.equal(isRetriable(9999), false)
  assert.equal(isMetadataStale(9999), false)
})

test('No code has two names', () => {
  const codes = Object.values(BROKER_ERRORS).map(({ code }) => code)
  assert.equal(new Set(codes).size, codes.length)
})

test('No permanent refusal may pass, and neither rights nor the state of a group count as one', () => {
  const names = Object.keys(BROKER_ERRORS) as (keyof typeof BROKER_ERRORS)[]
  const refusals = names.filter(isPermanentRefusal)
  assert.ok(refusals.length > 15)
  for (const name of refusals) {
    assert.equal(BROKER_ERRORS[name].retriable, false, name)
    assert.doesNotMatch(name, /AUTHORIZATION|AUTHENTICATION|EPOCH|GENERATION|MEMBER|REBALANCE|UNKNOWN/)
  }
  for (const name of ['INVALID_TOPIC_EXCEPTION', 'POLICY_VIOLATION', 'INVALID_CONFIG', 'INVALID_PARTITIONS'])
    assert.equal(isPermanentRefusal(name), true)
  for (const name of ['UNKNOWN_SERVER_ERROR', 'INVALID_REPLICATION_FACTOR', 'GROUP_MAX_SIZE_REACHED', ''])
    assert.equal(isPermanentRefusal(name), false)
})

test('A refusal for a missing permission is KD_KAFKA_FORBIDDEN, whatever the permission is on', () => {
  const names = Object.keys(BROKER_ERRORS).filter((name) => refusalCodeOf(name) === 'KD_KAFKA_FORBIDDEN')
  assert.deepEqual(names, [
    'TOPIC_AUTHORIZATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
  ])
  assert.equal(refusalCodeOf('INVALID_REQUEST'), 'KD_KAFKA_REFUSED')
  assert.equal(refusalCodeOf('UNKNOWN_SERVER_ERROR'), 'KD_SOURCE_FAILED')
})
