import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJmesPath } from '../../config/transforms/expression.ts'
import { ExactNumber, WholeFraction } from '../../src/core/exact.ts'
import { ExpressionCompiler, isTruthy } from '../../src/jmespath/expression.ts'

const expressions = new ExpressionCompiler(
  new Map([['concat', ([value]) => `${String(value)}${String(value)}`]]),
)

function valueOf(text: string, message: unknown): unknown {
  const parsed = parseJmesPath(text)
  assert.ok('node' in parsed, `${text}: ${JSON.stringify(parsed)}`)
  return expressions.compile(text, parsed.node).evaluate(message, undefined)
}

test('Only own properties are fields, whatever names a message or an expression contains', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'a.constructor.name', 'hasOwnProperty | @'])
    assert.equal(valueOf(name, { a: {} }), null, name)
  const hostile: unknown = JSON.parse('{"__proto__":{"admin":true},"list":[{"k":"__proto__"},{"k":"x"}]}')
  assert.equal(valueOf('admin', hostile), null)
  assert.equal(valueOf('merge(@, `{}`).admin', hostile), null)
  assert.throws(() => valueOf('group_by(list, &k)', hostile), /not a function/)
  assert.equal(({} as Record<string, unknown>)['admin'], undefined)
})

test('Numbers that a double cannot hold are exact: compared, ordered, added, negated and printed to the last digit', () => {
  const message = { big: 9007199254740993n, next: 9007199254740994n, exact: new ExactNumber('1e400'), n: 3 }
  assert.equal(valueOf('big', message), 9007199254740993n)
  assert.deepEqual(valueOf('[big, exact, n]', message), [message.big, message.exact, 3])
  assert.equal(valueOf('big == next', message), false)
  assert.equal(valueOf('big < next && exact > big', message), true)
  assert.equal(valueOf('next - big', message), 1)
  assert.equal(valueOf('-big', message), -9007199254740993n)
  assert.equal(valueOf('big * `10`', message), 90071992547409930n)
  assert.equal(valueOf('to_string(big)', message), '9007199254740993')
  assert.equal(valueOf("to_number('9007199254740993')", message), 9007199254740993n)
  assert.equal(valueOf('type(exact)', message), 'number')
  assert.equal(valueOf('exact.text', message), null)
  assert.deepEqual(valueOf('max([big, n])', message), 9007199254740992)
  assert.equal(valueOf('abs(-big)', message), 9007199254740993n)
})

test('A number such as 2.0 is the integer to functions and comparisons, and stays as written where it is passed on', () => {
  const two = new WholeFraction('2.0')
  const thousand = new WholeFraction('1e3')
  const message = {
    two,
    thousand,
    text: '3.0',
    half: 0.5,
    list: [thousand, two],
    items: [
      { id: 'a', n: thousand },
      { id: 'b', n: two },
      { id: 'c', n: 5 },
    ],
    same: [2, [1000]],
    lists: [two, [thousand]],
  }
  const passed: Readonly<Record<string, unknown>> = {
    two,
    'items[1].n': two,
    'none || two': two,
    'not_null(none, two)': two,
    'to_number(two)': two,
    '[two, text]': [two, '3.0'],
    'sort_by(items, &n)[0].n': two,
    'reverse(list)[0]': two,
    '{a: two}': { a: two },
  }
  for (const [text, value] of Object.entries(passed)) assert.deepEqual(valueOf(text, message), value, text)
  const computed: Readonly<Record<string, unknown>> = {
    'two == `2`': true,
    'two < thousand': true,
    'lists == same': true,
    'contains(list, `2`)': true,
    'contains(list, two)': true,
    "contains('2', '2')": true,
    'two + `1`': new WholeFraction('3.0'),
    '-two': new WholeFraction('-2.0'),
    'half + half': new WholeFraction('1.0'),
    'half * `3`': 1.5,
    'half + half == `1`': true,
    'to_string(half * two)': '1',
    '`6` / `2`': 3,
    '`1` + `2`': 3,
    'abs(two)': 2,
    'ceil(two)': 2,
    'sum(list)': 1002,
    'max(list)': 1000,
    'sort(list)': [2, 1000],
    'to_string(two)': '2',
    'concat(two)': '22',
    'max_by(items, &n).id': 'a',
    'min_by(items, &n).id': 'b',
    'sort_by(items, &n)[*].id': ['b', 'c', 'a'],
    'sort_by(items, &id)[*].id': ['a', 'b', 'c'],
    "pad_left('x', two, '-')": '-x',
    'type(two)': 'number',
    'two && `true`': true,
  }
  for (const [text, value] of Object.entries(computed)) assert.deepEqual(valueOf(text, message), value, text)
  assert.ok('fault' in parseJmesPath('"narrow fraction"(two)'))
})

test('Only numbers have an order, and lists are equal by their elements', () => {
  assert.equal(valueOf('a < b', { a: 'x', b: 'y' }), null)
  assert.equal(valueOf('a == b', { a: [1, { c: null }], b: [1, { c: null }] }), true)
  assert.equal(valueOf('a != b', { a: [1], b: '1' }), true)
})

test('Added functions work within let and within expression arguments', () => {
  assert.equal(valueOf('let $x = a in concat($x)', { a: 'y' }), 'yy')
  assert.deepEqual(valueOf('map(&concat(@), list)', { list: ['a', 'b'] }), ['aa', 'bb'])
})

test('Widths and counts from a message are limited, and trimming takes linear time', () => {
  assert.throws(() => valueOf('pad_left(s, n)', { s: 'x', n: 1e9 }), /at most 10000/)
  assert.throws(() => valueOf('replace(s, `"x"`, s)', { s: 'x'.repeat(10_000) }), /at most/)
  assert.equal(valueOf("replace(s, 'a', 'b', `1`)", { s: 'aaa' }), 'baa')
  assert.equal(valueOf('trim(s)', { s: `${' '.repeat(200_000)}x\n y${' '.repeat(200_000)}` }), 'x\n y')
  assert.equal(valueOf("trim_left(s, '-')", { s: '--x--' }), 'x--')
  assert.equal(valueOf("trim_right(s, '-')", { s: '--x--' }), '--x')
})

test('Nesting beyond the stack is an error of the message and does not end the process', () => {
  let deep: unknown = 1
  for (let i = 0; i < 200_000; i++) deep = [deep]
  assert.throws(() => valueOf('a == b', { a: deep, b: [deep] }), RangeError)
})

test('Numbers are sorted by their size, and texts by their characters', () => {
  assert.deepEqual(
    valueOf('sort(list)', { list: [1000, 2, -3, 2.5, 9007199254740993n] }),
    [-3, 2, 2.5, 1000, 9007199254740992],
  )
  assert.deepEqual(valueOf('sort(list)', { list: ['b', 'a', '10', '9'] }), ['10', '9', 'a', 'b'])
  assert.deepEqual(valueOf('sort(list)', { list: [] }), [])
  assert.throws(() => valueOf('sort(list)', { list: [1, 'a'] }))
})

test('Truthiness follows JMESPath', () => {
  const falsy = [null, undefined, false, '', [], {}]
  const truthy = [0, 0n, new ExactNumber('1e400'), 'x', [null], { a: null }, true]
  assert.deepEqual([...falsy, ...truthy].map(isTruthy), [
    ...falsy.map(() => false),
    ...truthy.map(() => true),
  ])
})
