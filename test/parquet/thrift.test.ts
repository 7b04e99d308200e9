import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  readThrift,
  THRIFT,
  type ThriftStruct,
  type ThriftValue,
  writeThrift,
} from '../../src/parquet/thrift.ts'
import { chanceBy } from '../support/values/chance.ts'

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname

test('The footers of Spark files are encoded again byte by byte', () => {
  const files = [...readdirSync(FIXTURES, { recursive: true })]
    .map(String)
    .filter((name) => name.endsWith('.parquet'))
  assert.ok(files.length > 20)
  for (const name of files) {
    const file = readFileSync(`${FIXTURES}${name}`)
    const footer = file.subarray(file.length - 8 - file.readUInt32LE(file.length - 8), file.length - 8)
    assert.deepEqual(Buffer.from(writeThrift(readThrift(footer))), footer, name)
  }
})

test('Every kind of value is read back unchanged, with ids and lengths of one byte and more', () => {
  const number = (value: bigint): ThriftValue => ({ type: THRIFT.i64, value })
  const text: ThriftValue = { type: THRIFT.binary, value: new Uint8Array(300).fill(65) }
  const struct: ThriftStruct = new Map<number, ThriftValue>([
    [1, number(0n)],
    [2, number(-(2n ** 63n))],
    [3, number(2n ** 63n - 1n)],
    [18, { type: THRIFT.true, value: true }],
    [40, { type: THRIFT.false, value: false }],
    [41, { type: THRIFT.double, value: new Uint8Array(8).fill(3) }],
    [60, { type: THRIFT.byte, value: 7n }],
    [
      61,
      {
        type: THRIFT.list,
        element: THRIFT.i64,
        value: Array.from({ length: 20 }, (_, i) => number(BigInt(i))),
      },
    ],
    [62, { type: THRIFT.set, element: THRIFT.binary, value: [text, text] }],
    [63, { type: THRIFT.list, element: THRIFT.true, value: [{ type: THRIFT.true, value: true }] }],
    [300, { type: THRIFT.struct, value: new Map([[1, text]]) }],
  ])
  const bytes = writeThrift(struct)
  assert.deepEqual(readThrift(new Uint8Array(bytes)), struct)
  assert.deepEqual(writeThrift(readThrift(bytes)), bytes)
})

test('Bytes that are not a struct are an error', () => {
  const chance = chanceBy(3)
  let refused = 0
  for (let round = 0; round < 2_000; round++) {
    const bytes = Uint8Array.from({ length: chance.int(60) }, () => chance.int(256))
    try {
      readThrift(bytes)
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error))
      refused++
    }
  }
  assert.ok(refused > 1_000, `${refused} were refused`)
})

test('Structs that nest too deep, and lists longer than their bytes, are refused', () => {
  assert.throws(() => readThrift(new Uint8Array(1_000).fill(0x1c)), /nest too deep/)
  assert.throws(() => readThrift(Uint8Array.of(0x19, 0xfc, 0xff, 0xff, 0xff, 0x7f)), /elements/)
})
