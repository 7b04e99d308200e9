import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExactNumber, WholeFraction } from '../../../src/core/exact.ts'
import { parseExact } from '../../../src/formats/json/exact.ts'

test('Numbers that a double can hold are numbers, others stay exact', () => {
  const cases: [string, unknown][] = [
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775809', -9223372036854775809n],
    ['123456789012345', 123456789012345],
    ['0.1234567890123456789', new ExactNumber('0.1234567890123456789')],
    ['1e400', new ExactNumber('1e400')],
    ['1E-400', 0],
    ['1e20', 1e20],
    ['0.1', 0.1],
    ['-0', -0],
    ['9007199254740993.0', new ExactNumber('9007199254740993.0')],
    ['1.50000000000000000000', new ExactNumber('1.50000000000000000000')],
  ]
  for (const [text, value] of cases) {
    assert.deepEqual(parseExact(text), value, text)
    assert.deepEqual(parseExact(`{"a":[${text}, "${text}"]}`), { a: [value, text] }, text)
  }
})

test('With keepFractions, integers that were written with a fraction or an exponent keep their text', () => {
  const kept = (text: string): unknown => parseExact(text, { keepFractions: true })
  for (const text of ['2.0', '-1.00', '1e3', '10e-1', '0.0', '1.5e1'])
    assert.deepEqual(kept(`[${text}]`), [new WholeFraction(text)], text)
  assert.deepEqual(kept('[1, 2.5, "2.0"]'), [1, 2.5, '2.0'])
  // A double cannot hold these: their text matters to functions too.
  for (const text of ['9007199254740993.0', '1e400'])
    assert.deepEqual(kept(`[${text}]`), [new ExactNumber(text)], text)
  assert.deepEqual(parseExact('[2.0]'), [2])
})

test('A number inside a string, also after escapes, stays text', () => {
  const text = String.raw`{"a":"12345678901234567890 \" 98765432109876543210 \\","b":12345678901234567890,"\"1e999":1}`
  assert.deepEqual(parseExact(text), {
    a: '12345678901234567890 " 98765432109876543210 \\',
    b: 12345678901234567890n,
    '"1e999': 1,
  })
})

test('Text that is not JSON is refused, with and without long numbers', () => {
  for (const text of [
    '01234567890123456789',
    '{"a":12345678901234567890',
    '"12345678901234567890',
    '12345678901234567890 1',
    '+12345678901234567890',
    '{12345678901234567890:1}',
    '1234567890123456789.',
    '--12345678901234567890',
    '"a"12345678901234567890',
    'NaN12345678901234567890',
    '"\\',
    '12345678901234567890e',
    '[12345678901234567890,]',
  ])
    assert.throws(() => parseExact(text), SyntaxError, text)
})

test('Keys such as __proto__ are own properties, also next to long numbers', () => {
  const value = parseExact('{"__proto__":{"x":12345678901234567890}}') as object
  assert.deepEqual(Object.keys(value), ['__proto__'])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
})

test('A string of 20 million characters next to a long number is parsed', () => {
  const value = parseExact(`{"n":12345678901234567890,"s":"${'x'.repeat(20_000_000)}"}`) as {
    n: bigint
    s: string
  }
  assert.deepEqual([value.n, value.s.length], [12345678901234567890n, 20_000_000])
})

test('More than 1,000 nested levels are refused; brackets within strings and beside each other are no levels', () => {
  const nested = (open: string, close: string, levels: number): string =>
    `${open.repeat(levels)}1.0${close.repeat(levels)}`
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":"]}","b":', '}]'],
  ] as const) {
    const perStep = open.length > 6 ? 2 : 1
    for (const keepFractions of [false, true]) {
      assert.doesNotThrow(() => parseExact(nested(open, close, 1000 / perStep), { keepFractions }))
      for (const levels of [1001, 100_000])
        assert.throws(() => parseExact(nested(open, close, levels), { keepFractions }), {
          name: 'RangeError',
          message: 'expected at most 1,000 nested levels, got more',
        })
    }
  }
  for (const text of [
    JSON.stringify('['.repeat(5000)),
    `[${'[],{},'.repeat(2000)}1]`,
    `["\\"${'['.repeat(3000)}"]`,
  ])
    assert.deepEqual(parseExact(text), JSON.parse(text))
})
