import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODEC_NAMES, codecOf, openCodec } from '../../src/compression/compression.ts'
import type { CodecName } from '../../src/compression/compression.ts'
import { builtInZstd } from '../../src/compression/zstd-built-in.ts'
import { loadZstdWasm } from '../../src/compression/zstd-wasm.ts'
import type { ByteCodec } from '../../src/compression/byte-codec.ts'
import { crc32c } from '../../src/compression/crc32c.ts'
import { chanceOf } from '../support/values/chance.ts'

/** The codecs of one name: of Zstandard also the one that this Node does not use, because another may. */
function implementationsOf(name: CodecName): readonly (readonly [string, () => Promise<ByteCodec>])[] {
  if (name !== 'zstd') return [[name, () => openCodec(name)]]
  const builtIn = builtInZstd()
  const packaged = ['zstd of the package', loadZstdWasm] as const
  return builtIn === undefined
    ? [packaged]
    : [packaged, ['zstd of Node', () => Promise.resolve(builtIn)] as const]
}

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

  for (const [codecName, open] of implementationsOf(name)) {
    test(`${what}, by ${codecName}: data of another program is decompressed byte for byte`, async () => {
      const codec = await open()
      assert.equal(Buffer.from(codec.decompress(bytes, HELLO.length)).toString(), HELLO)
      assert.throws(() => codec.decompress(bytes, HELLO.length - 1), /at most 40 bytes after decompression/)
    })

    test(`${what}, by ${codecName}: truncated bytes are refused`, async () => {
      const codec = await open()
      // The blocks of a frame are independent, so a header alone is an empty stream.
      const whole = what.endsWith('Snappy framing format') ? [10] : what.endsWith('snappy-java') ? [16] : []
      for (let end = 0; end < bytes.length; end++)
        if (!whole.includes(end))
          assert.throws(() => codec.decompress(bytes.subarray(0, end), MIB), Error, `${end} bytes`)
    })
  }

  test(`${what}: ${hasMagic ? 'magic bytes identify' : 'no magic bytes identify'} the codec`, () => {
    assert.equal(codecOf(bytes), hasMagic ? name : undefined)
  })
}

for (const [name, open] of CODEC_NAMES.flatMap(implementationsOf)) {
  test(`${name}: compressed data round-trips, and damaged data never ends the process`, async (t) => {
    const chance = chanceOf(t)
    const codec = await open()
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
    const codec = await open()
    const bomb = codec.compress(new Uint8Array(64 * MIB))
    assert.throws(() => codec.decompress(bomb, MIB), /at most 1048576 bytes after decompression, got more/)
  })
}

for (const [name, open] of implementationsOf('zstd')) {
  test(`${name}: a bomb without a content size is refused, and the same bytes are decompressed within a larger limit`, async () => {
    const codec = await open()
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

  test(`${name}: a false content size in the header allocates no memory`, async () => {
    const codec = await open()
    const bytes = Buffer.concat([
      Buffer.from('28b52ffdc038', 'hex'),
      Buffer.from('ffffffffffffff7f', 'hex'),
      Buffer.alloc(9),
    ])
    assert.throws(() => codec.decompress(bytes, 256 * MIB), /at most 268435456 bytes/)
  })

  test(`${name}: what Node and the package compress is the same to both`, async () => {
    const bytes = Buffer.from(HELLO.repeat(1_000))
    const compressed = (await open()).compress(bytes)
    for (const [, other] of implementationsOf('zstd'))
      assert.deepEqual(Buffer.from((await other()).decompress(compressed, bytes.length)), bytes)
    assert.deepEqual(
      Buffer.from((await open()).decompress((await open()).compress(new Uint8Array(0)), 0)),
      Buffer.alloc(0),
    )
  })

  test(`${name}: two frames are refused, as are bytes behind a frame`, async () => {
    const codec = await open()
    const frame = codec.compress(Buffer.from(HELLO))
    assert.throws(() => codec.decompress(Buffer.concat([frame, frame]), MIB), Error)
    assert.throws(() => codec.decompress(Buffer.concat([frame, Buffer.of(1, 2, 3)]), MIB), Error)
  })
}

test('This Node uses its own Zstandard if it has one', async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const hasOwn = major > 22 || (major === 22 && minor >= 15)
  assert.equal(builtInZstd() !== undefined, hasOwn)
  assert.ok((await openCodec('zstd')) === (await openCodec('zstd')))
})

test('The checksum of snappy frames matches the standard check value', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})
