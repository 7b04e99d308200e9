import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAction, serialiseAction } from '../../../src/delta/protocol/action-json.ts'
import { parseSchema, serialiseSchema } from '../../../src/delta/schema/schema-json.ts'

test('Longs beyond 2^53 are exact in both directions', () => {
  const line = '{"txn":{"appId":"a","version":9223372036854775807,"lastUpdated":1}}'
  const action = parseAction(line)
  assert.deepEqual(action, {
    kind: 'txn',
    txn: { appId: 'a', version: 9223372036854775807n, lastUpdated: 1 },
  })
  assert.equal(
    serialiseAction({ kind: 'txn', txn: { appId: 'a', version: 2n ** 63n - 1n, lastUpdated: 1 } }),
    line,
  )
})

test('Unknown actions are ignored and unknown fields are left out', () => {
  assert.equal(parseAction('{"cdc":{"path":"x"}}'), undefined)
  assert.equal(parseAction('{"__proto__":{"path":"x"}}'), undefined)
  assert.deepEqual(parseAction('{"protocol":{"minReaderVersion":1,"minWriterVersion":2,"new":[1]}}'), {
    kind: 'protocol',
    protocol: { minReaderVersion: 1, minWriterVersion: 2 },
  })
})

test('The error for a missing or invalid field names it', () => {
  assert.throws(() => parseAction('{"txn":{"appId":"a"}}'), /txn\.version is missing/)
  assert.throws(() => parseAction('{"txn":{"appId":"a","version":"1"}}'), /txn\.version has an invalid value/)
  assert.throws(() => parseAction('{"txn":{"appId":"a","version":9223372036854775808}}'), /txn\.version/)
  assert.throws(() => parseAction('[]'), /must be a JSON object/)
})

test('A schema with every kind of type keeps its text', () => {
  const text =
    '{"type":"struct","fields":[{"name":"a","type":"decimal(38,18)","nullable":true,"metadata":{"x":9007199254740993}},' +
    '{"name":"m","type":{"type":"map","keyType":"integer","valueType":{"type":"array","elementType":"timestamp_ntz",' +
    '"containsNull":false},"valueContainsNull":true},"nullable":false,"metadata":{}}]}'
  assert.equal(serialiseSchema(parseSchema(text)), text)
})

test('An unknown type is refused with its column', () => {
  const text = '{"type":"struct","fields":[{"name":"v","type":"variant","nullable":true,"metadata":{}}]}'
  assert.throws(() => parseSchema(text), { code: 'KD_TABLE_UNSUPPORTED', message: /variant.*column v/ })
})
