import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeContent,
  encodeContent,
  type LetterContent,
} from '../../../src/kafka/dead-letters/letter-content.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

const CONTENTS: Readonly<Record<string, LetterContent>> = {
  'everything is null': { key: undefined, value: undefined, headers: undefined },
  'everything is empty': { key: bytes(''), value: bytes(''), headers: {} },
  'values are binary': { key: Buffer.from([0, 255]), value: Buffer.from([254, 10, 13]), headers: undefined },
  'a tombstone has headers': { key: bytes('k'), value: undefined, headers: { a: bytes('1') } },
  'headers are null, empty, repeated and unusually named': {
    key: bytes('k'),
    value: bytes('v'),
    headers: Object.fromEntries<null | Uint8Array | readonly (Uint8Array | null)[]>([
      ['none', null],
      ['empty', bytes('')],
      ['many', [bytes('1'), null, bytes(''), bytes('2')]],
      ['__proto__', bytes('p')],
      ['Grüße\n"', bytes('ß')],
      ['', bytes('no name')],
    ]),
  },
}

for (const [name, content] of Object.entries(CONTENTS)) {
  test(`Content is read back unchanged if ${name}`, () => {
    const read = decodeContent(Buffer.concat(encodeContent(content)))
    assert.ok(read !== undefined, 'it is content')
    assert.deepEqual(plain(read), plain(content))
  })
}

test('Bytes that are not complete content are refused', () => {
  const all = Buffer.concat(encodeContent({ key: bytes('k'), value: bytes('value'), headers: { a: null } }))
  for (let length = 0; length < all.length; length++)
    assert.equal(decodeContent(all.subarray(0, length)), undefined, `${length} bytes`)
  for (const index of [
    '{}',
    '[]',
    'null',
    '{"key":-1,"value":0,"headers":null}',
    '{"key":null,"value":"1"}',
  ]) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(index.length)
    assert.equal(decodeContent(Buffer.concat([length, bytes(index)])), undefined, index)
  }
})

function plain({ key, value, headers }: LetterContent): unknown {
  const shown = (one: Uint8Array | null | undefined): unknown =>
    one === null || one === undefined ? one : Buffer.from(one).toString('latin1')
  return {
    key: shown(key),
    value: shown(value),
    headers: headers && Object.entries(headers).map(([name, one]) => [name, [one].flat().map(shown)]),
  }
}
