import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { loadContract } from '../../../src/contract/contract.ts'
import { isNumberFormat, textRuleOf } from '../../../src/contract/rules/text-rules.ts'
import { INVALID, VALID } from '../../../src/contract/rules/verdict.ts'

const TEXTS = [
  '',
  'a',
  'x@y.com',
  'x.y+z@mail.example.org',
  'x@y',
  '2024-02-29',
  '2023-02-29',
  '2024-13-01',
  '0000-01-01',
  '2024-02-29T12:00:00Z',
  '2024-02-29T12:00:00.123Z',
  '2024-02-29T12:00:00.Z',
  '2024-02-29t12:00:00z',
  '2024-02-29 12:00:00+02:00',
  '2024-02-29T23:59:60Z',
  '2024-02-29T24:00:00Z',
  '2024-02-29T12:00:00',
  '12:00:00Z',
  '12:60:00Z',
  '12:00:00.5Z',
  '12:00:00',
  '12:00:00+01',
  '1.2.3.4',
  '1.2.3.256',
  '01.2.3.4',
  '::',
  '2001:db8::1',
  '1::2::3',
  'example.com',
  'a-b.c',
  '-a.b',
  'a-.b',
  'a..b',
  'a'.repeat(63),
  'a'.repeat(64),
  `${'a.'.repeat(126)}a`,
  'example.com.',
  'https://example.com',
  'https://example.com:80/a/b?c=d#e',
  'http://a b',
  'urn:x:y',
  'x:',
  '//a',
  'https://é.com',
  'mailto:a@b',
  '123e4567-e89b-12d3-a456-426614174000',
  'urn:uuid:123E4567-E89B-12D3-A456-426614174000',
  '123e4567',
  'P1Y2M',
  'PT',
  'P1W',
  '/a/~0',
  '/a~',
  '#/a',
  '0/a',
  'a{b}',
  '{+x}',
  'AAAA',
  'AA==',
  'A',
  'AAAA\nAAAA',
  '[a-z]+',
  '(',
  'ü',
  'K',
]

test('every format judges bytes as the contract judges text', () => {
  for (const format of Object.keys(fullFormats).filter((name) => !isNumberFormat(name))) {
    const rule = textRuleOf({ format })
    assert.ok(rule !== undefined, format)
    const schema = { type: 'object', properties: { a: { type: 'string', 'x-delta-type': 'string', format } } }
    const contract = loadContract(schema, { source: 'test' })
    for (const text of TEXTS) {
      const bytes = Buffer.from(`"${text}"`)
      const wanted = contract.check({ a: text }) === undefined ? VALID : INVALID
      assert.equal(rule(bytes, 1, bytes.length - 1), wanted, `${format} ${JSON.stringify(text)}`)
    }
  }
})

test('lengths count code points', () => {
  const rule = textRuleOf({ minLength: 2, maxLength: 3 })
  const verdicts = ['a', 'ab', '😀😀😀', '😀😀😀😀', 'üü'].map((text) => {
    const bytes = Buffer.from(text)
    return rule?.(bytes, 0, bytes.length)
  })
  assert.deepEqual(verdicts, [INVALID, VALID, VALID, INVALID, VALID])
})

test('without rules for text there is nothing to judge', () => {
  assert.equal(textRuleOf({ minimum: 1, format: 'int32' }), undefined)
})
