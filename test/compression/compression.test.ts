import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODEC_NAMES, codecOf, openCodec } from '../../src/compression/compression.ts'
import type { CodecName } from '../../src/compression/compression.ts'
import { crc32c } from '../../src/compression/crc32c.ts'
import { chanceOf } from '../support/values/chance.ts'

const HELLO = 'hello hello hello hello hello hello hello'
const MIB = 1024 * 1024

/** `HELLO` compressed by other programs: the gzip, zstd and lz4 command line tools, and snappy-java. */
const FOREIGN: readonly (readonly [string, CodecName, string, hasMagic: boolean])[] = [
  ['gzip', 'gzip', 'H4sIAAAAAAACA8tIzcnJV8ggTAIANE8HMikAAAA=', true],
  ['zstd, streamed without content size', 'zstd', 'KLUv/QRYZQAAMGhlbGxvIAEAQpYirYp2+g==', true],
  ['zstd, with content size', 'zstd', 'KLUv/SQpZQAAMGhlbGxvIAEAQpYirYp2+g==', true],
  ['lz4', 'lz4', 'BCJNGGRApxAAAABvaGVsbG8gBgALUGhlbGxvAAAAAMdv8YE=', true],
  [
    'lz4 with length and checksums of blocks',
    'lz4',
    'BCJNGHxAKQAAAAAAAABHEAAAAG9oZWxsbyAGAAtQaGVsbG9afQCiAAAAAMdv8YE=',
    true,
  ],
  ['snappy in the framing of snappy-java', 'snappy', 'glNOQVBQWQAAAAABAAAAAQAAAAspFGhlbGxvIIoGAA==', true],
  ['snappy in the Snappy framing format', 'snappy', '/wYAAHNOYVBwWQAPAAD926+zKRRoZWxsbyCKBgA=', true],
  ['snappy without framing', 'snappy', 'KRRoZWxsbyCKBgA=', false],
]

for (const [what, name, base64, hasMagic] of FOREIGN) {
  const bytes = Buffer.from(base64, 'base64')

  test(`${what}: data of another program is decompressed byte for byte`, async () => {
    const codec = await openCodec(name)
    assert.equal(Buffer.from(codec.decompress(bytes, HELLO.length)).toString(), HELLO)
    assert.throws(() => codec.decompress(bytes, HELLO.length - 1), /at most 40 bytes after decompression/)
  })

  test(`${what}: ${hasMagic ? 'magic bytes identify' : 'no magic bytes identify'} the codec`, () => {
    assert.equal(codecOf(bytes), hasMagic ? name : undefined)
  })

  test(`${what}: truncated bytes are refused`, async () => {
    const codec = await openCodec(name)
    // The blocks of a frame are independent, so a header alone is an empty stream.
    const whole = what.endsWith('Snappy framing format') ? [10] : what.endsWith('snappy-java') ? [16] : []
    for (let end = 0; end < bytes.length; end++)
      if (!whole.includes(end))
        assert.throws(() => codec.decompress(bytes.subarray(0, end), MIB), Error, `${end} bytes`)
  })
}

for (const name of CODEC_NAMES) {
  test(`${name}: compressed data round-trips, and damaged data never ends the process`, async (t) => {
    const chance = chanceOf(t)
    const codec = await openCodec(name)
    for (let round = 0; round < 60; round++) {
      const alphabet = 1 + chance.int(256)
      const bytes = Uint8Array.from({ length: chance.int(20_000) }, () => chance.int(alphabet))
      const compressed = codec.compress(bytes)
      assert.deepEqual(Buffer.from(codec.decompress(compressed, 20_000)), Buffer.from(bytes))
      for (let corruption = 0; corruption < 20; corruption++) {
        const copy = Uint8Array.from(compressed)
        copy[chance.int(copy.length)] = chance.int(256)
        try {
          assert.ok(codec.decompress(copy, 30_000).length <= 30_000)
        } catch (error) {
          assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), String(error))
        }
      }
    }
  })

  test(`${name}: a decompression bomb is refused`, async () => {
    const codec = await openCodec(name)
    const bomb = codec.compress(new Uint8Array(64 * MIB))
    assert.throws(() => codec.decompress(bomb, MIB), /at most 1048576 bytes after decompression, got more/)
  })
}

test('zstd: a bomb without a content size is refused, and the same bytes are decompressed within a larger limit', async () => {
  const codec = await openCodec('zstd')
  const block = 128 * 1024
  const blocks = 100
  // A frame header without length and checksum and with a window of 128 KiB, then repeated blocks of one byte.
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]
  for (let i = 0; i < blocks; i++) {
    const header = (block << 3) | (1 << 1) | (i === blocks - 1 ? 1 : 0)
    frame.push(header & 0xff, (header >> 8) & 0xff, header >> 16, 0x61)
  }
  const bomb = Uint8Array.from(frame)
  assert.throws(() => codec.decompress(bomb, 5 * MIB), /at most 5242880 bytes/)
  const bytes = codec.decompress(bomb, block * blocks)
  assert.equal(bytes.length, block * blocks)
  assert.ok(bytes.every((byte) => byte === 0x61))
})

test('zstd: a false content size in the header allocates no memory', async () => {
  const codec = await openCodec('zstd')
  const bytes = Buffer.concat([
    Buffer.from('28b52ffdc038', 'hex'),
    Buffer.from('ffffffffffffff7f', 'hex'),
    Buffer.alloc(9),
  ])
  assert.throws(() => codec.decompress(bytes, 256 * MIB), /at most 268435456 bytes/)
})

test('The checksum of snappy frames matches the standard check value', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})
