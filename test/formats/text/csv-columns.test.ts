import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowAt } from '../../../src/arrow/values.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import type { DataType, StructType } from '../../../src/core/schema.ts'
import { plainContractOf } from '../../../src/evolution/plain.ts'
import type { Decoded, FormatOptions } from '../../../src/formats/format.ts'
import type { CsvSettings } from '../../../src/formats/settings.ts'
import { csvFormat } from '../../../src/formats/text/csv.ts'
import { fuzzCsv } from '../../fuzz/csv.ts'
import { arrayOf, rawOf, structOf } from '../../support/flow/batches.ts'
import { CSV } from '../../support/values/csv.ts'
import { chanceOf } from '../../support/values/chance.ts'

interface Given extends Partial<FormatOptions> {
  readonly settings?: Partial<CsvSettings>
}

function decoded(schema: StructType, values: readonly (string | Uint8Array)[], given: Given = {}): Decoded {
  const { settings = {}, ...more } = given
  const plain = plainContractOf(schema, undefined)
  const options: FormatOptions = { schema, plain, unknownFields: 'leave', ...more }
  return csvFormat(options, { ...CSV, ...settings }).decode(rawOf(values))
}

/** The values of the only column that became columns directly. */
function columnOf(type: DataType, texts: readonly string[]): unknown[] {
  const { validated, slow } = decoded(structOf({ a: type }), texts)
  assert.equal(slow, undefined)
  return texts.map((_, i) => validated && rowAt(validated.columns, i)['a'])
}

/** The texts that are left to the slow way. */
function slowOf(type: DataType, texts: readonly string[]): string[] {
  const { validated } = decoded(structOf({ a: type }), texts)
  return texts.filter((_, i) => validated?.records.includes(i) === false)
}

test('Both ways make the same of any line', async (t) => {
  const { seed } = chanceOf(t)
  const { differences, columnar, inputs } = await fuzzCsv(12_000, seed)
  assert.deepEqual(differences.slice(0, 3), [])
  assert.ok(columnar > inputs / 20, `${columnar} of ${inputs} became columns`)
})

test('Integers are read up to the bounds of their column', () => {
  assert.deepEqual(
    columnOf('long', [
      '0',
      '-0',
      '+7',
      '007',
      '9007199254740993',
      '-9223372036854775807',
      '1234567890123456789',
    ]),
    [0, 0, 7, 7, 9_007_199_254_740_993n, -9_223_372_036_854_775_807n, 1_234_567_890_123_456_789n],
  )
  const odd = ['9223372036854775808', '1.', '1.0', '1e3', '-', ' 1', '1 ', '٣', '0x1']
  assert.deepEqual(slowOf('long', odd), odd)
  assert.deepEqual(slowOf('byte', ['127', '128', '-128', '-129']), ['128', '-129'])
  assert.deepEqual(columnOf('integer', ['2147483647', '-2147483648']), [2_147_483_647, -2_147_483_648])
})

test('A decimal has exactly the digits of its text', () => {
  assert.deepEqual(
    columnOf('decimal(38,18)', [
      '1',
      '-0.000000000000000001',
      '12345678901234567890.123456789012345678',
      '.5',
      '-5.',
    ]),
    ['1', '-0.000000000000000001', '12345678901234567890.123456789012345678', '0.5', '-5'].map(
      (text) =>
        new ExactNumber(
          text.includes('.') ? text.padEnd(text.indexOf('.') + 19, '0') : `${text}.${'0'.repeat(18)}`,
        ),
    ),
  )
  const most = '9'.repeat(38)
  assert.deepEqual(columnOf('decimal(38,0)', [most, `-${most}`, '-18446744073709551616', '4294967296']), [
    ...[most, `-${most}`, '-18446744073709551616', '4294967296'].map((text) => new ExactNumber(text)),
  ])
  assert.deepEqual(slowOf('decimal(4,2)', ['99.99', '100', '1.234', '1e1', '1.230']), [
    '100',
    '1.234',
    '1e1',
    '1.230',
  ])
})

