// Goal: JSON of every column type goes from bytes to columns, and its rows are those of the path through objects.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { valueAt } from '../../../../src/arrow/values.ts'
import { loadContract } from '../../../../src/contract/contract.ts'
import { contractOfTable } from '../../../../src/contract/table-contract.ts'
import type { DataType, StructType } from '../../../../src/core/schema.ts'
import { plainContractOf } from '../../../../src/evolution/plain.ts'
import type { FormatOptions } from '../../../../src/formats/format.ts'
import { jsonFormat } from '../../../../src/formats/json/format.ts'
import { arrayOf, fieldOf, mapOf, rawOf, structOf } from '../../../support/flow/batches.ts'
import { outcomesOf } from '../../../support/flow/outcomes.ts'

/**
 * Asserts that both paths make the same of all records. Returns the values of column `v` that were read from bytes, by
 * record; the others were parsed.
 */
function readBoth(
  schema: StructType,
  records: readonly string[],
  options: Partial<FormatOptions> = {},
): Map<number, unknown> {
  const raw = rawOf(records)
  const contract = contractOfTable(schema)
  const plain = plainContractOf(schema, undefined)
  const formatOf = (of: FormatOptions['plain']) => jsonFormat({ schema, plain: of, ...options })
  const [fast, slow] = [plain, undefined].map((of) => outcomesOf(formatOf(of), contract, raw))
  assert.deepEqual(fast, slow)
  const { validated, slow: counts = {} } = formatOf(plain).decode(raw)
  assert.ok(validated !== undefined)
  const column = validated.columns.columns[schema.fields.findIndex(({ name }) => name === 'v')]
  assert.ok(column !== undefined)
  const parsed = Object.values(counts).reduce((sum, count) => sum + count, 0)
  assert.equal(validated.records.length + parsed, records.length)
  return new Map([...validated.records].map((record, row) => [record, valueAt(column, row)]))
}

/** Asserts which texts of values are read from bytes, all others being parsed. */
function assertRead(
  type: DataType,
  read: Readonly<Record<string, unknown>>,
  parsed: readonly string[] = [],
): void {
  const texts = [...Object.keys(read), ...parsed]
  const found = readBoth(
    structOf({ v: type }),
    texts.map((text) => `{"v":${text}}`),
  )
  assert.deepEqual(
    [...found].map(([record, value]) => [texts[record], value]),
    Object.entries(read),
  )
}

test('Integers are read up to the bounds of their column, longs with all their digits', () => {
  const longs = {
    ' 0': 0,
    '999999999999999': 999_999_999_999_999,
    '-1234567890123456789': -1_234_567_890_123_456_789n,
    '9007199254740993': 9_007_199_254_740_993n,
    '9223372036854775807': 9_223_372_036_854_775_807n,
    '-9223372036854775807': -9_223_372_036_854_775_807n,
    '-4294967296000000000': -4_294_967_296_000_000_000n,
  }
  assertRead('long', longs, [
    '-9223372036854775808',
    '9223372036854775808',
    '12345678901234567890',
    '-0',
    '1.0',
    '1e3',
    '"1"',
    '01',
  ])
  assertRead('byte', { '-128': -128, '127': 127 }, ['128', '-129', '1.0'])
  assertRead('short', { '-32768': -32_768 }, ['32768'])
  assertRead('integer', { '2147483647': 2_147_483_647 }, ['2147483648', '12345678901234567'])
})

test('Doubles and floats are rounded correctly', () => {
  const doubles = {
    '-0': -0,
    '0.1': 0.1,
    '4503599627370496.5': 4_503_599_627_370_496.5,
    '0.30000000000000004': 0.1 + 0.2,
    '1.7976931348623157e308': Number.MAX_VALUE,
    '5e-324': 5e-324,
    '123456789012345678': 123_456_789_012_345_680,
  }
  assertRead('double', doubles, ['1e400', '1.', '.5', '"1"', '1234567890123456789'])
  assertRead('float', { '16777217': 16_777_216 }, ['3.5e38'])
})

