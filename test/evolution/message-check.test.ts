import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadContract } from '../../src/contract/contract.ts'
import { createMessageCheck } from '../../src/evolution/message-check.ts'

const contract = loadContract(
  {
    type: 'object',
    required: ['n'],
    properties: { n: { type: 'integer' }, s: { type: 'string' } },
    additionalProperties: true,
  },
  { source: 'test' },
)

test('Messages are checked as rows are: keys keep their case, and a value of another type is a fault', () => {
  const check = createMessageCheck(contract, 'addNewColumns')
  assert.equal(check({ n: 1 }), undefined)
  assert.match(String(check({ N: 1 })), /required property 'n'/)
  assert.match(String(createMessageCheck(contract, 'rescue')({ N: 1, s: 5 })), /required property 'n'/)
  assert.match(String(check({ n: 'x' })), /must be integer/)
  assert.notEqual(check('text'), undefined)
  assert.notEqual(check(null), undefined)
})

test('A value that the policy rescues is valid', () => {
  const message = { n: 1, s: 5 }
  assert.match(String(createMessageCheck(contract, 'addNewColumns')(message)), /must be string/)
  assert.equal(createMessageCheck(contract, 'rescue')(message), undefined)
})