test('A double is the nearest to its text, and zero keeps its sign', () => {
  const texts = ['0.1', '-0', '1e-7', '123456789012345678', '4.35', '0.000000000000001234', '.5', '5.']
  const found = columnOf('double', texts)
  assert.ok(texts.every((text, i) => Object.is(found[i], Number(text))))
  const beyond = ['1e400', 'NaN', 'Infinity', '.', '1_0']
  assert.deepEqual(slowOf('double', beyond), beyond)
  assert.deepEqual(slowOf('float', ['3.4e38', '3.5e38']), ['3.5e38'])
})

test('Booleans, dates, times and bytes', () => {
  assert.deepEqual(columnOf('boolean', ['TRUE', 'false', '1', '0']), [true, false, true, false])
  assert.deepEqual(slowOf('boolean', ['t', 'fal\u017fe', '10', 'TRUe1']), ['t', 'fal\u017fe', '10', 'TRUe1'])
  assert.deepEqual(columnOf('date', ['0000-01-01', '2024-02-29']), ['0000-01-01', '2024-02-29'])
  assert.deepEqual(slowOf('date', ['2023-02-29', '2024-1-1']), ['2023-02-29', '2024-1-1'])
  assert.deepEqual(
    columnOf('timestamp', [
      '2024-01-01T00:00:00Z',
      '1969-12-31 23:59:59.9999999Z',
      '2024-01-01T00:30:00+01:00',
      '9999-12-31T23:59:59-00:00',
    ]),
    [
      '2024-01-01T00:00:00.000000Z',
      '1969-12-31T23:59:59.999999Z',
      '2023-12-31T23:30:00.000000Z',
      '9999-12-31T23:59:59.000000Z',
    ],
  )
  const rare = [
    '2024-01-01T00:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
  ]
  assert.deepEqual(slowOf('timestamp', rare), rare)
  assert.deepEqual(columnOf('timestamp_ntz', ['2024-01-01T00:00:00.5']), ['2024-01-01T00:00:00.500000'])
  assert.deepEqual(columnOf('binary', ['hi', 'é']), ['aGk=', 'w6k='])
})

test('Quotes, empty fields, null words and ends of lines', () => {
  const schema = structOf({ a: 'string', b: 'string' })
  const settings = { nullWords: ['NULL'] }
  const { validated, slow } = decoded(
    schema,
    ['"a ""b"", c",""', '"NULL",NULL', ',\r\n', '\uFEFF"x",y\n', 'é,"é"', '\uFEFF\uFEFFx,', 'NULLX,x'],
    { settings },
  )
  assert.equal(slow, undefined)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((i) => validated && rowAt(validated.columns, i)),
    [
      { a: 'a "b", c', b: '' },
      { a: 'NULL', b: null },
      { a: null, b: null },
      { a: 'x', b: 'y' },
      { a: 'é', b: 'é' },
      { a: '\uFEFFx', b: null },
      { a: 'NULLX', b: 'x' },
    ],
  )
  const odd = [
    'a',
    'a,b,c',
    '"a,b',
    'a"b,c',
    '"a"b,c',
    '"a\nb",c',
    'a,b\n\n',
    'a,b\r',
    ' "a",b',
    '',
    '\n',
    Buffer.of(0xff, 0x2c),
  ]
  assert.deepEqual(decoded(schema, odd, { settings }).slow, { value: odd.length })
})

test('A header names the columns in any order; one header after another may come', () => {
  const schema = structOf({ a: 'long', b: 'string' })
  const settings = { header: true }
  const { validated, slow } = decoded(
    schema,
    ['a,b\n1,x', 'a,b\n2,y\n', 'b,a\nz,3', 'a\n4', '"a",b\r\n5,\r\n', 'a,b\n6,w', '\uFEFFa,b\n7,v'],
    { settings },
  )
  assert.equal(slow, undefined)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((i) => validated && rowAt(validated.columns, i)),
    [
      { a: 1, b: 'x' },
      { a: 2, b: 'y' },
      { a: 3, b: 'z' },
      { a: 4, b: null },
      { a: 5, b: null },
      { a: 6, b: 'w' },
      { a: 7, b: 'v' },
    ],
  )
  const odd = ['a,b', 'a,b\n', 'a,a\n1,2', 'a\rb\n1,2', '"a\n1', '\na,b\n1,2', 'a,b\n1,x\r\n', 'a,b\r\n1,x\n']
  assert.deepEqual(decoded(schema, odd, { settings }).slow, { value: odd.length })
  assert.deepEqual(decoded(schema, ['A,b\n1,2'], { settings }).slow, { field: 1 })
})

