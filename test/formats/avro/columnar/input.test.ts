import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import { AvroCursor } from '../../../../src/formats/avro/cursor.ts'
import { AvroInput, isTextAt, readCount, readAvroLong } from '../../../../src/formats/avro/columnar/input.ts'
import { longOf } from '../../../support/values/avro-containers.ts'
import { chanceOf } from '../../../support/values/chance.ts'

function inputOf(bytes: Uint8Array): AvroInput {
  const input = new AvroInput()
  input.open(bytes)
  input.end = bytes.length
  return input
}

/** The number that the bytes begin with and the position after it, as halves read it. */
function halves(bytes: Uint8Array): readonly [bigint, number] | 'none' {
  const input = inputOf(bytes)
  const at = readAvroLong(input, 0)
  return at < 0 ? 'none' : [(BigInt(input.high) << 32n) | BigInt(input.low >>> 0), at]
}

/** The same as the object reader has it. */
function whole(bytes: Uint8Array): readonly [bigint, number] | 'none' {
  const cursor = new AvroCursor(bytes)
  try {
    return [BigInt(cursor.long()), cursor.position]
  } catch {
    return 'none'
  }
}

test('Numbers of any length are those of the object reader, to the limits of 64 bits', (t) => {
  const chance = chanceOf(t)
  const given = [
    '00',
    '01',
    '7f',
    '8001',
    'ffffffff0f',
    '8080808010',
    'ffffffffffffffffff01',
    'feffffffffffffffff01',
  ]
  const odd = [
    '',
    '80',
    '8000',
    '808080808080808080',
    'ffffffffffffffffff02',
    'ffffffffffffffffff81',
    '80808080808080808000',
  ]
  for (const hex of [...given, ...odd]) {
    const bytes = Buffer.from(hex, 'hex')
    assert.deepEqual(halves(bytes), whole(bytes), hex)
  }
  for (let i = 0; i < 5_000; i++) {
    const size = 1 + chance.int(11)
    const bytes = Buffer.from(
      Array.from({ length: size }, () => (chance.once(6) ? 0 : 0x80) | chance.int(128)),
    )
    assert.deepEqual(halves(bytes), whole(bytes), bytes.toString('hex'))
  }
})

test('Text is valid where Node says so, whatever its length and its place', (t) => {
  const chance = chanceOf(t)
  const parts = [
    '61',
    'c3a9',
    'e282ac',
    'f09f9880',
    'ff',
    'c0',
    'c1bf',
    'e0a080',
    'e09f80',
    'ed9fbf',
    'eda080',
    'f08fbfbf',
    'f0908080',
    'f48fbfbf',
    'f4908080',
    'f5',
    '80',
    'e282',
    'f09f98',
    'c3',
  ]
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: chance.int(chance.once(50) ? 300 : 8) }, () =>
      chance.pick(chance.once(3) ? parts : parts.slice(0, 4)),
    )
    const bytes = Buffer.from(`ff${text.join('')}ff`, 'hex')
    const end = bytes.length - 1
    assert.equal(isTextAt(inputOf(bytes), 1, end), isUtf8(bytes.subarray(1, end)), bytes.toString('hex'))
  }
})

test('A count that the bytes cannot hold is refused, and so are items without bytes', () => {
  const count = (value: number, bytesMin: number): number =>
    readCount(inputOf(Buffer.concat([longOf(value), longOf(9), Buffer.alloc(8)])), bytesMin, 0)
  assert.equal(count(3, 3), 1)
  assert.equal(count(-3, 2), 2, 'the size of the block is skipped')
  assert.equal(count(4, 3), -1)
  assert.equal(count(2 ** 40, 1), -1)
  assert.equal(count(-(2 ** 31), 1), -1)
  assert.equal(count(1, 0), -1)
  assert.equal(count(0, 0), 1)
})
