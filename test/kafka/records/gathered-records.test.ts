import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import { keyOf, valueBytesOf, valueOf } from '../../../src/core/raw.ts'
import { encodeBatch } from './support/encode.ts'
import { CODECS, readAll } from './support/read-all.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

test('Keys are in their own buffer if keys or values are no text, so that one check covers those that are', () => {
  const binary = Buffer.from([0xff, 0x80])
  for (const [key, content] of [
    [binary, bytes('text')],
    [bytes('text'), binary],
  ]) {
    const record = { key: key ?? null, value: content ?? null }
    const [read] = readAll(encodeBatch({ baseOffset: 0n, records: [record, record] }))
    assert.ok(read !== undefined)
    const { raw } = read
    assert.deepEqual(Buffer.from(raw.keys), Buffer.concat([record.key ?? binary, record.key ?? binary]))
    assert.deepEqual(Buffer.from(keyOf(raw, 1) ?? ''), record.key)
    assert.deepEqual(Buffer.from(valueOf(raw, 1) ?? ''), record.value)
    assert.equal(isUtf8(raw.bytes), record.value !== binary)
  }
})

test('Values of any length, null values, keys and headers leave only newlines and zeros between each other', () => {
  for (const codec of [undefined, 'gzip'] as const)
    for (let length = 0; length < 300; length += 7) {
      const records = [0, 1, 2].map((i) => ({
        key: i === 1 ? null : bytes('k'.repeat((length * (i + 1)) % 200)),
        value: i === 2 ? null : bytes('v'.repeat(length)),
        headers: i === 0 ? ([['name', bytes('h'.repeat(length))]] as const) : [],
      }))
      const batch = encodeBatch(
        { baseOffset: 0n, records, ...(codec === undefined ? {} : { codec }) },
        CODECS,
      )
      for (const read of readAll(Buffer.concat([batch]))) {
        const { raw } = read
        for (const [i, { key, value }] of records.entries()) {
          assert.deepEqual(keyOf(raw, i) && Buffer.from(keyOf(raw, i) ?? ''), key ?? undefined)
          assert.deepEqual(valueOf(raw, i) && Buffer.from(valueOf(raw, i) ?? ''), value ?? undefined)
        }
        assert.match(Buffer.from(raw.bytes).toString('latin1'), /^[kv\n\0]*$/)
        assert.equal(valueBytesOf(raw), 2 * length)
        const name = raw.headers?.[0]?.['name']
        assert.ok(name instanceof Uint8Array && name.length === length)
      }
    }
})
