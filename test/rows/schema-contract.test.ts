import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadContract } from '../../src/contract/contract.ts'
import { columns, list, mapOf, nullable } from '../../src/rows/row-schema.ts'
import { contractOf, contractOfColumns } from '../../src/rows/schema-contract.ts'

const SCHEMA = columns({
  id: 'long',
  note: 'string?',
  place: nullable({ city: 'string' }),
  lines: list({ sku: 'string' }),
  tags: mapOf('string', 'long'),
})
const GOOD = { id: 1, lines: [{ sku: 'a' }], tags: { a: 1 } }

describe('The contract of a schema as code', () => {
  it('has its columns, and accepts absent and null values where they may be null', () => {
    const contract = contractOfColumns(SCHEMA)
    assert.equal(contract.schema, SCHEMA)
    for (const row of [
      GOOD,
      { ...GOOD, note: null, place: null, more: 1 },
      { ...GOOD, place: { city: 'Ulm' } },
    ])
      assert.equal(contract.check(row), undefined)
  })

  const faults: [object, string][] = [
    [{ ...GOOD, id: null }, '/id expected a value, got null'],
    [{ lines: [], tags: {} }, '/id expected a value, got none'],
    [{ ...GOOD, place: {} }, '/place/city expected a value, got none'],
    [{ ...GOOD, lines: [{ sku: 'a' }, { sku: null }] }, '/lines/1/sku expected a value, got null'],
    [{ ...GOOD, lines: [null] }, '/lines/0 expected a value, got null'],
    [{ ...GOOD, tags: { a: null } }, '/tags/a expected a value, got null'],
  ]
  for (const [row, fault] of faults)
    it(`refuses a row with "${fault}"`, () => {
      assert.equal(contractOfColumns(SCHEMA).check(row), fault)
    })

  it('has the same rules for values that are read from bytes', () => {
    const fields = contractOfColumns(SCHEMA).plain?.fields.map(({ name, required, nullable: isNullable }) => [
      name,
      required,
      isNullable,
    ])
    assert.deepEqual(fields, [
      ['id', true, false],
      ['note', false, true],
      ['place', false, true],
      ['lines', true, false],
      ['tags', true, false],
    ])
  })

  it('takes the place of a schema, and a contract is taken as it is', () => {
    const contract = loadContract({ properties: { a: { type: 'string' } } }, { source: 'test' })
    assert.equal(contractOf(contract), contract)
    assert.equal(contractOf(SCHEMA).schema, SCHEMA)
  })
})
