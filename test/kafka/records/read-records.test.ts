import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODEC_NAMES } from '../../../src/compression/compression.ts'
import { keyOf, valueOf } from '../../../src/core/raw.ts'
import { readRecords } from '../../../src/kafka/records/read-records.ts'
import {
  encodeBatch,
  encodeBatchAround,
  encodeMarker,
  encodeRecord,
  varint,
  withChecksum,
} from './support/encode.ts'
import { CODECS, readAll, REQUEST, seenOf } from './support/read-all.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const value = (text: string): { value: Buffer } => ({ value: bytes(text) })
const offsetsOf = (reads: ReturnType<typeof readAll>): bigint[] => seenOf(reads).map(({ offset }) => offset)
const corrupt = (offset: bigint, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Error)
  assert.match(error.message, message)
  const { code, context } = error as Error & { code: string; context: object }
  assert.deepEqual(
    { code, ...context },
    { code: 'KD_RECORDS_CORRUPT', topic: 'orders', partition: 3, offset },
  )
  return true
}

test('Values of text have keys, newlines and zeros between them, and a newline at the end', () => {
  const [read] = readAll(
    encodeBatch({
      baseOffset: 2n ** 40n - 1n,
      baseTimestampMs: 1_000n,
      records: [
        { key: bytes('k'), value: bytes('one'), timestampMs: 1_000 },
        { key: null, value: null, timestampMs: 999 },
        { key: bytes(''), value: bytes(''), timestampMs: 5_000 },
        { key: bytes('x'.repeat(100)), value: bytes('y'.repeat(300)), timestampMs: 1_001 },
      ],
    }),
  )
  assert.ok(read !== undefined)
  const { raw } = read
  assert.match(Buffer.from(raw.bytes).toString(), /^\n\0+k\n\0*one\n[\n\0]+x{100}\n\0*y{300}\n$/)
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => valueOf(raw, i) && Buffer.from(valueOf(raw, i) ?? '').toString()),
    ['one', undefined, '', 'y'.repeat(300)],
  )
  assert.ok([0, 2, 3].every((i) => raw.bytes[raw.valueEnd[i] as number] === 10))
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => keyOf(raw, i) && Buffer.from(keyOf(raw, i) ?? '').toString()),
    ['k', undefined, '', 'x'.repeat(100)],
  )
  assert.equal(raw.valueStart[1], -1)
  assert.deepEqual([...raw.timestampsMs], [1_000, 999, 5_000, 1_001])
  assert.deepEqual(
    [...raw.offsets],
    [0n, 1n, 2n, 3n].map((delta) => 2n ** 40n - 1n + delta),
  )
  assert.equal(raw.headers, undefined)
  assert.equal(raw.appended, undefined)
  assert.equal(read.next, 2n ** 40n + 3n)
})

test('Only the bytes of the response are written over, and those of uncompressed batches are not copied', () => {
  const plain = [0n, 1n, 2n, 3n].map((baseOffset) =>
    encodeBatch({ baseOffset, records: [value(`v${baseOffset}`)] }),
  )
  const zipped = encodeBatch({ baseOffset: 4n, codec: 'gzip', records: [value('v4')] }, CODECS)
  for (const batches of [plain, [...plain, zipped]]) {
    const log = Buffer.concat(batches)
    const around = new Uint8Array(log.length + 200).fill(7)
    around.set(log, 100)
    const reads = [...readRecords({ ...REQUEST, records: around.subarray(100, 100 + log.length) })]
    assert.deepEqual(
      seenOf(reads).map((record) => record.value),
      batches.map((_, index) => `v${index}`),
    )
    assert.ok([...around.subarray(0, 100), ...around.subarray(100 + log.length)].every((byte) => byte === 7))
    assert.equal(reads[0]?.raw.bytes.buffer === around.buffer, batches === plain)
  }
})

test('Offsets may cross a 32-bit boundary within a batch', () => {
  const records = [value('a'), value('b'), value('c')]
  for (const baseOffset of [2n ** 32n - 2n, 2n ** 53n, 2n ** 62n + 2n ** 32n - 1n])
    assert.deepEqual(
      offsetsOf(readAll(encodeBatch({ baseOffset, records }))),
      [0n, 1n, 2n].map((delta) => baseOffset + delta),
    )
})

