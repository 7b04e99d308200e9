import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameAssembler } from '../../../../src/kafka/wire/network/frames.ts'

function framed(messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(message.length)
      return [length, message]
    }),
  )
}

test('Frames are complete and in order, however the stream is split into chunks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      fc.boolean(),
      (messages, sizes, isLent) => {
        const bytes = framed(messages)
        const kept: Buffer[] = []
        const assembler = new FrameAssembler(100, (frame) => kept.push(frame))
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + (sizes[i % sizes.length] as number)
          const chunk = Buffer.from(bytes.subarray(at, end))
          assembler.push(chunk, isLent)
          // The owner of a lent chunk overwrites it.
          if (isLent) chunk.fill(0xee)
          at = end
        }
        assert.deepEqual(
          kept.map((frame) => frame.toString('hex')),
          messages.map((message) => Buffer.from(message).toString('hex')),
        )
      },
    ),
  )
})

test('A frame within one chunk shares it', () => {
  const bytes = framed([Buffer.from('message')])
  let frame: Buffer | undefined
  new FrameAssembler(100, (one) => (frame = one)).push(bytes)
  assert.equal(frame?.buffer, bytes.buffer)
})

test('A socket may read into the rest of an incomplete frame', () => {
  const message = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251))
  const bytes = Buffer.concat([framed([message]), framed([Buffer.from('next')])])
  const kept: Buffer[] = []
  const assembler = new FrameAssembler(10_000, (frame) => kept.push(frame))
  const unfilledBytes = (): number | undefined => assembler.unfilled?.length
  assert.equal(unfilledBytes(), undefined)
  assembler.push(bytes.subarray(0, 1_004), true)
  for (let at = 1_004; at < 5_004; at += 800) {
    assert.equal(unfilledBytes(), 5_004 - at)
    bytes.copy(assembler.unfilled ?? Buffer.alloc(0), 0, at, at + 800)
    assembler.advance(800)
  }
  assert.equal(unfilledBytes(), undefined)
  assembler.push(bytes.subarray(5_004), true)
  assert.deepEqual(kept, [message, Buffer.from('next')])
})

test('A negative length and one above the maximum are refused', () => {
  for (const length of ['ffffffff', '00000065', '7fffffff']) {
    const assembler = new FrameAssembler(100, () => assert.fail('a frame'))
    assert.throws(() => assembler.push(Buffer.from(length, 'hex')), { code: 'KD_SOURCE_FAILED' })
  }
})

test('A TLS record is recognized', () => {
  for (const first of ['15030300', '16030100']) {
    const assembler = new FrameAssembler(2 ** 30, () => assert.fail('a frame'))
    assert.throws(
      () => {
        assembler.push(Buffer.from(first, 'hex'))
      },
      { code: 'ERR_PEER_WANTS_TLS' },
    )
  }
})

test('A false length takes no memory before bytes arrive', () => {
  const before = process.memoryUsage().rss
  const assemblers = Array.from(
    { length: 20 },
    () => new FrameAssembler(2 ** 27, () => assert.fail('a frame')),
  )
  for (const assembler of assemblers) assembler.push(Buffer.from('08000000aa', 'hex'))
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 2 ** 28, `${grown} bytes for 20 frames of 128 MiB of which one byte is there`)
})