test('Decimals are read from numbers and from texts, and never rounded', () => {
  const textOf = (value: unknown): string => (value as { readonly text: string }).text
  const texts = ['0', '-0.00', '999.99', '-999.99', '1', '1.5000', '"007.10"', '"-1.5"']
  const parsed = ['1000', '1.005', '1e2', '"1e2"', '"+1"', '" 1"', 'true', '01', `0.${'0'.repeat(80)}`]
  const found = readBoth(
    structOf({ v: 'decimal(5,2)' }),
    [...texts, ...parsed].map((text) => `{"v":${text}}`),
  )
  assert.deepEqual(
    [...found].map(([record, value]) => [record, textOf(value)]),
    ['0.00', '0.00', '999.99', '-999.99', '1.00', '1.50', '7.10', '-1.50'].map((text, record) => [
      record,
      text,
    ]),
  )
  const long = '12345678901234567890123456789012345678'
  const wide = readBoth(structOf({ v: 'decimal(38,0)' }), [`{"v":-${long}}`, `{"v":${long}9}`])
  assert.deepEqual([...wide.values()].map(textOf), [`-${long}`])
  const small = readBoth(structOf({ v: 'decimal(38,20)' }), ['{"v":-1.5}', '{"v":0.00000000000000000001}'])
  assert.deepEqual([...small.values()].map(textOf), ['-1.50000000000000000000', '0.00000000000000000001'])
})

test('Escapes become the text that they stand for; half of a surrogate pair stays with the parser', () => {
  const texts = {
    '"\\u00e9\\n\\"\\\\\\/\\b\\f\\r\\t"': 'é\n"\\/\b\f\r\t',
    '"\\ud83d\\ude42 \\u20ac\\u0000"': '🙂 €\0',
    '"\\uABCDx"': '\uabcdx',
    [`"${'ä'.repeat(200)}\\u0061"`]: `${'ä'.repeat(200)}a`,
    '"1234567890123"': '1234567890123',
    '""': '',
  }
  const faults = [
    '"\\ud83d"',
    '"\\ude42\\ud83d"',
    '"\\ud83d\\u0041"',
    '"\\u12"',
    '"\\x"',
    '"a\u0001"',
    '"a',
    '"\\',
  ]
  assertRead('string', texts, faults)
})

test('Dates and times are read with and without zone, in UTC', () => {
  const times = {
    '"2026-03-01T12:00:00Z"': '2026-03-01T12:00:00.000000Z',
    '"2026-03-01 12:00z"': '2026-03-01T12:00:00.000000Z',
    '"2026-03-01t00:30:00.1234567+02:00"': '2026-02-28T22:30:00.123456Z',
    '"1969-12-31T23:59:59.999999-0130"': '1970-01-01T01:29:59.999999Z',
    '"0000-01-01T00:00:00+00"': '0000-01-01T00:00:00.000000Z',
    '"9999-12-31T23:59:59.999999Z"': '9999-12-31T23:59:59.999999Z',
  }
  assertRead('timestamp', times, [
    '"0000-01-01T00:00:00+01"',
    '"9999-12-31T23:59:59-01"',
    '"2026-03-01T12:00:60Z"',
    '"2026-03-01T12:00:00+24:00"',
    '"2026-03-01T12:00:00+02:00:30"',
    '"2026-03-01T12:00:00Z[UTC]"',
    '"2026-03-01T12:00:00"',
    '"2026-02-29T12:00:00Z"',
    '"2026-03-01T12:00:00.Z"',
    '1772323200000',
  ])
  assertRead('timestamp_ntz', { '"2026-03-01T12:00:00.5"': '2026-03-01T12:00:00.500000' }, [
    '"2026-03-01T12:00:00Z"',
  ])
  assertRead('date', { '"2024-02-29"': '2024-02-29', '"0000-01-01"': '0000-01-01' }, [
    '"2026-02-29"',
    '"2026-00-01"',
    '"2026-01-0"',
  ])
})

test('Text for binary columns is base64 with its padding', () => {
  assertRead(
    'binary',
    { '""': '', '"QQ=="': 'QQ==', '"QR=="': 'QQ==', '"QUI="': 'QUI=', '"QUJD+/8="': 'QUJD+/8=' },
    ['"QQ"', '"Q==="', '"QQ==QQ=="', '"QU-_"', '"QU\\u004a"', '5'],
  )
})

