import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileReader, decodeStructure } from '../../../src/kafka/wire/decode.ts'
import { compileWriter, encodeStructure } from '../../../src/kafka/wire/encode.ts'
import type { FieldTable } from '../../../src/kafka/wire/schema.ts'
import { STRUCTURES_MAX } from '../../../src/kafka/wire/wire-reader.ts'

const TABLE = {
  name: { type: 'string', versions: '0+', nullable: '1+' },
  items: { type: [{ value: { type: 'int8', versions: '0+' } }], versions: '0+' },
  size: { type: 'int64', versions: '2+', default: -1n },
  note: { type: 'string', versions: '2+', tag: 3 },
} as const satisfies FieldTable

const PLAIN = { version: 1, isFlexible: false }
const FLEXIBLE = { version: 2, isFlexible: true }

function broken(hex: string, form: { version: number; isFlexible: boolean }, pattern: RegExp): void {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  assert.throws(() => decodeStructure(compileReader(TABLE, form), bytes), {
    code: 'KD_SOURCE_FAILED',
    message: pattern,
  })
}

test('Fields that a version does not have get their defaults', () => {
  const read = decodeStructure(
    compileReader(TABLE, PLAIN),
    Buffer.from('000161000000010500', 'hex').subarray(0, 8),
  )
  assert.deepEqual(read, { name: 'a', items: [{ value: 5 }], size: -1n, note: '' })
})

test('Compact lengths and tagged fields are read, and an unknown tagged field is skipped', () => {
  const tagged = Buffer.from(
    '02 61 02 05 00 0000000000000007 02 03 02 02 62 09 01 ff'.replaceAll(' ', ''),
    'hex',
  )
  assert.deepEqual(decodeStructure(compileReader(TABLE, FLEXIBLE), tagged), {
    name: 'a',
    items: [{ value: 5 }],
    size: 7n,
    note: 'b',
  })
})

test('Counts and lengths that exceed the remaining bytes are refused before allocation', () => {
  broken('0001 61 7fffffff 05', PLAIN, /expected 2147483647 elements at byte 7, got only 1 bytes/)
  broken('7fff 61', PLAIN, /expected 32767 bytes at byte 2, got 1/)
  broken('02 61 ffffffff0f 05', FLEXIBLE, /expected 4294967294 elements/)
  broken('ffffffff0f 61', FLEXIBLE, /expected 4294967294 bytes/)
  broken('02 61 01 0000000000000007 01 03 ffffffff0f', FLEXIBLE, /expected 4294967295 elements/)
  broken('02 61 01 0000000000000007 ffffffff0f', FLEXIBLE, /expected 1 bytes/)
  broken('02 61 01 0000000000000007 01 09 ffffffff0f', FLEXIBLE, /expected 4294967295 bytes/)
})

test('A null in a field that is not nullable, and a tagged field of a wrong length, are refused', () => {
  broken('0001 61 ffffffff', PLAIN, /expected items, got null/)
  assert.throws(
    () =>
      decodeStructure(
        compileReader(TABLE, { version: 0, isFlexible: false }),
        Buffer.from('ffff00000000', 'hex'),
      ),
    /expected name, got null/,
  )
  broken('02 61 01 0000000000000007 01 03 03 02 62 00', FLEXIBLE, /expected 3 bytes of note, got less/)
  broken('02 61 01 0000000000000007 01 03 01 02 62 00', FLEXIBLE, /expected 1 bytes at byte 15, got 0/)
})

test('A varint that is longer than five bytes or than 32 bits is refused', () => {
  broken('ffffffffff01', FLEXIBLE, /expected a varint of 32 bits/)
  broken('ffffffff1f', FLEXIBLE, /expected a varint of 32 bits/)
})

test('A message with too many structures is refused', () => {
  const write = compileWriter(TABLE, PLAIN)
  const item = { value: 1 }
  const message = (count: number): Buffer =>
    encodeStructure(write, { name: 'a', items: Array.from({ length: count }, () => item) })
  // The message itself counts as one.
  const whole = decodeStructure(compileReader(TABLE, PLAIN), message(STRUCTURES_MAX - 1))
  assert.equal(whole.items.length, STRUCTURES_MAX - 1)
  assert.throws(
    () => decodeStructure(compileReader(TABLE, PLAIN), message(STRUCTURES_MAX)),
    /structures, got more/,
  )
})
