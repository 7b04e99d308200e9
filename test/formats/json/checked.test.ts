import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadContract } from '../../../src/contract/contract.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { pack } from '../../../src/kafka/source/pack-records.ts'

/** Returns the texts that become columns. Every one of them must be accepted by the contract. */
function provenOf(schema: object, texts: readonly string[]): string[] {
  const contract = loadContract({ type: 'object', ...schema }, { source: 'test' })
  const records = texts.map((text, offset) => ({
    key: null,
    value: Buffer.from(text),
    timestamp: '0',
    offset: String(offset),
  }))
  const decoded = jsonFormat({ schema: contract.schema, plain: contract.plain }).decode(
    pack('t', 0, records, 0n),
  )
  const proven = [...(decoded.validated?.records ?? [])].map((record) => texts[record] ?? '')
  for (const text of proven) assert.equal(contract.check(JSON.parse(text)), undefined, text)
  return proven
}

const ofA = (schema: object): object => ({ properties: { a: schema } })

test('numbers in JSON obey the arithmetic of the contract', () => {
  const texts = ['{"a":1}', '{"a":0.75}', '{"a":-0}', '{"a":1e3}', '{"a":0.3}', '{"a":1e22}', '{"a":1e-9}']
  assert.deepEqual(provenOf(ofA({ type: 'number', multipleOf: 0.25 }), texts), texts.slice(0, 4))
  assert.deepEqual(provenOf(ofA({ type: 'number', enum: [1, 1000, 0] }), texts), [
    '{"a":1}',
    '{"a":-0}',
    '{"a":1e3}',
  ])
})

test('texts in JSON obey patterns and formats; escapes are left to the contract', () => {
  const uuid = '123e4567-e89b-12d3-a456-426614174000'
  assert.deepEqual(provenOf(ofA({ type: 'string', format: 'uuid' }), [`{"a":"${uuid}"}`, '{"a":"x"}']), [
    `{"a":"${uuid}"}`,
  ])
  const texts = ['{"a":"ab"}', '{"a":"b"}', '{"a":"aé"}', '{"a":"\\u0061"}']
  assert.deepEqual(provenOf(ofA({ type: 'string', pattern: '^a' }), texts), ['{"a":"ab"}', '{"a":"aé"}'])
  assert.deepEqual(provenOf(ofA({ type: 'string', not: { pattern: '^a' } }), texts), ['{"a":"b"}'])
})

test('lists in JSON obey their sizes, and lists of one element are unique', () => {
  const list = { type: 'array', items: { type: 'integer' } }
  const texts = ['{"a":[]}', '{"a":[1]}', '{"a":[ 1 , 2 ]}', '{"a":[1,1]}', '{"a":[1,2,3]}']
  assert.deepEqual(provenOf(ofA({ ...list, minItems: 1, maxItems: 2 }), texts), texts.slice(1, 4))
  assert.deepEqual(provenOf(ofA({ ...list, uniqueItems: true }), texts), texts.slice(0, 2))
})

test('objects in JSON obey conditions, dependencies and counts', () => {
  const properties = { a: { type: 'string' }, b: { type: 'integer' } }
  const texts = ['{"a":"x","b":1}', '{"a":"x"}', '{"b":1}', '{}', '{"a":"y"}', '{"a":"y","z":{"b":2}}']
  const condition = { if: { properties: { a: { const: 'x' } }, required: ['a'] }, then: { required: ['b'] } }
  assert.deepEqual(
    provenOf({ properties, ...condition }, texts),
    texts.filter((_, index) => index !== 1),
  )
  assert.deepEqual(provenOf({ properties, dependentRequired: { a: ['b'] } }, texts), [
    texts[0],
    texts[2],
    texts[3],
  ])
  assert.deepEqual(provenOf({ properties, oneOf: [{ required: ['a'] }, { required: ['b'] }] }, texts), [
    texts[1],
    texts[2],
    texts[4],
    texts[5],
  ])
  assert.deepEqual(provenOf({ properties, maxProperties: 1 }, texts), texts.slice(1, 5))
  assert.deepEqual(provenOf({ properties, minProperties: 2 }, texts), [texts[0]])
})

test('a required property without a column is found in the bytes; the last of two counts', () => {
  const schema = { properties: { a: { type: 'integer' } }, required: ['z'] }
  const texts = ['{"a":1,"z":null}', '{"a":1}', '{"z":1,"a":1}', '{"a":1,"z":1,"z":2}', '{"a":{"z":1}}']
  assert.deepEqual(provenOf(schema, texts), [texts[0], texts[2]])
})

test('names of properties obey their rules', () => {
  const schema = { properties: { a: { type: 'integer' } }, propertyNames: { maxLength: 1 } }
  assert.deepEqual(provenOf(schema, ['{"a":1}', '{"a":1,"bc":2}', '{"é":1}']), ['{"a":1}', '{"é":1}'])
})
