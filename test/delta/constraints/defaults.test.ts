import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StructBuilder } from '../../../src/arrow/builder.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import type { DataType, StructType } from '../../../src/core/schema.ts'
import { defaultValuesOf } from '../../../src/delta/constraints/defaults.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { plainContractOf } from '../../../src/evolution/plain.ts'
import { fieldOf, rawOf } from '../../support/flow/batches.ts'

const clock = { now: () => Date.UTC(2026, 0, 2, 3), sleep: () => Promise.resolve() }

function schemaOf(defaults: Readonly<Record<string, readonly [DataType, string]>>): StructType {
  return {
    type: 'struct',
    fields: Object.entries(defaults).map(([name, [type, text]]) => ({
      ...fieldOf(name, type),
      metadata: { CURRENT_DEFAULT: text },
    })),
  }
}

test('Defaults of every primitive type are values that builders accept, and may use the current time', () => {
  const schema = schemaOf({
    n: ['long', '40 + 2'],
    big: ['long', '9223372036854775807'],
    s: ['string', "'it''s'"],
    d: ['decimal(5,2)', '1.5'],
    f: ['double', '1e3'],
    b: ['boolean', 'true'],
    day: ['date', "DATE'2026-01-01'"],
    at: ['timestamp', 'current_timestamp()'],
    none: [{ type: 'array', elementType: 'long', containsNull: true }, 'NULL'],
  })
  const values = [...defaultValuesOf({ schema }, clock)].map(([name, value]) => [name, value()])
  assert.deepEqual(Object.fromEntries(values), {
    n: 42,
    big: 9_223_372_036_854_775_807n,
    s: "it's",
    d: new ExactNumber('1.50'),
    f: 1000,
    b: true,
    day: '2026-01-01',
    at: '2026-01-02T03:00:00.000000Z',
    none: null,
  })
})

test('A missing field becomes the default and an explicit null stays null, from objects and from bytes', () => {
  const schema = schemaOf({ n: ['long', '42'], s: ['string', "'x'"] })
  const absent = defaultValuesOf({ schema })
  const builder = new StructBuilder(schema, absent)
  for (const row of [{}, { n: null }, { s: 'y' }]) assert.equal(builder.append(row), undefined)
  const expected = [
    { n: 42, s: 'x' },
    { n: null, s: 'x' },
    { n: 42, s: 'y' },
  ]
  const objects = builder.finishColumns()
  assert.deepEqual(
    [0, 1, 2].map((row) => rowAt(objects, row)),
    expected,
  )
  const format = jsonFormat({ schema, plain: plainContractOf(schema, undefined), absentValues: absent })
  const { validated } = format.decode(rawOf(['{}', '{"n":null}', '{"s":"y"}']))
  assert.ok(validated !== undefined)
  assert.deepEqual(
    [0, 1, 2].map((row) => rowAt(validated.columns, row)),
    expected,
  )
})

test('A default that does not fit the column of the rows fails the row', () => {
  const schema = schemaOf({ n: ['integer', '1000'] })
  const rows: StructType = { type: 'struct', fields: [fieldOf('n', 'byte')] }
  const builder = new StructBuilder(rows, defaultValuesOf({ schema }))
  assert.match(String(builder.append({})), /expected an integer from -128 to 127/)
})
