import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteSink } from '../../../src/kafka/produce/byte-sink.ts'

test('Numbers are written as their digits', () => {
  const sink = new ByteSink(1)
  const numbers = [0, 1, 9, 10, 99, 100, 999_999, 1_000_000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
  for (const number of numbers) {
    sink.clear()
    sink.digits(number)
    assert.equal(sink.toString(), String(number))
  }
  sink.clear()
  for (let number = 0; number < 100; number++) sink.pair(number)
  assert.equal(
    sink.toString(),
    Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0')).join(''),
  )
  sink.clear()
  for (const bits of [0, 0xabcd, 0x1_0012, -1]) sink.hex4(bits)
  assert.equal(sink.toString(), '0000abcd0012ffff')
})

test('Bytes and text of any length are kept in order, and a copy does not change', () => {
  const sink = new ByteSink(4)
  const parts = ['a', 'Grüße', 'x'.repeat(13), '€'.repeat(500)]
  for (const part of parts) {
    sink.text(part)
    sink.raw(Buffer.from(part))
    sink.raw(Buffer.from(`${part}----`), Buffer.byteLength(part))
    sink.byte(0x2c)
  }
  const expected = parts.map((part) => `${part}${part}${part},`).join('')
  assert.equal(sink.toString(), expected)
  const copy = sink.copy()
  sink.clear()
  sink.text('other')
  assert.equal(copy.toString(), expected)
  assert.equal(sink.length, 5)
})
