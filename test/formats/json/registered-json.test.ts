import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contractOfRegisteredJson } from '../../../src/formats/json/registered-json.ts'
import type { RegisteredSchema } from '../../../src/registry/registry.ts'

const $schema = 'http://json-schema.org/draft-07/schema#'
const ADDRESS = { $schema, type: 'object', properties: { zip: { $ref: 'zip.json#/definitions/zip' } } }
const ZIP = { definitions: { zip: { type: 'integer', minimum: 1 } } }

function registered(schema: object, references: Readonly<Record<string, object>> = {}): RegisteredSchema {
  const named = Object.entries(references).map(([name, json]) => ({ name, text: JSON.stringify(json) }))
  return { type: 'JSON', text: JSON.stringify(schema), references: named }
}

test('The references of a registered schema are found by name', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{}, 'address.json'],
    [{ $id: 'https://shop.example/order.json' }, 'address.json'],
    [{ $id: 'https://shop.example/order.json' }, 'https://shop.example/address.json'],
    [{}, 'https://other.example/address.json'],
  ]
  for (const [rest, name] of cases) {
    const schema = { $schema, ...rest, type: 'object', properties: { to: { $ref: name } } }
    const contract = contractOfRegisteredJson(
      registered(schema, { 'zip.json': ZIP, [name]: ADDRESS }),
      'test',
    )
    assert.equal(contract.check({ to: { zip: 5 } }), undefined, name)
    assert.match(contract.check({ to: { zip: 0 } }) ?? '', /^\/to\/zip must be >= 1/, name)
  }
})

test('A registered schema reads no files, and a reference missing in the registry is refused by name', () => {
  for (const $ref of ['file:///etc/hostname', '../package.json', 'https://127.0.0.1:1/x.json'])
    assert.throws(
      () => contractOfRegisteredJson(registered({ type: 'object', properties: { a: { $ref } } }), 'test'),
      (error: Error) => error.message.includes(`${$ref} is neither in this file nor in a file next to it`),
    )
})

test('A schema of another type, and text that is not JSON, are refused', () => {
  assert.throws(() => contractOfRegisteredJson({ type: 'AVRO', text: '{}', references: [] }, 'x'), {
    code: 'KD_CONTRACT_INVALID',
    message: /expected a JSON Schema, got type AVRO/,
  })
  const broken = { type: 'JSON', text: '{}', references: [{ name: 'b', text: '{' }] } as const
  assert.throws(() => contractOfRegisteredJson(broken, 'x'), {
    code: 'KD_CONTRACT_INVALID',
    message: /b: .*JSON/,
  })
})

test('Formats that JSON Schema does not define are ignored at any depth, others are asserted', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-04/schema#',
    type: 'object',
    properties: {
      total: { type: 'number', format: 'decimal' },
      id: { type: 'string', format: 'guid' },
      list: { type: 'array', items: { type: 'string', format: 'time-span' } },
      to: { $ref: 'address.json' },
      format: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
      count: { type: 'integer', format: 'int32' },
    },
  }
  const address = { type: 'object', properties: { zip: { type: 'string', format: 'zip-code' } } }
  const contract = contractOfRegisteredJson(registered(schema, { 'address.json': address }), 'test')
  assert.deepEqual(
    contract.schema.fields.map(({ name, type }) => (typeof type === 'string' ? `${name} ${type}` : name)),
    ['total double', 'id string', 'list', 'to', 'format string', 'at timestamp', 'count long'],
  )
  assert.equal(contract.check({ total: 1.5, id: 'x', list: ['y'], to: { zip: 'z' }, format: 'f' }), undefined)
  assert.match(contract.check({ at: 'yesterday' }) ?? '', /^\/at /)
  assert.match(contract.check({ count: 2 ** 40 }) ?? '', /^\/count /)
})

test('A registered schema may begin with a byte order mark', () => {
  const text = `\ufeff${JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } } })}`
  const { schema } = contractOfRegisteredJson({ type: 'JSON', text, references: [] }, 'test')
  assert.deepEqual(
    schema.fields.map(({ name }) => name),
    ['id'],
  )
})
