import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqlError } from '../../../src/sql/expression/error.ts'
import { structOf } from '../../support/flow/batches.ts'
import { evaluated } from '../evaluate.ts'

const VALUES = [true, false, null] as const
const text = (value: boolean | null): string => String(value).toUpperCase()

test('AND, OR and NOT follow three-valued logic, with literals and with columns', () => {
  const schema = structOf({ a: 'boolean', b: 'boolean' })
  const and = [
    [true, false, null],
    [false, false, false],
    [null, false, null],
  ]
  const or = [
    [true, true, true],
    [true, false, null],
    [true, null, null],
  ]
  for (const [i, a] of VALUES.entries()) {
    assert.deepEqual(evaluated(`NOT ${text(a)}`), [a === null ? null : !a])
    for (const [j, b] of VALUES.entries()) {
      assert.deepEqual(evaluated(`${text(a)} AND ${text(b)}`), [and[i]?.[j]])
      assert.deepEqual(evaluated(`${text(a)} OR ${text(b)}`), [or[i]?.[j]])
      assert.deepEqual(evaluated('a AND b', schema, [{ a, b }]), [and[i]?.[j]])
      assert.deepEqual(evaluated('a OR b', schema, [{ a, b }]), [or[i]?.[j]])
      assert.deepEqual(evaluated('a <=> b', schema, [{ a, b }]), [a === b])
    }
  }
})

test('Operands that a condition makes irrelevant are not evaluated, so they cannot fail', () => {
  const schema = structOf({ a: 'integer' })
  const rows = [{ a: 0 }]
  assert.deepEqual(evaluated('a = 0 OR 1 / a > 0', schema, rows), [true])
  assert.deepEqual(evaluated('a <> 0 AND 1 / a > 0', schema, rows), [false])
  assert.deepEqual(evaluated('CASE WHEN a = 0 THEN 0 ELSE 1 / a END', schema, rows), [0])
  assert.deepEqual(evaluated('coalesce(a, 1 / a)', schema, rows), [0])
  assert.deepEqual(evaluated('NULL + 1 / a', schema, rows), [null])
  assert.throws(() => evaluated('1 / a > 0 OR a = 0', schema, rows), SqlError)
  assert.throws(() => evaluated('1 / 0'), /division by zero/)
})

test('LIKE: wildcards, escapes, and characters beyond 16 bits', () => {
  for (const [value, pattern, expected] of [
    ['abc', 'a%', true],
    ['abc', '_b_', true],
    ['abc', 'b', false],
    ['a\nb', 'a_b', true],
    ['a\nb', 'a%b', true],
    ['😀', '_', true],
    ['a%b', 'a\\%b', true],
    ['axb', 'a\\%b', false],
    ['a_b', 'a\\_b', true],
    ['a.b', 'a.b', true],
    ['axb', 'a.b', false],
    ['a\\b', 'a\\\\b', true],
    ['', '%', true],
    ['', '_', false],
    ['a]b^c$', 'a]b^c$', true],
    ['ab'.repeat(2000), `${'%a'.repeat(20)}%c`, false],
  ] as const) {
    const schema = structOf({ s: 'string', p: 'string' })
    const literal = pattern.replaceAll('\\', '\\\\')
    assert.deepEqual(evaluated(`s LIKE '${literal}'`, schema, [{ s: value }]), [expected], pattern)
    if (pattern.length < 10)
      assert.deepEqual(evaluated('s LIKE p', schema, [{ s: value, p: pattern }]), [expected], pattern)
  }
  assert.throws(() => evaluated("'a' LIKE 'a\\\\'"), /escape that precedes neither/)
})

test('Text is ordered by its UTF-8 bytes, not by 16-bit units', () => {
  const words = ['', 'a', 'ab', 'b', 'z', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '😀a', '\u{10ffff}']
  const schema = structOf({ a: 'string', b: 'string' })
  for (const a of words)
    for (const b of words) {
      const order = Buffer.compare(Buffer.from(a), Buffer.from(b))
      assert.deepEqual(evaluated('a < b', schema, [{ a, b }]), [order < 0], `${a} < ${b}`)
      assert.deepEqual(evaluated('a >= b', schema, [{ a, b }]), [order >= 0], `${a} >= ${b}`)
    }
})

test('Java patterns: line terminators and classes are converted, patterns that JavaScript reads differently are refused', () => {
  const schema = structOf({ s: 'string' })
  for (const [pattern, value, expected] of [
    ['^a$', 'a\n', true],
    ['^a$', 'a\r\n', true],
    ['^a$', 'a\nb', false],
    ['a.b', 'a\u0085b', false],
    ['\\s', '\u00a0', false],
    ['[\\s-]', '-', true],
    ['\\d{2,3}?', 'x12', true],
    ['a/b', 'a/b', true],
    ['(?:a|b)+', 'cab', true],
    ['(?=a)a', 'a', true],
  ] as const)
    assert.deepEqual(evaluated(`s RLIKE r'${pattern}'`, schema, [{ s: value }]), [expected], pattern)
  for (const pattern of ['(?i)a', 'a++', '[a&&b]', '[[a]b]', '\\p{L}', '\\bx', '(?<n>a)', 'a{', '\\1'])
    assert.throws(() => evaluated(`s RLIKE r'${pattern}'`, schema), SqlError, pattern)
})