test('Every codec is read, alone and mixed with others', () => {
  const records = [value('a'), { key: bytes('k'), value: null }, value('c')]
  const batches = [undefined, ...CODEC_NAMES, undefined].map((codec, index) =>
    encodeBatch(
      { baseOffset: BigInt(3 * index), records, ...(codec === undefined ? {} : { codec }) },
      CODECS,
    ),
  )
  const expected = [
    ['a', undefined],
    [undefined, 'k'],
    ['c', undefined],
  ]
  for (const batch of batches)
    assert.deepEqual(
      seenOf(readAll(batch)).map((each) => [each.value, each.key]),
      expected,
    )
  const all = readAll(Buffer.concat(batches))
  assert.deepEqual(
    seenOf(all).map((each) => [each.value, each.key]),
    batches.flatMap(() => expected),
  )
  assert.deepEqual(
    offsetsOf(all),
    Array.from({ length: 18 }, (_, i) => BigInt(i)),
  )
  assert.equal(all.at(-1)?.next, 18n)
})

test('The broker’s timestamp applies to every record of a batch with append time', () => {
  const records = [
    { ...value('a'), timestampMs: 7 },
    { ...value('b'), timestampMs: 8 },
  ]
  const stamped = { isAppendTime: true, maxTimestampMs: 99n }
  const [read] = readAll(
    Buffer.concat([
      encodeBatch({ baseOffset: 0n, records }),
      encodeBatch({ baseOffset: 2n, records, ...stamped }),
    ]),
  )
  assert.deepEqual([...(read?.raw.timestampsMs ?? [])], [7, 8, 99, 99])
  assert.deepEqual([...(read?.raw.appended ?? [])], [0, 0, 1, 1])
})

test('Timestamp deltas have up to 64 bits and wrap there', () => {
  const day = 86_400_000
  const wide = [-1, 0, 2 ** 27, -(2 ** 27), 2 ** 34, 400 * 365 * day, -400 * 365 * day]
  const [read] = readAll(
    encodeBatch({ baseOffset: 0n, records: wide.map((timestampMs) => ({ ...value(''), timestampMs })) }),
  )
  assert.deepEqual([...(read?.raw.timestampsMs ?? [])], wide)
  const record = [0, ...varint(2n ** 63n - 1n), 0, 1, 0, 0]
  const wrapped = encodeBatchAround(
    { baseOffset: 0n, baseTimestampMs: 1n, records: [{}] },
    Buffer.from([...varint(record.length), ...record]),
  )
  assert.deepEqual([...(readAll(wrapped)[0]?.raw.timestampsMs ?? [])], [-(2 ** 63)])
})

test('Records before the requested offset are skipped', () => {
  const batch = encodeBatch({ baseOffset: 10n, records: [value('a'), value('b'), value('c')] })
  const [read] = readAll(batch, { from: 11n })
  assert.deepEqual(read && offsetsOf([read]), [11n, 12n])
  // A broker may send an earlier batch; the requested offset must follow it.
  const earlier = encodeBatch({ baseOffset: 5n, records: [value('x')], lastOffsetDelta: 4 })
  assert.deepEqual(offsetsOf(readAll(Buffer.concat([earlier, batch]), { from: 11n })), [11n, 12n])
})

test('A compacted batch advances the next offset past all of its offsets, even without records', () => {
  const sparse = encodeBatch({
    baseOffset: 0n,
    records: [
      { ...value('a'), offsetDelta: 2 },
      { ...value('b'), offsetDelta: 5 },
    ],
    lastOffsetDelta: 9,
  })
  const empty = encodeBatch({ baseOffset: 10n, records: [], lastOffsetDelta: 4 })
  const reads = readAll(Buffer.concat([sparse, empty]))
  assert.deepEqual(offsetsOf(reads), [2n, 5n])
  assert.equal(reads.at(-1)?.next, 15n)
})

test('Control batches are skipped and advance the next offset', () => {
  const log = Buffer.concat([encodeMarker(0n, 1n, 'commit'), encodeMarker(1n, 1n, 'abort')])
  for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
    const [read] = readAll(log, { isolation })
    assert.equal(read?.raw.count, 0)
    assert.equal(read.next, 2n)
  }
})

test('No record at or after the last stable offset is read', () => {
  const records = [value('a'), value('b'), value('c')]
  const log = Buffer.concat([
    encodeBatch({ baseOffset: 0n, records }),
    encodeBatch({ baseOffset: 3n, records }),
  ])
  for (const [stable, expected] of [
    [6n, 6],
    [4n, 4],
    [3n, 3],
    [1n, 1],
    [0n, 0],
  ] as const) {
    const reads = readAll(log, { lastStableOffset: stable })
    assert.equal(offsetsOf(reads).length, expected)
    assert.equal(reads.at(-1)?.next, stable)
  }
  const uncommitted = readAll(log, { lastStableOffset: 1n, isolation: 'read_uncommitted' })
  assert.equal(offsetsOf(uncommitted).length, 6)
  // Also if it is before the requested offset.
  assert.equal(readAll(log, { lastStableOffset: 1n, from: 2n }).at(-1)?.next, 2n)
})

