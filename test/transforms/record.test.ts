// Goal: the metadata of a record has one value, as a column, as a transform and as a header alike.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowAt } from '../../src/arrow/values.ts'
import type { Column } from '../../src/arrow/column.ts'
import type { Raw } from '../../src/core/raw.ts'
import { KAFKA_FIELDS, kafkaColumns } from '../../src/enrichments/kafka-columns.ts'
import { pack, type KafkaRecord } from '../../src/kafka/source/pack-records.ts'
import { compileTransforms } from '../../src/transforms/compile.ts'
import { headerTextOf, readKafkaSource } from '../../src/transforms/record.ts'
import { Transformation } from '../../src/transforms/transformation.ts'
import { rowsOf, structOf } from '../support/flow/batches.ts'

function rawWith(headers: NonNullable<KafkaRecord['headers']>, timestampMs = 0, timestampType = 0): Raw {
  const record = { key: null, value: Buffer.from('{}'), offset: '0', timestamp: String(timestampMs) }
  return pack('events', 0, [{ ...record, headers, batchContext: { timestampType } }], 0n)
}

/** Returns `kafka.timestamp` as the transform of a timestamp column. */
function transformed(timestampMs: number, timestampType = 0): unknown {
  const { steps } = compileTransforms({ transforms: { at: 'kafka.timestamp' } })
  return new Transformation(steps).apply({}, rawWith({}, timestampMs, timestampType), 0, [true])
}

/** Returns the column `_kafka_timestamp`. */
function columnOf(timestampMs: number): unknown {
  const rows = rowsOf(structOf({ n: 'long' }), [{}], { timestampMs })
  const columns = kafkaColumns().columns(rows, () => undefined) as Column[]
  return rowAt({ schema: { type: 'struct', fields: KAFKA_FIELDS }, columns, length: 1 }, 0)[
    '_kafka_timestamp'
  ]
}

test('A header with a null value is null, an empty one is empty, and the last of one name counts', () => {
  const raw = rawWith({
    none: null,
    empty: '',
    last: ['a', null],
    first: [null, 'a'],
    binary: Buffer.from([255]),
  })
  const texts = ['none', 'empty', 'last', 'first', 'binary', 'absent'].map((name) =>
    headerTextOf(raw, 0, name),
  )
  assert.deepEqual(texts, [null, '', null, 'a', 'base64:/w==', null])
  const source = { kind: 'header', name: 'none' } as const
  assert.equal(readKafkaSource(source, { raw, record: 0 }), null)
})

for (const ms of [-1, -62_135_596_800_001, 253_402_300_800_000, 1e17]) {
  test(`A Kafka timestamp of ${ms} ms is null, as a column and as a transform`, () => {
    assert.equal(columnOf(ms), null)
    // A null result adds no field, and a column without a value is null.
    for (const type of [0, 1]) assert.deepEqual(transformed(ms, type), {})
  })
}

for (const ms of [0, 1_700_000_000_123, 9_007_199_254_741, 253_402_300_799_999]) {
  test(`A Kafka timestamp of ${ms} ms is the same time as a column and as a transform`, () => {
    const at = String(columnOf(ms))
    assert.equal(Date.parse(at), ms)
    const { at: made } = transformed(ms) as { readonly at: string }
    assert.equal(Date.parse(made), ms)
  })
}
