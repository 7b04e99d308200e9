import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DataType } from '../../../src/core/schema.ts'
import {
  parsePartitionValue,
  serialisePartitionValue,
  type PartitionValue,
} from '../../../src/delta/statistics/partition-values.ts'

const CASES: readonly (readonly [
  type: DataType,
  value: unknown,
  text: string | null,
  parsed: PartitionValue,
])[] = [
  ['string', 'a/b', 'a/b', 'a/b'],
  ['string', '', null, null],
  ['string', null, null, null],
  ['long', 9223372036854775807n, '9223372036854775807', 9223372036854775807n],
  ['integer', -7, '-7', -7],
  ['double', 1, '1.0', 1],
  ['double', -0, '-0.0', -0],
  ['double', NaN, 'NaN', NaN],
  ['double', -Infinity, '-Infinity', -Infinity],
  ['boolean', false, 'false', false],
  ['decimal(38,2)', '-0.05', '-0.05', -5n],
  ['decimal(10,3)', '1e1', '10.000', 10000n],
  ['date', '1969-12-31', '1969-12-31', -1],
  ['timestamp', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:00Z', 1_767_225_600_000_000n],
  ['timestamp', '1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z', -1n],
  ['timestamp_ntz', '2026-01-01T00:00:00.5', '2026-01-01 00:00:00.500000', 1_767_225_600_500_000n],
  ['binary', 'YWI=', 'ab', new Uint8Array([97, 98])],
]

for (const [type, value, text, parsed] of CASES) {
  test(`A partition value ${String(value)} of ${JSON.stringify(type)} is ${text ?? 'null'} in the log, and back`, () => {
    assert.equal(serialisePartitionValue(value, type), text)
    assert.deepEqual(parsePartitionValue(text, type), parsed)
  })
}

test('A timestamp that another writer wrote without seconds is read', () => {
  const micros = 1_767_262_500_000_000n
  assert.equal(parsePartitionValue('2026-01-01 10:15', 'timestamp'), micros)
  assert.equal(parsePartitionValue('2026-01-01T10:15Z', 'timestamp'), micros)
  assert.equal(parsePartitionValue('2026-01-01T12:15+02:00', 'timestamp'), micros)
  assert.equal(parsePartitionValue('2026-01-01 10:15', 'timestamp_ntz'), micros)
  assert.equal(serialisePartitionValue('2026-01-01T10:15Z', 'timestamp'), '2026-01-01T10:15:00Z')
  assert.throws(() => parsePartitionValue('2026-01-01 10', 'timestamp'), { code: 'KD_TABLE_CORRUPT' })
})

test('Values that are not of their type are refused', () => {
  assert.throws(() => serialisePartitionValue('x', 'long'), { code: 'KD_RECORD_NOT_FITTING' })
  for (const text of ['\ud800', 'x\udc00', '\udfff\ud800'])
    assert.throws(() => serialisePartitionValue(text, 'string'), { code: 'KD_RECORD_NOT_FITTING' })
  assert.equal(serialisePartitionValue('😀', 'string'), '😀')
  assert.throws(() => serialisePartitionValue('/w==', 'binary'), { code: 'KD_RECORD_NOT_FITTING' })
  assert.throws(() => serialisePartitionValue('0.001', 'decimal(10,2)'), { code: 'KD_RECORD_NOT_FITTING' })
  assert.throws(() => parsePartitionValue('x', 'integer'), { code: 'KD_TABLE_CORRUPT' })
  assert.throws(() => parsePartitionValue('2026-1-1', 'date'), { code: 'KD_TABLE_CORRUPT' })
})

test('Whole numbers beyond the range of their type are a corrupt table', () => {
  for (const [text, type] of [
    ['128', 'byte'],
    ['-32769', 'short'],
    ['2147483648', 'integer'],
    ['9223372036854775808', 'long'],
    ['1'.repeat(400), 'long'],
  ] as const) {
    assert.throws(() => parsePartitionValue(text, type), { code: 'KD_TABLE_CORRUPT' }, text)
  }
  assert.equal(parsePartitionValue('-128', 'byte'), -128)
  assert.equal(parsePartitionValue('-9223372036854775808', 'long'), -(2n ** 63n))
})

test('A date in a column that was widened to a timestamp without zone is read as midnight', () => {
  assert.equal(parsePartitionValue('1970-01-02', 'timestamp_ntz'), 86_400_000_000n)
  assert.throws(() => parsePartitionValue('1970-01-02', 'timestamp'), { code: 'KD_TABLE_CORRUPT' })
})
