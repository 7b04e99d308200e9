import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AvroCursor } from '../../src/formats/avro/cursor.ts'
import { ProtoCursor } from '../../src/formats/protobuf/cursor.ts'

const avro = (hex: string): AvroCursor => new AvroCursor(Buffer.from(hex, 'hex'))
const proto = (hex: string): ProtoCursor => new ProtoCursor(Buffer.from(hex, 'hex'))

for (const [hex, value] of [
  ['00', 0],
  ['01', -1],
  ['7f', -64],
  ['feffffffffffff1f', 9_007_199_254_740_991],
  ['80808080808080808001', 4_611_686_018_427_387_904n],
  ['feffffffffffffffff01', 2n ** 63n - 1n],
  ['ffffffffffffffffff01', -(2n ** 63n)],
  // More bytes than the number needs.
  ['8a80808080808000', 5],
  ['8a808080808080808000', 5],
] as const) {
  test(`Avro and Protobuf read the signed number ${hex} alike`, () => {
    assert.deepEqual([avro(hex).long(), proto(hex).sint64()], [value, value])
  })
}

test('A number beyond 64 bits is a fault in Avro and loses its high bits in Protobuf', () => {
  const hex = '8a808080808080808002'
  assert.throws(() => avro(hex).long(), /expected a number of 64 bits, got a longer one/)
  assert.deepEqual([proto(hex).uint64(), proto(hex).sint64(), proto(hex).int64()], [10, 5, 10])
})

test('A number of eleven bytes is a fault, and so is one that does not end', () => {
  const eleven = 'ffffffffffffffffffff01'
  assert.throws(() => avro(eleven).long(), /expected a number of 64 bits, got a longer one/)
  assert.throws(() => proto(eleven).uint64(), /expected a number of at most 10 bytes, got a longer one/)
  for (const hex of ['', '80', 'ffffffffffffffff']) {
    assert.throws(() => avro(hex).long(), /expected a number, got the end/)
    assert.throws(() => proto(hex).uint64(), /expected a number, got the end/)
  }
})

test('Nothing is read beyond the end', () => {
  for (const [read, fault] of [
    [() => avro('000000').float(), /expected 4 more bytes, got 3/],
    [() => proto('00000000000000').double(), /expected 8 more bytes, got 7/],
    [() => avro('').boolean(), /expected 1 more bytes, got 0/],
    [() => avro('0461').string(), /expected 2 more bytes, got 1/],
    [() => proto('0261').string(), /expected 2 more bytes, got 1/],
    [() => avro('0161').bytes(), /expected a length, got -1/],
    [() => avro('61').take(-1), /expected a length, got -1/],
  ] as const)
    assert.throws(read, fault)
})

test('Floats, doubles, text and bytes are read in sequence, and bytes are not copied', () => {
  const numbers = '0000c03f0000000000000440'
  const bytes = Buffer.from(`${numbers}00`, 'hex')
  assert.equal(avro('04c3a9').string(), 'é')
  assert.equal(proto('02c3a9').string(), 'é')
  for (const cursor of [new AvroCursor(bytes), new ProtoCursor(bytes)])
    assert.deepEqual([cursor.float(), cursor.double(), cursor.bytesLeft], [1.5, 2.5, 1])
  const value = Buffer.from('0461c3', 'hex')
  const read = new AvroCursor(value).bytes()
  value[1] = 0x62
  assert.equal(read.toString('latin1'), 'bÃ')
})