test('A truncated batch at the end is left for the next fetch', () => {
  const whole = encodeBatch({ baseOffset: 0n, records: [value('a')] })
  const next = encodeBatch({ baseOffset: 1n, records: [value('b')] })
  for (let length = 0; length < next.length; length++) {
    const [read] = readAll(Buffer.concat([whole, next.subarray(0, length)]))
    assert.deepEqual([read?.raw.count, read?.next], [1, 1n])
    assert.equal(read?.truncatedBytes, length === 0 ? 0 : length <= 16 ? 17 : next.length)
  }
  const [nothing] = readAll(Buffer.alloc(0), { from: 5n })
  assert.deepEqual([nothing?.raw.count, nothing?.next, nothing?.truncatedBytes], [0, 5n, 0])
})

test('A read ends after the batch that exceeds its byte limit', () => {
  const batches = Array.from({ length: 6 }, (_, index) =>
    encodeBatch({
      baseOffset: BigInt(2 * index),
      records: [value('x'.repeat(50)), value('y')],
      leaderEpoch: index,
    }),
  )
  const reads = readAll(Buffer.concat(batches), { readBytesMax: 100 })
  assert.deepEqual(
    reads.map(({ raw, next, leaderEpoch }) => [raw.count, next, leaderEpoch]),
    [
      [4, 4n, 1],
      [4, 8n, 3],
      [4, 12n, 5],
    ],
  )
})

test('The response is neither modified nor retained', () => {
  const log = encodeBatch({ baseOffset: 0n, records: [{ key: bytes('k'), value: bytes('value') }] })
  const before = Buffer.from(log)
  const [read] = readAll(log)
  assert.ok(log.equals(before))
  assert.notEqual(read?.raw.bytes.buffer, log.buffer)
})

test('A flipped bit in any checksummed byte is an error with the offset of the batch', () => {
  const good = encodeBatch({ baseOffset: 40n, records: [value('a')] })
  const bad = encodeBatch({ baseOffset: 41n, records: [value('b'), value('c')] })
  for (let at = 17; at < bad.length; at++) {
    const flipped = Buffer.from(bad)
    flipped[at] = (flipped[at] as number) ^ 4
    assert.throws(() => readAll(flipped, { from: 41n }), corrupt(41n, /CRC-32C/))
    // The records before it are read first.
    const seen: bigint[] = []
    assert.throws(
      () => {
        const records = Buffer.concat([good, flipped])
        for (const read of readRecords({ ...REQUEST, records, from: 40n })) seen.push(...read.raw.offsets)
      },
      corrupt(41n, /CRC-32C/),
    )
    assert.deepEqual(seen, [40n])
  }
})

test('A flipped bit in the offset of a batch, which no checksum covers, never skips requested records', () => {
  const first = encodeBatch({ baseOffset: 100n, records: [value('a'), value('b')] })
  const second = encodeBatch({ baseOffset: 102n, records: [value('c')] })
  for (let bit = 0; bit < 64; bit++) {
    const log = Buffer.concat([first, second])
    const at = 7 - (bit >> 3)
    log[at] = (log[at] as number) ^ (1 << (bit & 7))
    if (log.readBigInt64BE(0) === 101n) continue
    assert.throws(() => readAll(log, { from: 100n }), { code: 'KD_RECORDS_CORRUPT' }, `bit ${bit}`)
  }
})

test('Inconsistent batches with a correct checksum are an error', () => {
  const record = encodeRecord(value('abc'), 0, 0n)
  const around = (records: Uint8Array, more: object = {}): Buffer =>
    encodeBatchAround({ baseOffset: 0n, records: [{}], ...more }, records)
  const patched = (batch: Buffer, at: number, number: number): Buffer => {
    batch.writeInt32BE(number, at)
    return withChecksum(batch)
  }
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [around(Buffer.concat([record, record])), /expected 1 records, got \d+ bytes after them/],
    [around(record, { count: 2 }), /expected 2 records/],
    [around(record, { count: 2 ** 31 - 1 }), /expected 2147483647 records/],
    [around(record, { count: -1 }), /a record count of at least 0, got -1/],
    [patched(around(record), 23, -1), /last offset/],
    [around(encodeRecord({ ...value('a'), offsetDelta: 1 }, 0, 0n)), /ascending offset deltas up to 0/],
    [
      around(encodeRecord({ ...value('a'), offsetDelta: -1 }, 0, 0n), { lastOffsetDelta: 4 }),
      /ascending offset deltas/,
    ],
    [around(Buffer.concat([record, record]), { count: 2, lastOffsetDelta: 1 }), /got 0 after 0/],
    [around(Buffer.from([14, 0, 0, 0, 3, 1, 0, 0])), /a length of at least -1, got -2/],
    [around(Buffer.from([14, 0, 0, 0, 1, 3, 0, 0])), /a length of at least -1, got -2/],
    [around(Buffer.from([14, 0, 0, 0, 1, 126, 0, 0])), /to end within the record/],
    [around(Buffer.from([14, 0, 0, 0, 1, 0, 1, 0])), /a header count of at least 0, got -1/],
    [around(Buffer.from([16, 0, 0, 0, 1, 0, 2, 1, 1])), /a header with a name/],
    [around(Buffer.from([14, 0, 0, 0, 1, 0, 0, 0])), /of its stated length/],
    [around(Buffer.from([16, 0, 0, 0, 1, 0, 252, 255, 255])), /at most five bytes|to end within/],
    [around(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])), /at most five bytes/],
    [
      around(Buffer.from([26, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0])),
      /at most ten bytes/,
    ],
    [around(Buffer.from([2, 0, 0, 0, 0, 0, 0])), /a length of 1 bytes/],
    [encodeBatch({ baseOffset: -1n, records: [value('a')] }), /offsets of at least 0/],
    [encodeBatch({ baseOffset: 2n ** 63n - 1n, records: [value('a')] }), /offsets of at least 0/],
  ]
  for (const [batch, message] of cases)
    assert.throws(() => readAll(batch), corrupt(batch.readBigInt64BE(0), message), String(message))
})

