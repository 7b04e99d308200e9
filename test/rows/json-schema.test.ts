import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { jsonSchema } from '../../src/rows/json-schema.ts'

test('A JSON Schema literal is a contract: what types cannot express is checked when messages are read', () => {
  const contract = jsonSchema({
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'integer', minimum: 1 }, at: { type: 'string', format: 'date-time' } },
  })
  assert.deepEqual(
    contract.schema.fields.map(({ name, type }) => [name, type]),
    [
      ['id', 'long'],
      ['at', 'timestamp'],
    ],
  )
  assert.equal(contract.check({ id: 1 }), undefined)
  assert.match(contract.check({ id: 0 }) ?? '', /^\/id /)
  assert.match(contract.check({}) ?? '', /id/)
})

test('A JSON Schema literal that is no contract is refused with the pointer to its fault', () => {
  assert.throws(
    () => jsonSchema({ type: 'object', properties: { id: { type: 'integr' } } }),
    (error) =>
      error instanceof PipelineError &&
      error.code === 'KD_CONTRACT_INVALID' &&
      error.message.includes('/properties/id/type'),
  )
})