test('Maps keep the order of objects: indexes first, and a key that occurs twice is left to the parser', () => {
  assertRead(
    mapOf('long'),
    {
      '{}': {},
      '{"b":1,"a":null}': { b: 1, a: null },
      '{"2":1,"10":2,"x":3}': { 2: 1, 10: 2, x: 3 },
      '{"__proto__":1,"":2}': Object.fromEntries([
        ['__proto__', 1],
        ['', 2],
      ]),
      '{"4294967295":1,"01":2}': { 4294967295: 1, '01': 2 },
    },
    ['{"x":3,"2":1}', '{"10":2,"2":1}', '{"a":1,"a":2}', '{"\\u0061":1}', '{"a":"x"}', '[]', '{"a":1,}'],
  )
  assertRead(mapOf('string', 'date'), { '{"2026-01-01":"x"}': new Map([['2026-01-01', 'x']]) }, ['{"x":"y"}'])
  assertRead(mapOf(mapOf('long')), { '{"a":{"a":1},"b":{"a":2}}': { a: { a: 1 }, b: { a: 2 } } })
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))
  assertRead(mapOf('long'), {}, [JSON.stringify(many)])
})

test('NOT NULL columns, fields, elements and values refuse null wherever it is', () => {
  const inner: StructType = { type: 'struct', fields: [{ ...fieldOf('n', 'long'), nullable: false }] }
  const v: DataType = { type: 'array', elementType: inner, containsNull: false }
  const schema: StructType = { type: 'struct', fields: [{ ...fieldOf('v', v), nullable: false }] }
  const found = readBoth(schema, [
    '{"v":[{"n":1}]}',
    '{"v":[]}',
    '{"v":[{}]}',
    '{"v":[{"n":null}]}',
    '{"v":[null]}',
    '{"v":null}',
    '{}',
  ])
  assert.deepEqual([...found.keys()], [0, 1])
  const map: DataType = { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: false }
  assertRead(map, { '{"a":1}': { a: 1 } }, ['{"a":null}'])
  assertRead(arrayOf('integer'), { '[1,null]': [1, null] })
})

test('Columns that a record lacks get their default; a default of null has no place in a NOT NULL column', () => {
  const schema: StructType = { type: 'struct', fields: [{ ...fieldOf('v', 'integer'), nullable: false }] }
  const read = (value: unknown) => {
    const plain = plainContractOf(schema, undefined)
    const format = jsonFormat({ schema, plain, absentValues: new Map([['v', () => value]]) })
    return [...(format.decode(rawOf(['{}', '{"v":null}', '{"v":1}'])).validated?.records ?? [])]
  }
  assert.deepEqual(read(7), [0, 2])
  assert.deepEqual(read(null), [2])
})

test('Records that are parsed are counted by their reason, and columns without a reader are named', () => {
  const schema = structOf({ v: 'long', s: structOf({ t: 'string' }) })
  const plain = plainContractOf(schema, undefined)
  const format = jsonFormat({ schema, plain, unknownFields: 'leave' })
  assert.deepEqual(format.objectReasons?.(), [])
  const values = ['{"v":1}', '{"v":1e3}', '{"new":1}', '{"s":{"new":{}}}', 'null', null, '{', '{"gone":null}']
  const { slow, tombstones } = format.decode(rawOf(values))
  assert.deepEqual([slow, tombstones], [{ value: 2, field: 2 }, 2])
  const none = jsonFormat({ schema, plain: undefined })
  assert.deepEqual(none.decode(rawOf(['{}', '{}', null])).slow, { path: 2 })
  assert.deepEqual(none.objectReasons?.(), [
    { subject: 'contract', reason: 'has rules that bytes alone cannot prove' },
  ])
  const nested = structOf({ v: structOf({ m: mapOf('long', 'long') }) })
  const reasons = jsonFormat({ schema: nested, plain: plainContractOf(nested, undefined) }).objectReasons?.()
  assert.deepEqual(reasons, [{ subject: 'v.m', reason: 'keys of type long are not read from text' }])
})

test('A decimal that a contract allows as a number and as text is read from both', () => {
  const decimal = { type: ['number', 'string', 'null'], 'x-delta-type': 'decimal(5,2)' }
  const contract = loadContract({ type: 'object', properties: { v: decimal } }, { source: 'test' })
  const { schema, plain } = contract
  const raw = rawOf(['{"v":1.5}', '{"v":"2.25"}', '{"v":null}', '{"v":true}', '{"v":"x"}'])
  const [fast, slow] = [plain, undefined].map((of) =>
    outcomesOf(jsonFormat({ schema, plain: of }), contract, raw),
  )
  assert.deepEqual(fast, slow)
  assert.deepEqual(jsonFormat({ schema, plain }).decode(raw).validated?.records, Int32Array.of(0, 1, 2))
})
