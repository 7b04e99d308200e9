import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contractOfTable } from '../../src/contract/table-contract.ts'

test('a topic without a contract has the columns of its table and refuses nothing', () => {
  const schema = {
    type: 'struct' as const,
    fields: [{ name: 'a', type: 'long' as const, nullable: false, metadata: {} }],
  }
  const contract = contractOfTable(schema, 's3://lake/t')
  assert.equal(contract.schema, schema)
  assert.equal(contract.source, 's3://lake/t')
  assert.equal(contract.check({ a: 'text' }), undefined)
  assert.deepEqual(contract.plain, {
    fields: [{ name: 'a', type: 'long', required: false, nullable: true }],
    additionalProperties: true,
  })
})