test('More headers than are kept are read all the same', () => {
  const values = Array.from({ length: 250 }, (_, i) => `a,x${i}\n${i},`)
  const { validated } = decoded(structOf({ a: 'long' }), values, { settings: { header: true } })
  assert.deepEqual(validated && [250, rowAt(validated.columns, 249)], [validated?.records.length, { a: 249 }])
})

test('Fields without a column are counted where they have a value', () => {
  const schema = structOf({ a: 'long' })
  const values = ['a,X,y\n1,,', 'a,X,y\n2,"",', 'a,X,y\n3,1,2', 'a,X,y\nb,1,2']
  const settings = { header: true }
  const found = decoded(schema, values, { settings, unknownFields: 'count' })
  assert.deepEqual([found.droppedFields, found.slow], [3, { value: 1 }])
  assert.deepEqual([...(found.droppedPaths?.[0]?.paths ?? [])], ['x', 'y'])
  assert.deepEqual(decoded(schema, values, { settings }).slow, { field: 2, value: 1 })
})

test('A null that the contract does not accept is an absent field, which gets its default', () => {
  const schema = structOf({ a: 'long', b: 'long' })
  const plain = {
    additionalProperties: true,
    fields: schema.fields.map(({ name, type }) => ({ name, type, required: false, nullable: name === 'b' })),
  }
  const absentValues = new Map([
    ['a', () => 7],
    ['b', () => 8],
  ])
  const { validated } = decoded(schema, [','], { plain, absentValues })
  assert.deepEqual(validated && rowAt(validated.columns, 0), { a: 7, b: null })
  const required = { ...plain, fields: plain.fields.map((field) => ({ ...field, required: true })) }
  assert.deepEqual(decoded(schema, [',1'], { plain: required, absentValues }).slow, { value: 1 })
  const strict: StructType = {
    ...schema,
    fields: schema.fields.map((field) => ({ ...field, nullable: false })),
  }
  assert.deepEqual(decoded(strict, ['1,2', '1,']).slow, { value: 1 })
})

test('The format says why lines need objects', () => {
  const reasons = (schema: StructType, { settings = {}, ...more }: Given = {}): unknown => {
    const options = { schema, plain: plainContractOf(schema, undefined), ...more }
    return csvFormat(options, { ...CSV, ...settings }).objectReasons?.()
  }
  assert.deepEqual(reasons(structOf({ a: 'long' })), [])
  assert.deepEqual(reasons(structOf({ a: arrayOf('long') })), [
    { subject: 'columns.a', reason: 'JSON in a field is parsed' },
  ])
  assert.match(
    JSON.stringify(reasons(structOf({ a: 'long' }), { settings: { delimiter: 'é' } })),
    /outside ASCII/,
  )
  assert.match(JSON.stringify(reasons(structOf({ a: 'long' }), { plain: undefined })), /not plain data/)
  assert.deepEqual(decoded(structOf({ a: arrayOf('long') }), ['[1]']).slow, { value: 1 })
})

test('Rows that may violate a rule of the contract are left to the contract', () => {
  const field = {
    name: 'a',
    type: 'long',
    json: 'integer',
    minimum: 1,
    required: false,
    nullable: true,
  } as const
  const plain = { additionalProperties: true, fields: [field] }
  const settings = { header: true }
  const given = { plain, settings, unknownFields: 'count' } as const
  const { validated, slow, records, droppedFields } = decoded(
    structOf({ a: 'long' }),
    ['a,x\n1,b', 'a,x\n0,b', 'a,x\n,', 'a,x\nz,b'],
    given,
  )
  assert.deepEqual([validated?.records, records], [Int32Array.of(0, 2), [1, 3]])
  // What the contract decides about is counted where the object is validated.
  assert.deepEqual([slow, droppedFields], [{ contract: 1, value: 1 }, 1])
})
