import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODEC_NAMES } from '../../../src/compression/compression.ts'
import { encodeMessage, encodeWrapper, type PlainMessage } from './support/encode.ts'
import { CODECS, readAll, seenOf } from './support/read-all.ts'

const message = (
  magic: 0 | 1,
  offset: bigint,
  text: string,
  more: Partial<PlainMessage> = {},
): PlainMessage => ({
  magic,
  offset,
  key: Buffer.from(`k${text}`),
  value: Buffer.from(text),
  timestampMs: 1_000n + offset,
  ...more,
})
const WRAPPERS = CODEC_NAMES.filter((name) => name !== 'zstd')

test('Messages of format 0 have no timestamp, those of format 1 have one', () => {
  const log = Buffer.concat([
    encodeMessage(message(0, 5n, 'a')),
    encodeMessage(message(0, 6n, 'b', { key: null, value: null })),
    encodeMessage(message(1, 7n, 'c')),
    encodeMessage(message(1, 8n, 'd', { isAppendTime: true })),
  ])
  const reads = readAll(log, { from: 5n })
  assert.deepEqual(seenOf(reads), [
    { offset: 5n, timestampMs: -1, key: 'ka', value: 'a' },
    { offset: 6n, timestampMs: -1, key: undefined, value: undefined },
    { offset: 7n, timestampMs: 1007, key: 'kc', value: 'c' },
    { offset: 8n, timestampMs: 1008, key: 'kd', value: 'd' },
  ])
  assert.deepEqual([...(reads[0]?.raw.appended ?? [])], [0, 0, 0, 1])
  assert.deepEqual([reads[0]?.next, reads[0]?.leaderEpoch], [9n, -1])
})

test('Messages in a wrapper have absolute offsets in format 0 and relative ones in format 1', () => {
  for (const magic of [0, 1] as const)
    for (const codec of WRAPPERS) {
      // Old clients wrote LZ4 frames with a wrong header checksum in format 0; here both formats have correct ones.
      const log = Buffer.concat([
        encodeMessage(message(magic, 9n, 'x')),
        encodeWrapper(
          codec,
          [10n, 11n, 13n].map((offset) => message(magic, offset, `v${offset}`)),
          CODECS,
        ),
      ])
      const reads = readAll(log, { from: 11n })
      assert.deepEqual(
        seenOf(reads).map(({ offset, value }) => [offset, value]),
        [
          [11n, 'v11'],
          [13n, 'v13'],
        ],
        `format ${magic}, ${codec}`,
      )
      assert.equal(reads.at(-1)?.next, 14n)
    }
})

test('The broker’s timestamp is read from the wrapper', () => {
  const messages = [message(1, 0n, 'a'), message(1, 1n, 'b')]
  const log = encodeWrapper('gzip', messages, CODECS, { isAppendTime: true, timestampMs: 77n })
  const [read] = readAll(log)
  assert.deepEqual([...(read?.raw.timestampsMs ?? [])], [77, 77])
  assert.deepEqual([...(read?.raw.appended ?? [])], [1, 1])
})

test('A flipped bit in any checksummed byte is an error, also inside of a wrapper', () => {
  const plain = encodeMessage(message(1, 3n, 'a'))
  for (let at = 16; at < plain.length; at++) {
    const flipped = Buffer.from(plain)
    flipped[at] = (flipped[at] as number) ^ 1
    assert.throws(() => readAll(flipped), { code: 'KD_RECORDS_CORRUPT' }, `at ${at}`)
  }
  const inside = encodeMessage(message(1, 0n, 'a'))
  inside[20] = 9
  const value = CODECS.gzip.compress(inside)
  assert.throws(() => readAll(encodeMessage({ magic: 1, offset: 0n, codec: 'gzip', value })), /CRC-32/)
})

test('Inconsistent wrappers are refused', () => {
  const wrapped = (inside: Buffer | null, offset = 4n): Buffer =>
    encodeMessage({ magic: 1, offset, codec: 'gzip', value: inside && CODECS.gzip.compress(inside) })
  const at = (offset: bigint): Buffer => encodeMessage(message(1, offset, 'a'))
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [wrapped(null), /got null/],
    [wrapped(Buffer.alloc(0)), /got none/],
    [wrapped(at(0n).subarray(0, 8)), /complete messages/],
    [wrapped(at(0n).subarray(0, 30)), /complete messages in a wrapper, got a length of/],
    [wrapped(encodeMessage(message(0, 0n, 'a'))), /format 1 in a wrapper, got 0/],
    [wrapped(wrapped(at(0n), 0n)), /uncompressed messages/],
    [wrapped(Buffer.concat([at(1n), at(1n)])), /ascending offsets in a wrapper/],
    [wrapped(at(5n)), /ascending offsets in a wrapper, got 5/],
  ]
  for (const [log, expected] of cases) assert.throws(() => readAll(log), expected)
  // The first message inside is before the previous entry.
  const log = Buffer.concat([at(3n), wrapped(Buffer.concat([at(0n), at(1n)]))])
  assert.throws(() => readAll(log), /offsets of at least 4, got 3/)
})

test('A wrapper whose decompressed size exceeds the maximum is an error', () => {
  const log = encodeWrapper('gzip', [message(1, 0n, 'x'.repeat(10_000))], CODECS)
  assert.throws(() => readAll(log, { batchBytesMax: 5_000 }), /at most 5000 bytes/)
})
