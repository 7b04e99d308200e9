import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StructBuilder } from '../../../src/arrow/builder.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import { Exact } from '../../../src/core/exact.ts'
import type { DataType, StructType } from '../../../src/core/schema.ts'
import { absentValues } from '../../../src/delta/constraints/defaults.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { plainColumns } from '../../../src/evolution/plain.ts'
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

test('Defaults of every simple type are values as builders take them; one that asks for the time gets it', () => {
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
  const values = [...absentValues({ schema }, clock)].map(([name, value]) => [name, value()])
  assert.deepEqual(Object.fromEntries(values), {
    n: 42,
    big: 9_223_372_036_854_775_807n,
    s: "it's",
    d: new Exact('1.50'),
    f: 1000,
    b: true,
    day: '2026-01-01',
    at: '2026-01-02T03:00:00.000000Z',
    none: null,
  })
})

test('What a message lacks is the default, what it says is null stays null, by objects and by bytes', () => {
  const schema = schemaOf({ n: ['long', '42'], s: ['string', "'x'"] })
  const absent = absentValues({ schema })
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
  const format = jsonFormat({ schema, plain: plainColumns(schema, undefined), absent })
  const { proven } = format.decode(rawOf(['{}', '{"n":null}', '{"s":"y"}']))
  assert.ok(proven !== undefined)
  assert.deepEqual(
    [0, 1, 2].map((row) => rowAt(proven.columns, row)),
    expected,
  )
})

test('A default that does not fit the column of the rows fails the row', () => {
  const schema = schemaOf({ n: ['integer', '1000'] })
  const rows: StructType = { type: 'struct', fields: [fieldOf('n', 'byte')] }
  const builder = new StructBuilder(rows, absentValues({ schema }))
  assert.match(String(builder.append({})), /expected an integer from -128 to 127/)
})