test('Unknown formats and codecs, and lengths below the minimum, are refused with a reason', () => {
  const batch = encodeBatch({ baseOffset: 0n, records: [value('a')] })
  const magic = Buffer.from(batch)
  magic[16] = 3
  assert.throws(() => readAll(magic), corrupt(0n, /magic byte 0, 1 or 2, got 3/))
  const codec = Buffer.from(batch)
  codec[22] = 5
  assert.throws(() => readAll(withChecksum(codec)), corrupt(0n, /a codec number from 0 to 4, got 5/))
  for (const length of [-1, 0, 48]) {
    const short = Buffer.from(batch)
    short.writeInt32BE(length, 8)
    assert.throws(() => readAll(short), corrupt(0n, /at least 49 bytes/))
  }
})

test('Descending offsets are an error', () => {
  const batch = encodeBatch({ baseOffset: 5n, records: [value('a'), value('b')] })
  const twice = Buffer.concat([batch, batch])
  assert.throws(() => readAll(twice, { from: 5n }), corrupt(5n, /offsets of at least 7/))
})

test('A batch with a wrong offset, which contradicts the batch after it, is an error and is not read', () => {
  const before = encodeBatch({ baseOffset: 20n, records: [value('a')] })
  const after = encodeBatch({ baseOffset: 23n, records: [value('d')] })
  for (const baseOffset of [22n, 24n, 1_000n, 2n ** 60n])
    for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
      const wrong = encodeBatch({ baseOffset, records: [value('b'), value('c')] })
      const records = Buffer.concat([before, wrong, after])
      const seen: bigint[] = []
      assert.throws(
        () => {
          const request = { ...REQUEST, records, isolation, lastStableOffset: 24n, highWatermark: 24n }
          for (const read of readRecords({ ...request, from: 20n })) seen.push(...read.raw.offsets)
        },
        corrupt(21n, /offsets of at least/),
      )
      assert.deepEqual(seen, [20n])
    }
  // A gap that compaction left is none of this.
  const gap = Buffer.concat([before, after])
  assert.deepEqual(offsetsOf(readAll(gap, { from: 20n, lastStableOffset: 24n })), [20n, 23n])
})

test('A batch after a gap, at or past the end that the broker reports, is left for the next fetch', () => {
  const records = Buffer.concat([
    encodeBatch({ baseOffset: 20n, records: [value('a')] }),
    encodeBatch({ baseOffset: 1_000n, records: [value('b')] }),
  ])
  const ends = { lastStableOffset: 22n, highWatermark: 22n }
  for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
    const reads = readAll(records, { ...ends, isolation, from: 20n })
    assert.deepEqual(offsetsOf(reads), [20n])
    assert.equal(reads.at(-1)?.next, 21n)
    const [again] = readAll(records, { ...ends, isolation, from: 21n })
    assert.deepEqual([again?.raw.count, again?.next], [0, 21n])
  }
})

test('A batch whose decompressed size exceeds the maximum is an error and is not decompressed completely', () => {
  const records = [{ value: Buffer.alloc(1_000_000) }]
  for (const codec of CODEC_NAMES) {
    const batch = encodeBatch({ baseOffset: 0n, records, codec }, CODECS)
    assert.equal(readAll(batch)[0]?.raw.count, 1)
    assert.throws(() => readAll(batch, { batchBytesMax: 100_000 }), corrupt(0n, /at most 100000 bytes/))
  }
})
