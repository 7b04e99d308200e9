import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REQUEST_BYTES_MAX, WireWriter } from '../../../src/kafka/wire/wire-writer.ts'

test('A reserved integer is filled in later', () => {
  const writer = new WireWriter(2)
  writer.int32(0)
  writer.raw(Buffer.from('abc'))
  writer.setInt32(0, writer.length - 4)
  assert.equal(writer.toBuffer().toString('hex'), '00000003616263')
})

test('Numbers out of the range of their type are refused', () => {
  const writer = new WireWriter()
  assert.throws(() => {
    writer.int8(128)
  })
  assert.throws(() => {
    writer.int16(0x8000)
  })
  assert.throws(() => {
    writer.int32(2 ** 31)
  })
  assert.throws(() => {
    writer.int64(2n ** 63n)
  })
})

test('A uuid is 32 hex digits of either case', () => {
  const writer = new WireWriter()
  writer.uuid('00112233445566778899aabbccddeeFF')
  assert.equal(writer.toBuffer().toString('hex'), '00112233445566778899aabbccddeeff')
  for (const text of ['', '0011', `${'0'.repeat(31)}g`, '0'.repeat(33)])
    assert.throws(() => {
      writer.uuid(text)
    }, /expected 32 hex digits/)
})

test('A message cannot exceed its maximum', () => {
  const writer = new WireWriter()
  const part = new Uint8Array(REQUEST_BYTES_MAX / 4)
  for (let i = 0; i < 4; i++) writer.raw(part)
  assert.equal(writer.length, REQUEST_BYTES_MAX)
  assert.throws(() => {
    writer.int8(0)
  }, /at most 104857600 bytes/)
})
