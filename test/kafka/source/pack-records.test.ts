import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyRaw, pack, traceparentsOf, type KafkaRecord } from '../../../src/kafka/source/pack-records.ts'

test('values follow each other with a newline each; tombstones and null keys are -1', () => {
  const raw = pack(
    't',
    3,
    [record(5, 'a', 'one'), record(7, null, null), record(8, '', ''), record(9, 'bc', 'two')],
    0n,
  )
  assert.equal(Buffer.from(raw.bytes).toString(), 'one\n\n\ntwo\n')
  assert.deepEqual([...raw.valueStart], [0, -1, 5, 6])
  assert.deepEqual([...raw.valueEnd], [3, -1, 5, 9])
  assert.equal(Buffer.from(raw.keys).toString(), 'abc')
  assert.deepEqual([...raw.keyStart], [0, -1, 1, 1])
  assert.deepEqual([...raw.keyEnd], [1, -1, 1, 3])
  assert.deepEqual([...raw.offsets], [5n, 7n, 8n, 9n])
  assert.deepEqual([...raw.timestampsMs], [1005, 1007, 1008, 1009])
  assert.equal(raw.headers, undefined)
})

test('records before the requested offset are dropped', () => {
  const records = [record(5, 'a', 'one'), record(7, 'b', 'two'), record(9, 'c', 'three')]
  assert.deepEqual([...pack('t', 0, records, 6n).offsets], [7n, 9n])
  assert.equal(Buffer.from(pack('t', 0, records, 9n).bytes).toString(), 'three\n')
  assert.equal(pack('t', 0, records, 10n).count, 0)
})

test('offsets above 2^53 keep their last digit', () => {
  const raw = pack('t', 0, [{ ...record(0, null, 'x'), offset: '9223372036854775806' }], 0n)
  assert.equal(raw.offsets[0], 9223372036854775806n)
})

test('the bytes of a fetch are copied, including headers', () => {
  const value = Buffer.from('one')
  const header = Buffer.from('h')
  const raw = pack('t', 0, [{ ...record(0, null, null), value, headers: { name: header } }], 0n)
  value.fill(0)
  header.fill(0)
  assert.equal(Buffer.from(raw.bytes).toString(), 'one\n')
  assert.deepEqual(raw.headers?.[0]?.['name'], Buffer.from('h'))
})

test('headers of every shape are kept, null values as null, also a name like __proto__', () => {
  const headers: NonNullable<KafkaRecord['headers']> = Object.fromEntries<Headed>([
    ['many', [Buffer.from('1'), '2']],
    ['none', null],
    ['mixed', [null, Buffer.from('')]],
    ['__proto__', Buffer.from('p')],
  ])
  const raw = pack('t', 0, [record(0, null, 'x'), { ...record(1, null, 'y'), headers }], 0n)
  const [none, carried] = raw.headers ?? []
  assert.equal(none, undefined)
  assert.deepEqual(carried?.['many'], [Buffer.from('1'), Buffer.from('2')])
  assert.equal(carried['none'], null)
  assert.deepEqual(carried['mixed'], [null, Buffer.from('')])
  assert.ok(Object.hasOwn(carried, '__proto__'))
})

test('traceparents are sampled evenly, at most 128', () => {
  const records = Array.from({ length: 1_000 }, (_, i) => ({
    ...record(i, null, 'x'),
    headers: { traceparent: Buffer.from(`t${i}`) },
  }))
  const found = traceparentsOf(pack('t', 0, records, 0n))
  assert.equal(found.length, 128)
  assert.equal(found[0], 't0')
  assert.equal(found[127], 't992')
  assert.deepEqual(traceparentsOf(emptyRaw('t', 0)), [])
})

type Headed = NonNullable<KafkaRecord['headers']>[string]

function record(offset: number, key: string | null, value: string | null): KafkaRecord {
  return {
    offset: String(offset),
    timestamp: String(1000 + offset),
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: {},
  }
}

test('a traceparent that is null is none', () => {
  const records = [null, [null], ['00-a', null], []].map((traceparent, i) => ({
    ...record(i, null, 'x'),
    headers: { traceparent },
  }))
  assert.deepEqual(traceparentsOf(pack('t', 0, records, 0n)), ['00-a'])
})
