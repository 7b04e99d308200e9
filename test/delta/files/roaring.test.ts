import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeRowSet } from '../../../src/delta/files/roaring.ts'
import { type Encoding, encodeRows } from './roaring.ts'

/** Rows in six containers of two buckets: scattered, dense, in runs, and at both ends of a container. */
const ROWS = [
  ...Array.from({ length: 3_000 }, (_, index) => index * 20),
  ...Array.from({ length: 20_000 }, (_, index) => 65_536 + index * 3),
  ...Array.from({ length: 30_000 }, (_, index) => 131_072 + index + (index > 9_999 ? 500 : 0)),
  196_608,
  262_143,
  2 ** 32 + 7,
  2 ** 33 + 65_535,
]

const MIXED = (high: number): Encoding => (high === 1 ? 'bitmap' : high === 2 ? 'runs' : 'array')

for (const [name, encoding] of [
  ['arrays and bitmaps', (high) => (high === 1 || high === 2 ? 'bitmap' : 'array')],
  ['runs alone', () => 'runs'],
  ['every kind of container', MIXED],
] as const satisfies readonly (readonly [string, (high: number) => Encoding])[]) {
  test(`Rows encoded as ${name} are decoded exactly`, () => {
    const rows = decodeRowSet(encodeRows(ROWS, encoding))
    const wanted = new Set(ROWS)
    assert.equal(rows.size, ROWS.length)
    assert.equal(rows.last, 2 ** 33 + 65_535)
    for (let row = 0; row < 400_000; row++) {
      if (rows.has(row) !== wanted.has(row)) assert.fail(`row ${row}`)
    }
    for (const row of [2 ** 32 + 7, 2 ** 33 + 65_535]) assert.ok(rows.has(row))
    for (const row of [2 ** 32 + 6, 2 ** 32 + 8, 2 ** 33, 2 ** 40 + 7]) assert.ok(!rows.has(row))
  })
}

test('Bytes at an odd address are read', () => {
  const bytes = encodeRows([3, 4, 7], () => 'array')
  const moved = new Uint8Array(bytes.length + 1)
  moved.set(bytes, 1)
  assert.ok(decodeRowSet(moved.subarray(1)).has(7))
})

test('An empty set is decoded as empty', () => {
  const rows = decodeRowSet(encodeRows([], () => 'array'))
  assert.deepEqual([rows.size, rows.last, rows.has(0)], [0, -1, false])
})

test('Truncated bytes, and bytes with a trailing rest, are refused', () => {
  const bytes = encodeRows([1, 2, 3, 70_000, 140_000, 210_000], (high) => (high === 0 ? 'runs' : 'array'))
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeRowSet(bytes.subarray(0, length)), RangeError)
  }
  assert.throws(() => decodeRowSet(Buffer.concat([bytes, Buffer.alloc(1)])), /1 bytes follow/)
})

const SMALL = encodeRows([5, 9], () => 'array')
for (const [fault, at, value, message] of [
  ['another magic number', 0, 0xd0, /magic number is 1681511376/],
  ['a bucket whose key is negative in Java', 15, 0x80, /bucket 0 has the key/],
  ['an invalid cookie', 16, 0, /cookie/],
  ['an offset that is not where the container lies', 28, 17, /container 0 lies at 16, not at 17/],
  ['an array that is not sorted', 32, 200, /not sorted/],
] as const) {
  test(`A bitmap with ${fault} is refused`, () => {
    const bytes = Buffer.from(SMALL)
    bytes[at] = value
    assert.throws(() => decodeRowSet(bytes), message)
  })
}

test('Headers that do not match the counts of their containers are refused', () => {
  const rows = Array.from({ length: 5_000 }, (_, index) => index * 2)
  for (const [encoding, at] of [
    ['bitmap', 26],
    ['runs', 23],
  ] as const) {
    const bytes = encodeRows(rows, () => encoding)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    assert.throws(() => decodeRowSet(bytes), /header says/)
  }
})
