import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WireReader } from '../../../src/kafka/wire/wire-reader.ts'
import { WireWriter } from '../../../src/kafka/wire/wire-writer.ts'

test('Written values are read back, also when the buffer grows meanwhile', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          ...{
            flag: fc.boolean(),
            byte: fc.integer({ min: -128, max: 127 }),
            short: fc.integer({ min: -0x8000, max: 0x7fff }),
          },
          ...{
            port: fc.nat(0xffff),
            int: fc.integer(),
            long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          },
          ...{ varint: fc.nat(0x7fff_ffff).map((n) => n * 2), raw: fc.uint8Array({ maxLength: 50 }) },
        }),
        { maxLength: 6 },
      ),
      (values) => {
        const writer = new WireWriter(1)
        for (const { flag, byte, short, port, int, long, varint, raw } of values) {
          writer.bool(flag)
          writer.int8(byte)
          writer.int16(short)
          writer.uint16(port)
          writer.int32(int)
          writer.int64(long)
          writer.uvarint(varint)
          writer.raw(raw)
        }
        const reader = new WireReader(writer.toBuffer())
        for (const { flag, byte, short, port, int, long, varint, raw } of values) {
          assert.equal(reader.bool(), flag)
          assert.deepEqual(
            [reader.int8(), reader.int16(), reader.uint16(), reader.int32()],
            [byte, short, port, int],
          )
          assert.equal(reader.int64(), long)
          assert.equal(reader.uvarint(), varint)
          assert.deepEqual(Buffer.from(reader.slice(raw.length)), Buffer.from(raw))
        }
        assert.equal(reader.at, reader.end)
      },
    ),
  )
})

test('Reading stops at the end of the message or of a tagged field', () => {
  const reader = new WireReader(Buffer.from('0102030405060708', 'hex'))
  reader.end = 3
  assert.equal(reader.int16(), 0x0102)
  assert.throws(() => reader.int16(), {
    code: 'KD_SOURCE_FAILED',
    message: /expected 2 bytes at byte 2, got 1/,
  })
  assert.throws(() => reader.text(2), /expected 2 bytes/)
  assert.throws(() => reader.slice(1e12), /expected 1000000000000 bytes/)
  assert.throws(() => reader.uuid(), /expected 16 bytes/)
  assert.throws(() => reader.checkCount(2, 1), /expected 2 elements at byte 2, got only 1 bytes/)
  assert.equal(reader.checkCount(1, 1), 1)
})

test('A message within a larger buffer is read from its own start', () => {
  const whole = Buffer.from('ffff0003616263ff', 'hex')
  const reader = new WireReader(whole.subarray(2, 7))
  assert.equal(reader.text(reader.int16()), 'abc')
  assert.throws(() => reader.int8())
})
