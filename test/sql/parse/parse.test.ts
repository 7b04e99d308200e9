import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqlError } from '../../../src/sql/expression/error.ts'
import { parseSqlExpression } from '../../../src/sql/parse/parse.ts'
import { structOf } from '../../support/flow/batches.ts'
import { evaluated } from '../evaluate.ts'

for (const [text, same] of [
  ['a OR b AND NOT c', 'a OR (b AND (NOT c))'],
  ['NOT a = 1 AND b', '(NOT (a = 1)) AND b'],
  ['NOT a IS NULL', 'NOT (a IS NULL)'],
  ['a + b * c - d', '(a + (b * c)) - d'],
  ['a - b - c', '(a - b) - c'],
  ['a < b = c', '(a < b) = c'],
  ['a = 1 IS NULL', '(a = 1) IS NULL'],
  ['a BETWEEN 1 AND 2 AND b', '(a >= 1 AND a <= 2) AND b'],
  ['a NOT BETWEEN 1 AND 2 OR b', 'NOT (a BETWEEN 1 AND 2) OR b'],
  ["a || 'x' = b", "(a || 'x') = b"],
  ['- a * b', '(- a) * b'],
  ['a IS DISTINCT FROM b', 'NOT (a <=> b)'],
  ['a == b AND a != c', 'a = b AND a <> c'],
  ['CASE a WHEN 1 THEN b END', 'CASE WHEN a = 1 THEN b END'],
  ['`a` /* not b */ . `b` -- the end', 'a.b'],
  ['a::int', 'CAST(a AS INT)'],
  ['EXTRACT(YEAR FROM a)', 'year(a)'],
] as const) {
  test(`${text} is ${same}`, () => {
    assert.deepEqual(parseSqlExpression(text), parseSqlExpression(same))
  })
}

for (const [text, piece] of [
  ['', 'the end at character 1'],
  ['a >', 'the end at character 4'],
  ['a > 1 b', 'b at character 7'],
  ['(a', 'the end at character 3 is not understood where ) was expected'],
  ["a = 'x", `"'x" is not understood`],
  ['a = ?', '"?" is not understood'],
  ['a IN (SELECT 1)', 'SELECT is not supported'],
  ["a > INTERVAL '1' DAY", "INTERVAL'1' is not understood"],
  ['a > INTERVAL 1 DAY', 'INTERVAL is not supported'],
  ['a[0]', 'elements of arrays and maps'],
  ['a LIKE ANY (1)', 'LIKE ANY is not supported'],
  ['CAST(a AS ARRAY<INT>)', 'the type ARRAY<…> is not supported'],
  ['CAST(a AS DECIMAL(39,0))', 'the type DECIMAL(39, 0) is not supported'],
  ["DATE'2021-02-29'", "DATE'2021-02-29' is not understood"],
  ['128Y', 'the number 128Y is not understood'],
  ['count(DISTINCT a)', 'count(DISTINCT …) is not supported'],
  ['a NOT 1', '1 at character 7'],
  ['EXTRACT(LENGTH FROM a)', 'EXTRACT of LENGTH is not supported'],
] as const) {
  test(`${text === '' ? 'Nothing' : text} is refused, and the message names the part`, () => {
    assert.throws(
      () => parseSqlExpression(text),
      (error) => error instanceof SqlError && error.message.includes(piece),
    )
  })
}

test('Depth and length are limited', () => {
  const nested = (depth: number): string => `${'('.repeat(depth)}1${')'.repeat(depth)}`
  parseSqlExpression(nested(90))
  assert.throws(() => parseSqlExpression(nested(100_000 / 2 - 1)), /nested deeper than 200/)
  assert.throws(() => parseSqlExpression(`${'-'.repeat(300)}a`), /--|not understood|nested deeper/)
  assert.throws(() => parseSqlExpression(`${'- '.repeat(300)}a`), /nested deeper than 200/)
  assert.throws(() => parseSqlExpression(' '.repeat(100_001)), /longer than 100000 characters/)
  const chain = parseSqlExpression(Array.from({ length: 5000 }, (_, i) => `a = ${i}`).join(' OR '))
  assert.equal(chain.kind, 'call')
})

test('A column is found by its case-insensitive name, and refused if there is none or more than one', () => {
  const schema = structOf({ aB: 'integer', x: 'long', X: 'long' })
  assert.deepEqual(evaluated('AB + 1', schema, [{ aB: 1 }]), [2])
  assert.deepEqual(evaluated('x', schema, [{ x: 1, X: 2 }]), [1n])
  assert.throws(() => evaluated('ab.c', schema), /aB is not a struct/)
  assert.throws(() => evaluated('nope', schema), /there is no column nope/)
  const twice = structOf({ xa: 'long', XA: 'long' })
  assert.throws(() => evaluated('Xa', twice), /more than one column Xa/)
})

test('Messages name unsupported functions, types and arguments', () => {
  const schema = structOf({ a: 'integer', s: 'string', d: 'double', b: 'boolean' })
  for (const [text, message] of [
    ['xxhash64(s)', 'the function XXHASH64 is not supported'],
    ['length(s, s)', 'LENGTH with 2 arguments is not supported'],
    ['b > a', 'boolean > integer is not supported'],
    ['a AND b', 'AND of a integer is not supported'],
    ['CAST(d AS STRING)', 'CAST of double AS STRING is not supported'],
    ["date_format(s, 'yyyy-QQ')", "QQ of the pattern 'yyyy-QQ' is not supported"],
    ["s RLIKE '(?i)a'", 'of the regular expression is not supported'],
    ['s RLIKE s', 'RLIKE with a pattern that is not a constant is not supported'],
    ["s LIKE 'a' ESCAPE 'xy'", 'LIKE with an escape that is not one character'],
    ['round(d, 1)', 'ROUND of a double is not supported'],
  ] as const) {
    assert.throws(
      () => evaluated(text, schema),
      (error) => error instanceof SqlError && error.message.includes(message),
      text,
    )
  }
})
