import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadContract } from '../../src/contract/contract.ts'
import { messageCheck } from '../../src/evolution/message-check.ts'

const contract = loadContract(
  {
    type: 'object',
    required: ['n'],
    properties: { n: { type: 'integer' }, s: { type: 'string' } },
    additionalProperties: true,
  },
  { source: 'test' },
)

test('Messages are held to the contract by the measure of rows: another case is no fault, another type is', () => {
  const check = messageCheck(contract, 'addNewColumns')
  assert.equal(check({ n: 1 }), undefined)
  assert.equal(check({ N: 1 }), undefined)
  assert.match(String(check({ n: 'x' })), /must be integer/)
  assert.notEqual(check('text'), undefined)
  assert.notEqual(check(null), undefined)
})

test('What the policy rescues is no fault of the message', () => {
  const message = { n: 1, s: 5 }
  assert.match(String(messageCheck(contract, 'addNewColumns')(message)), /must be string/)
  assert.equal(messageCheck(contract, 'rescue')(message), undefined)
})
