import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf } from '../../../src/core/raw.ts'
import { decodeHeaders } from '../../../src/kafka/records/record-headers.ts'
import { encodeBatch } from './support/encode.ts'
import { CODECS, readAll } from './support/read-all.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const records = [
  { value: bytes('a'), headers: [['name', bytes('x'.repeat(200))]] },
  { value: bytes('b') },
  {
    key: bytes('key'),
    value: null,
    headers: [
      ['many', bytes('1')],
      ['Grüße', null],
      ['many', bytes('2')],
      ['__proto__', bytes('3')],
      ['many', bytes('')],
    ],
  },
] as const
const plain = (headers: unknown): unknown =>
  headers === undefined
    ? undefined
    : Object.entries(headers as object).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.map(String) : Buffer.from(value as Uint8Array).toString(),
      ])

test('Headers are read by name; several values of a name keep their order', () => {
  for (const codec of [undefined, 'lz4'] as const) {
    const [read] = readAll(encodeBatch({ baseOffset: 0n, records, ...(codec && { codec }) }, CODECS))
    assert.ok(read?.headers !== undefined)
    assert.equal(decodeHeaders(read.headers, 1), undefined)
    assert.deepEqual(plain(decodeHeaders(read.headers, 0)), [['name', 'x'.repeat(200)]])
    const third = decodeHeaders(read.headers, 2)
    assert.deepEqual(Object.keys(third ?? {}), ['many', 'Grüße', '__proto__'])
    assert.deepEqual(
      (third?.['many'] as readonly Uint8Array[]).map((each) => Buffer.from(each).toString()),
      ['1', '2', ''],
    )
    assert.ok(third !== undefined)
    assert.equal(third['Grüße'], null)
    assert.deepEqual(Buffer.from(third['__proto__'] as Uint8Array).toString(), '3')
  }
})

test('A null value stays null and an empty one empty, also among several of one name', () => {
  const headers = [
    ['none', null],
    ['empty', bytes('')],
    ['many', null],
    ['many', bytes('1')],
    ['many', null],
  ] as const
  const [read] = readAll(encodeBatch({ baseOffset: 0n, records: [{ value: bytes('a'), headers }] }))
  assert.ok(read?.headers !== undefined)
  const shown = Object.entries(decodeHeaders(read.headers, 0) ?? {}).map(([name, value]) => [
    name,
    [value].flat().map((one) => one && Buffer.from(one).toString()),
  ])
  assert.deepEqual(Object.fromEntries(shown), { none: [null], empty: [''], many: [null, '1', null] })
})

test('A batch decodes its headers once, on first access', () => {
  const [read] = readAll(encodeBatch({ baseOffset: 0n, records }))
  const headers = read?.raw.headers
  assert.equal(headers, read?.raw.headers)
  assert.equal(headers?.length, 3)
  assert.equal(headers[1], undefined)
  assert.match(Buffer.from(read?.raw.bytes ?? []).toString(), /^\n\0+a\n\0+b\n\0+key\n$/)
  assert.equal(read && Buffer.from(keyOf(read.raw, 2) ?? []).toString(), 'key')
})

test('The headers of a record are decoded when they are first read', () => {
  const [read] = readAll(encodeBatch({ baseOffset: 0n, records }))
  assert.ok(read?.headers !== undefined && read.raw.headers !== undefined)
  const copy = { ...read.raw }
  // Changes bytes of a value before and after it is decoded.
  const value = Buffer.from(read.headers.bytes.buffer, read.headers.bytes.byteOffset, read.headers.end[0])
  value.fill('y', value.length - 100)
  assert.match(plain(copy.headers?.[0])?.toString() ?? '', /^name,x+y{100}$/)
  value.fill('z', value.length - 100)
  assert.match(plain(copy.headers?.[0])?.toString() ?? '', /^name,x+y{100}$/)
})

test('A batch whose records have no headers has none', () => {
  const [read] = readAll(encodeBatch({ baseOffset: 0n, records: [{ value: bytes('a') }] }))
  assert.deepEqual([read?.headers, read?.raw.headers], [undefined, undefined])
})
