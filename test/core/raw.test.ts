import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  headerBytesOf,
  headerValuesOf,
  isKafkaTimestamp,
  kafkaTimestampMicros,
  lazyHeaders,
} from '../../src/core/raw.ts'

test('the headers of a record are decoded once, when they are first read', () => {
  const decoded: number[] = []
  const headers = lazyHeaders(5, (i) => {
    decoded.push(i)
    return i === 3 ? undefined : { i: Uint8Array.of(i) }
  })
  assert.equal(headers.length, 5)
  assert.equal(headers[5], undefined)
  assert.equal((headers as unknown as Record<string, unknown>)['-1'], undefined)
  assert.deepEqual(decoded, [])
  assert.equal(headers[2], headers[2])
  assert.deepEqual([headers[3], headers[3]], [undefined, undefined])
  assert.deepEqual(decoded, [2, 3])
  // A copy of the batch decodes nothing.
  const copy = { ...{ headers } }
  assert.deepEqual(decoded, [2, 3])
  assert.deepEqual(
    copy.headers.map((each) => each?.['i']?.[0]),
    [0, 1, 2, undefined, 4],
  )
  assert.equal([...headers].length, 5)
  assert.deepEqual(decoded, [2, 3, 0, 1, 4])
})

test('the values of a header are a list, whose elements may be null; an absent header has none', () => {
  const one = Uint8Array.of(1)
  const headers = { none: null, one, many: [null, one] }
  assert.deepEqual(headerValuesOf(headers, 'none'), [null])
  assert.deepEqual(headerValuesOf(headers, 'one'), [one])
  assert.deepEqual(headerValuesOf(headers, 'many'), [null, one])
  for (const name of ['absent', 'constructor']) assert.deepEqual(headerValuesOf(headers, name), [])
  assert.deepEqual(headerValuesOf(undefined, 'none'), [])
  assert.deepEqual([headerBytesOf(headers), headerBytesOf(undefined)], [4 + 3 + 1 + 4 + 4 + 1, 0])
})

test('a Kafka timestamp is a time between 1970 and 9999, exact in microseconds; other numbers are none', () => {
  for (const ms of [-1, -62_167_219_200_001, 253_402_300_800_000, 1e17, NaN, Infinity])
    assert.deepEqual([isKafkaTimestamp(ms), kafkaTimestampMicros(ms)], [false, null], String(ms))
  assert.equal(kafkaTimestampMicros(0), 0)
  assert.equal(kafkaTimestampMicros(1_700_000_000_123), 1_700_000_000_123_000)
  // From the year 2255 on a double would be rounded.
  assert.equal(kafkaTimestampMicros(9_007_199_254_741), 9_007_199_254_741_000n)
  assert.equal(kafkaTimestampMicros(253_402_300_799_999), 253_402_300_799_999_000n)
})
