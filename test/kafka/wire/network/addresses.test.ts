import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBrokerAddress } from '../../../../src/kafka/wire/network/addresses.ts'

test('Addresses are read with and without a port, names and both kinds of IP addresses', () => {
  assert.deepEqual(parseBrokerAddress('kafka-0.kafka:9094'), { host: 'kafka-0.kafka', port: 9094 })
  assert.deepEqual(parseBrokerAddress(' 10.0.0.1:19092 '), { host: '10.0.0.1', port: 19092 })
  assert.deepEqual(parseBrokerAddress('kafka'), { host: 'kafka', port: 9092 })
  assert.deepEqual(parseBrokerAddress('[::1]:9093'), { host: '::1', port: 9093 })
})

test('Anything else is refused', () => {
  for (const text of [
    '',
    ':9092',
    'kafka:',
    'kafka:0',
    'kafka:70000',
    '::1',
    'PLAINTEXT://kafka:9092',
    'a:1:2',
  ])
    assert.throws(() => parseBrokerAddress(text), { code: 'KD_CONFIG_INVALID' }, text)
})
