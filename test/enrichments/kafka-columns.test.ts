import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Column } from '../../src/arrow/column.ts'
import { rowAt } from '../../src/arrow/values.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import { KAFKA_FIELDS, kafkaColumns } from '../../src/enrichments/kafka-columns.ts'
import { rowsOf, structOf, type Origin } from '../support/flow/batches.ts'

const schema = structOf({ n: 'long' })

/** Returns the Kafka columns of rows as objects. */
function kafkaOf(rows: Rows, enrichment = kafkaColumns()): Record<string, unknown>[] {
  const columns = enrichment.columns(rows, () => undefined) as Column[]
  const { length } = rows.columns
  return Array.from({ length }, (_, row) =>
    rowAt({ schema: { type: 'struct', fields: KAFKA_FIELDS }, columns, length }, row),
  )
}

const rows = (count: number, origin: Origin): Rows =>
  rowsOf(
    schema,
    Array.from({ length: count }, () => ({})),
    origin,
  )

test("Topic, partition, offset, timestamp and key are those of the row's record", () => {
  const three = rows(3, {
    topic: 'tëst',
    partition: 7,
    first: 2n ** 40n,
    keys: ['a', undefined, ''],
    timestampMs: 1_772_323_200_123,
  })
  const common = {
    _kafka_topic: 'tëst',
    _kafka_partition: 7,
    _kafka_timestamp: '2026-03-01T00:00:00.123000Z',
  }
  assert.deepEqual(kafkaOf(three), [
    { ...common, _kafka_offset: 2 ** 40, _kafka_key: 'a' },
    { ...common, _kafka_offset: 2 ** 40 + 1, _kafka_key: null },
    { ...common, _kafka_offset: 2 ** 40 + 2, _kafka_key: '' },
  ])
  const some = { ...three, columns: { ...three.columns, length: 1 }, records: Int32Array.of(2) }
  assert.deepEqual(kafkaOf(some), [{ ...common, _kafka_offset: 2 ** 40 + 2, _kafka_key: '' }])
})

test('Reading a batch again gives the same columns', () => {
  const enrichment = kafkaColumns()
  const two = rows(2, { keys: ['a', 'b'] })
  assert.deepEqual(kafkaOf(two, enrichment), kafkaOf(two, enrichment))
})

test('A key that is not UTF-8 is stored as base64, also when two halves of a character are adjacent', () => {
  const e = Buffer.from('é')
  const keys = [e.subarray(0, 1), e.subarray(1), 'é', Buffer.from([0xff])]
  assert.deepEqual(
    kafkaOf(rows(4, { keys })).map((row) => row['_kafka_key']),
    ['base64:ww==', 'base64:qQ==', 'é', 'base64:/w=='],
  )
  assert.deepEqual(
    kafkaOf(rows(2, { keys: keys.slice(0, 2) })).map((row) => row['_kafka_key']),
    ['base64:ww==', 'base64:qQ=='],
  )
})

test('A record without a timestamp, or with one out of range, has null', () => {
  const timestampOf = (timestampMs: number): unknown =>
    kafkaOf(rows(1, { timestampMs }))[0]?.['_kafka_timestamp']
  assert.equal(timestampOf(-1), null)
  assert.equal(timestampOf(1_772_323_200_000_000), null)
  assert.equal(timestampOf(Number.MAX_SAFE_INTEGER), null)
  assert.equal(timestampOf(0), '1970-01-01T00:00:00.000000Z')
  assert.equal(timestampOf(253_402_300_799_999), '9999-12-31T23:59:59.999000Z')
})
