import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DataType } from '../../src/core/schema.ts'
import { arrayOf, structOf } from '../support/flow/batches.ts'
import { derivedColumn } from '../../src/enrichments/derived-column.ts'
import { derived } from './derived.ts'

/**
 * Values and their buckets out of 16, computed with the Python package mmh3 over the bytes that the Iceberg
 * specification defines.
 */
const BUCKETS: readonly (readonly [type: DataType, value: unknown, bucket: number])[] = [
  ['string', 'iceberg', 9],
  ['string', '', 0],
  ['string', 'Grüße', 0],
  ['string', '日本語🙂', 9],
  ['integer', 34, 3],
  ['long', 34, 3],
  ['short', -1, 8],
  ['long', -1, 8],
  ['long', 9_223_372_036_854_775_807n, 15],
  ['long', -9_223_372_036_854_775_808n, 5],
  ['date', '2017-11-16', 10],
  ['timestamp', '2017-11-16T22:31:08Z', 7],
  ['timestamp_ntz', '2017-11-16T22:31:08', 7],
  ['decimal(9,2)', '14.20', 3],
  ['decimal(38,0)', '1000000000000000000000000000000', 5],
  ['decimal(5,0)', '-129', 1],
  ['decimal(5,0)', '128', 5],
  ['binary', 'AAECAw==', 9],
]

for (const [type, value, bucket] of BUCKETS) {
  test(`${JSON.stringify(type)} ${String(value)} is in bucket ${bucket} of 16`, () => {
    assert.deepEqual(derived('bucket(c, 16)', structOf({ c: type }), [{ c: value }, { c: null }]), [
      bucket,
      null,
    ])
  })
}

test('The key of a record has a bucket even when rows have no column for it', () => {
  const schema = structOf({ n: 'long' })
  const values = derived('bucket(_kafka_key, 16)', schema, [{}, {}], { keys: ['iceberg'] })
  assert.deepEqual(values, [9, null])
})

test('Types that writers may represent differently have no buckets', () => {
  for (const type of ['double', 'float', 'boolean', arrayOf('long')] as const)
    assert.throws(() => derivedColumn('b', 'bucket(c, 4)', structOf({ c: type })), {
      code: 'KD_CONFIG_INVALID',
    })
})
