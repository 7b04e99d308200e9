import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructType } from '../../../src/core/schema.ts'
import { isWider } from '../../../src/core/widening.ts'
import { checkTypeChanges } from '../../../src/delta/schema/type-widening.ts'

test('Only the type changes of the specification are supported', () => {
  for (const [from, to] of [
    ['byte', 'short'],
    ['byte', 'long'],
    ['integer', 'long'],
    ['short', 'double'],
    ['float', 'double'],
    ['date', 'timestamp_ntz'],
    ['decimal(6,2)', 'decimal(8,4)'],
    ['decimal(6,2)', 'decimal(6,2)'],
    ['integer', 'decimal(12,2)'],
    ['long', 'decimal(20,0)'],
  ] as const) {
    assert.ok(isWider(from, to), `${from} to ${to}`)
  }
  for (const [from, to] of [
    ['long', 'integer'],
    ['long', 'double'],
    ['float', 'float'],
    ['date', 'timestamp'],
    ['string', 'long'],
    ['decimal(6,2)', 'decimal(7,4)'],
    ['decimal(6,2)', 'decimal(8,1)'],
    ['integer', 'decimal(11,2)'],
    ['long', 'decimal(19,0)'],
    ['string', 'decimal(38,0)'],
    ['constructor', 'long'],
  ] as const) {
    assert.ok(!isWider(from, to), `${from} to ${to}`)
  }
})

test('An unsupported type change is refused with its column, at any depth', () => {
  const schema = schemaWith([{ fromType: 'long', toType: 'string' }])
  assert.throws(
    () => {
      checkTypeChanges(schema)
    },
    { code: 'KD_TABLE_UNSUPPORTED', message: /typeWidening from long to string .*column list\.element\.x/ },
  )
})

for (const changes of ['short', [1], [{ fromType: 'short' }], [null]]) {
  test(`Changes recorded as ${JSON.stringify(changes)} are a corrupt table`, () => {
    assert.throws(
      () => {
        checkTypeChanges(schemaWith(changes))
      },
      { code: 'KD_TABLE_CORRUPT' },
    )
  })
}

function schemaWith(changes: unknown): StructType {
  const x = { name: 'x', type: 'long', nullable: true, metadata: { 'delta.typeChanges': changes } } as const
  const elementType = { type: 'struct', fields: [x] } as const
  const list = { type: 'array', elementType, containsNull: true } as const
  return { type: 'struct', fields: [{ name: 'list', type: list, nullable: true, metadata: {} }] }
}
