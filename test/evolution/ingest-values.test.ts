import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builderOf } from '../../src/arrow/builder.ts'
import { valueAt } from '../../src/arrow/values.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { coerceMessage } from '../../src/evolution/coerce-message.ts'
import { createIngestCoercion } from '../../src/evolution/ingest-values.ts'

const coerce = createIngestCoercion({ isHexadecimal: true })

/** Returns the value in a column of the type, or the reason that it was refused. */
function column(type: DataType, value: unknown): unknown {
  const builder = builderOf(type)
  return builder.append(coerce(type, value)) === undefined ? valueAt(builder.finish(), 0) : 'refused'
}

test('Timestamps are read from text with and without a zone, from days, and from microseconds since the epoch', () => {
  const instant = '2021-11-11T22:11:58.000000Z'
  for (const value of [
    1_636_668_718_000_000,
    1_636_668_718_000_000n,
    '2021-11-11T22:11:58Z',
    '2021-11-11T22:11:58+00:00',
    '2021-11-11T22:11:58-00:00',
    '2021-11-11 22:11:58',
  ])
    assert.equal(column('timestamp', value), instant, String(value))
  assert.equal(column('timestamp', '2021-11-11'), '2021-11-11T00:00:00.000000Z')
  assert.equal(column('timestamp_ntz', '2021-11-11T22:11:58+02:00'), '2021-11-11T20:11:58.000000')
  assert.equal(column('timestamp_ntz', 1_636_668_718_000_000), '2021-11-11T22:11:58.000000')
  for (const value of ['20211111T22115800Z', 'soon', '1636668718000000', 1.5, 9e15 * 1e6, true, {}])
    assert.equal(column('timestamp', value), 'refused', JSON.stringify(value))
})

test('Numbers are read from text too, and no fraction is lost', () => {
  assert.equal(column('integer', '42'), 42)
  assert.equal(column('long', '9007199254740993'), 9_007_199_254_740_993n)
  assert.equal(column('double', '-1.5e3'), -1500)
  for (const [type, value] of [
    ['integer', 1.5],
    ['integer', '1.5'],
    ['byte', '300'],
    ['long', '99999999999999999999'],
    ['double', 'NaN'],
    ['boolean', 'true'],
    ['integer', true],
  ] as const)
    assert.equal(column(type, value), 'refused', `${type} ${String(value)}`)
})

test('Dates are read from days since the epoch, and binary values from hexadecimal text', () => {
  assert.equal(column('date', 18_942), '2021-11-11')
  assert.equal(column('date', '2021-11-11'), '2021-11-11')
  assert.equal(column('date', 1e9), 'refused')
  assert.deepEqual(coerce('binary', '00ff'), Buffer.from([0, 255]))
  assert.equal(createIngestCoercion({ isHexadecimal: false })('binary', '00ff'), '00ff')
})

test('Nested values are read in the same way, and strings accept everything but null', () => {
  const field = (name: string, type: DataType) => ({ name, type, nullable: true, metadata: {} })
  const inner: StructType = { type: 'struct', fields: [field('text', 'string'), field('at', 'timestamp')] }
  const schema: StructType = {
    type: 'struct',
    fields: [
      field('list', { type: 'array', elementType: inner, containsNull: true }),
      field('many', { type: 'array', elementType: 'integer', containsNull: true }),
      field('text', 'string'),
      field('none', 'string'),
    ],
  }
  const { row } = coerceMessage(
    { list: [{ text: { a: 2 }, at: 0 }], many: ['1', 2, null], text: [1, 'b'], none: null },
    schema,
    { rescues: false, jsonTextColumns: 'all', coerceValue: coerce },
  )
  assert.deepEqual(row, {
    list: [{ text: '{"a":2}', at: '1970-01-01T00:00:00.000000Z' }],
    many: [1, 2, null],
    text: '[1,"b"]',
    none: null,
  })
})

test('Text without a zone is taken as UTC, with and without seconds', () => {
  assert.equal(coerce('timestamp', '2021-11-11T22:11'), '2021-11-11T22:11Z')
  assert.equal(coerce('timestamp', '2021-11-11T22:11:58.5'), '2021-11-11T22:11:58.5Z')
})

test('Text for a binary column that is not hexadecimal is refused, also where it is valid base64', () => {
  const binary: StructType = {
    type: 'struct',
    fields: [{ name: 'b', type: 'binary', nullable: true, metadata: {} }],
  }
  const nested: StructType = {
    type: 'struct',
    fields: [
      {
        name: 's',
        type: { type: 'array', elementType: binary, containsNull: true },
        nullable: true,
        metadata: {},
      },
    ],
  }
  const rules = { rescues: false, jsonTextColumns: 'all', coerceValue: coerce } as const
  for (const value of ['AQI=', 'abc', 'zz', 'abcg', 5, {}, true]) {
    const { fault } = coerceMessage({ b: value }, binary, rules)
    assert.equal(fault, `/b expected hexadecimal text, got ${JSON.stringify(value)}`)
    assert.match(
      String(coerceMessage({ s: [{ b: value }] }, nested, rules).fault),
      /expected hexadecimal text/,
    )
    const rescued = coerceMessage({ b: value }, binary, { ...rules, rescues: true })
    assert.deepEqual([rescued.fault, rescued.rescued], [undefined, JSON.stringify({ b: value })])
  }
  for (const value of ['', '00fF', null])
    assert.equal(coerceMessage({ b: value }, binary, rules).fault, undefined)
})
