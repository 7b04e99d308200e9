import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { builderOf, StructBuilder } from '../../src/arrow/builder.ts'
import { describeValue } from '../../src/arrow/column-builder.ts'
import { rowAt, valueAt } from '../../src/arrow/values.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import type { DataType } from '../../src/core/schema.ts'
import { arrayOf, fieldOf, mapOf, structOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'
import { EVERY_TYPE, randomRows } from '../support/values/values.ts'

/** Appends one value and returns it as read back, or the fault. */
function roundTrip(type: DataType, value: unknown): unknown {
  const builder = builderOf(type)
  const fault = builder.append(value)
  return fault === undefined ? valueAt(builder.finish(), 0) : { fault }
}

test('Random rows of every type, with nulls at every level, are read back unchanged, in repeated batches', (t) => {
  const chance = chanceOf(t)
  const builder = new StructBuilder(EVERY_TYPE)
  for (let round = 0; round < 3; round++) {
    const rows = randomRows(700, chance)
    for (const row of rows) assert.equal(builder.append(row), undefined)
    const columns = builder.finishColumns()
    assert.equal(columns.length, rows.length)
    for (const [index, row] of rows.entries()) assert.deepEqual(rowAt(columns, index), row)
  }
})

test('Faulty rows leave no trace after truncation', (t) => {
  const chance = chanceOf(t)
  const builder = new StructBuilder(EVERY_TYPE)
  const kept: unknown[] = []
  let faults = 0
  for (const row of randomRows(1500, chance)) {
    const spoiled = chance.once(2) ? spoil(row, chance) : row
    const length = builder.length
    if (builder.append(spoiled) === undefined) kept.push(row)
    else {
      faults++
      builder.truncate(length)
    }
  }
  assert.ok(faults > 300, `${faults} faults`)
  const columns = builder.finishColumns()
  assert.deepEqual(
    Array.from(kept.keys(), (index) => rowAt(columns, index)),
    kept,
  )
})

/** Returns a copy of the row with one value at a random depth that fits no type. */
function spoil(row: Record<string, unknown>, chance: ReturnType<typeof chanceOf>): Record<string, unknown> {
  const copy = structuredClone(row)
  for (const [name, value] of Object.entries(row)) if (value instanceof ExactNumber) copy[name] = value
  let target: Record<string, unknown> = copy
  for (;;) {
    const key = chance.pick(Object.keys(target))
    const inner = target[key]
    const isDeep =
      typeof inner === 'object' &&
      inner !== null &&
      !(inner instanceof ExactNumber) &&
      Object.keys(inner).length > 0
    if (!isDeep || chance.once(3)) {
      target[key] = Symbol('fits nowhere')
      return copy
    }
    target = inner as Record<string, unknown>
  }
}

test('A finished batch does not reappear in the next one after truncation', () => {
  const builder = new StructBuilder(structOf({ list: arrayOf('string'), text: 'string', map: mapOf('long') }))
  const full = { list: ['a', 'b'], text: 'long before', map: { a: 1 } }
  for (let i = 0; i < 2000; i++) builder.append(full)
  builder.finishColumns()
  builder.append({ list: ['x', Symbol('no string')] })
  builder.truncate(0)
  builder.append({ list: ['z'], text: 't', map: {} })
  const columns = builder.finishColumns()
  assert.deepEqual([columns.length, rowAt(columns, 0)], [1, { list: ['z'], text: 't', map: {} }])
})

describe('A value of JavaScript that JSON does not have', () => {
  const cases: [DataType, unknown, unknown][] = [
    ['byte', -128n, -128],
    ['short', 7n, 7],
    ['integer', 2_147_483_647n, 2_147_483_647],
    ['long', 2n ** 63n - 1n, 2n ** 63n - 1n],
    ['decimal(20,2)', 123_456_789_012_345_678n, new ExactNumber('123456789012345678.00')],
    ['date', new Date('2024-02-29T23:59:59.999Z'), '2024-02-29'],
    ['date', new Date('1969-12-31T23:00:00Z'), '1969-12-31'],
    ['timestamp', new Date('1969-12-31T23:59:59.999Z'), '1969-12-31T23:59:59.999000Z'],
    ['timestamp', new Date('9999-12-31T23:59:59.999Z'), '9999-12-31T23:59:59.999000Z'],
    ['timestamp', new Date('0000-01-01T00:00:00.001Z'), '0000-01-01T00:00:00.001000Z'],
    ['timestamp_ntz', new Date('2024-02-29T12:00:00.5Z'), '2024-02-29T12:00:00.500000'],
    ['binary', Uint8Array.of(0, 255), 'AP8='],
    [mapOf('date'), new Map([['a', new Date(0)]]), { a: '1970-01-01' }],
  ]
  for (const [type, value, read] of cases) {
    test(`${JSON.stringify(type)} takes ${describeValue(value)}`, () => {
      assert.deepEqual(roundTrip(type, value), read)
    })
  }
})

describe('A value that does not fit', () => {
  const cases: [DataType, unknown, RegExp][] = [
    ['byte', 128, /^expected an integer from -128 to 127/],
    ['short', -32_769, /^expected an integer from -32768/],
    ['integer', 2 ** 31, /^expected an integer from -2147483648/],
    ['integer', 1.5, /^expected an integer/],
    ['integer', '1', /got "1"$/],
    ['long', 2n ** 63n, /^expected an integer of 64 bits .* got 9223372036854775808$/],
    ['long', -(2n ** 63n) - 1n, /^expected an integer of 64 bits/],
    ['long', 1e300, /^expected an integer of 64 bits/],
    ['long', 0.5, /^expected an integer, got 0.5$/],
    ['long', new ExactNumber('0.1000000000000000000001'), /got 0.1000000000000000000001$/],
    ['double', new ExactNumber('1e400'), /within the range of a double, got 1e400$/],
    ['double', NaN, /got NaN$/],
    ['double', Infinity, /got Infinity$/],
    ['float', 1e39, /range of a float, got 1e\+39$/],
    ['boolean', 1, /^expected true or false, got 1$/],
    ['decimal(5,2)', 1.005, /decimal\(5,2\) holds exactly, got 1.005$/],
    ['string', 5, /^expected a string, got 5$/],
    ['string', {}, /^expected a string, got \{\}$/],
    ['binary', 'a', /^expected base64 text, got "a"$/],
    ['date', '2023-02-29', /^expected an ISO 8601 date, got "2023-02-29"$/],
    ['timestamp', '2023-01-01T00:00:00', /with zone/],
    ['timestamp_ntz', '2023-01-01T00:00:00Z', /without zone/],
    ['byte', 128n, /^expected an integer from -128 to 127 \(byte\), got 128$/],
    ['integer', 2n ** 70n, /^expected an integer from -2147483648 .* got 1180591620717411303424$/],
    ['decimal(3,1)', 100n, /decimal\(3,1\) holds exactly, got 100$/],
    ['date', new Date(NaN), /^expected an ISO 8601 date, got an invalid Date$/],
    ['timestamp', new Date(NaN), /with zone, got an invalid Date$/],
    ['timestamp_ntz', new Date(Date.UTC(10_000, 0, 1)), /got "\+010000-01-01T00:00:00.000Z"$/],
    ['date', new Date(Date.UTC(-1, 0, 1)), /got "-000001-01-01T00:00:00.000Z"$/],
    ['long', new Date(0), /^expected an integer, got "1970-01-01T00:00:00.000Z"$/],
    ['string', new Date(0), /^expected a string, got "1970-01-01T00:00:00.000Z"$/],
    [arrayOf('long'), {}, /^expected an array, got \{\}$/],
    [arrayOf('long'), [1, 'x'], /^\/1 expected an integer, got "x"$/],
    [mapOf('long'), [1], /^expected an object, got \[1\]$/],
    [mapOf('long'), { a: 'x' }, /^\/a expected an integer/],
    [
      structOf({ a: arrayOf(structOf({ b: 'long' })) }),
      { a: [{ b: 1 }, { b: true }] },
      /^\/a\/1\/b expected an integer, got true$/,
    ],
    [structOf({ a: 'long' }), [], /^expected an object, got \[\]$/],
    [structOf({ a: 'long' }), 'x', /^expected an object, got "x"$/],
  ]
  for (const [type, value, message] of cases) {
    test(`${JSON.stringify(type)} states the expected and the actual value: ${message.source}`, () => {
      const { fault } = roundTrip(type, value) as { fault?: string }
      assert.match(fault ?? 'no fault', message)
    })
  }
})

test('A null or absent value of a required field is a fault that names its path', () => {
  const required = {
    type: 'struct',
    fields: [{ name: 'a', type: 'long', nullable: false, metadata: {} }],
  } as const
  assert.deepEqual(roundTrip(required, { a: null }), { fault: '/a expected a value, got null' })
  assert.deepEqual(roundTrip(required, {}), { fault: '/a expected a value, got null' })
  assert.deepEqual(roundTrip({ type: 'array', elementType: 'long', containsNull: false }, [1, null]), {
    fault: '/1 expected a value, got null',
  })
  const elements = { type: 'array', elementType: 'long', containsNull: false } as const
  assert.deepEqual(roundTrip(elements, [undefined]), { fault: '/0 expected a value, got null' })
  const noNulls = { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: false } as const
  assert.deepEqual(roundTrip(noNulls, { a: undefined }), { fault: '/a expected a value, got null' })
  assert.deepEqual(roundTrip(noNulls, { x: null }), { fault: '/x expected a value, got null' })
})

test('Inherited properties are not fields of a record', () => {
  const type: DataType = {
    type: 'struct',
    fields: ['constructor', 'toString', '__proto__', 'hasOwnProperty'].map((name) => fieldOf(name, 'string')),
  }
  const nulls = { constructor: null, toString: null, hasOwnProperty: null }
  assert.deepEqual(
    roundTrip(type, JSON.parse('{}')),
    Object.assign(JSON.parse('{"__proto__":null}') as object, nulls),
  )
  const own = JSON.parse('{"__proto__":"p","constructor":"c","toString":null,"hasOwnProperty":"h"}') as object
  const read = roundTrip(type, own) as object
  assert.equal(JSON.stringify(Object.entries(read).sort()), JSON.stringify(Object.entries(own).sort()))
})

test('Maps with keys other than text are read back as maps', () => {
  const value = new Map<unknown, unknown>([
    [1, 'one'],
    [2n ** 60n, null],
  ])
  assert.deepEqual(roundTrip(mapOf('string', 'long'), value), value)
})

test('Text with half of a surrogate pair is refused, and the column continues as if it had not been there', () => {
  const fault = (text: string): { fault: string } => ({
    fault: `expected well-formed Unicode, got half of a surrogate pair in ${JSON.stringify(text)}`,
  })
  for (const text of ['\ud800', 'a\udc00b', '\ude00\ud83d', '😀\udbff', 'é\ud800', `${'ä'.repeat(50)}\udfff`])
    assert.deepEqual(roundTrip('string', text), fault(text))
  for (const text of ['😀', 'é', '\ufffd', '\uffff', '\ud800\udc00', '你好'])
    assert.equal(roundTrip('string', text), text)
  const fieldFault = { fault: `/s ${fault('\ud800').fault}` }
  assert.deepEqual(roundTrip(structOf({ s: 'string' }), { s: '\ud800' }), fieldFault)
  assert.match(
    (roundTrip(arrayOf('string'), ['x', '\ud800']) as { fault: string }).fault,
    /^\/1 expected well-formed/,
  )
  assert.match((roundTrip(mapOf('long'), { '\ud800': 1 }) as { fault: string }).fault, /expected well-formed/)
  assert.match(
    (roundTrip(mapOf('string'), { a: '\udc00' }) as { fault: string }).fault,
    /expected well-formed/,
  )
  const builder = builderOf('string')
  assert.equal(builder.append('before'), undefined)
  assert.notEqual(builder.append('x'.repeat(40_000) + '\ud800'), undefined)
  builder.truncate(1)
  assert.equal(builder.append('after'), undefined)
  const column = builder.finish()
  assert.deepEqual([valueAt(column, 0), valueAt(column, 1)], ['before', 'after'])
})

test('A number that a double cannot hold is neither an object nor a map', () => {
  const number = new ExactNumber('1.7976931348623157e308')
  const fault = { fault: 'expected an object, got 1.7976931348623157e308' }
  for (const type of [structOf({ a: 'long' }), structOf({ text: 'string' }), mapOf('string'), mapOf('long')])
    assert.deepEqual(roundTrip(type, number), fault)
  assert.match(
    (roundTrip(arrayOf(structOf({ a: 'long' })), [number]) as { fault: string }).fault,
    /^\/0 expected/,
  )
  assert.match((roundTrip(arrayOf('long'), number) as { fault: string }).fault, /^expected an array/)
})

test('A byte order mark at the start of a text is kept', () => {
  assert.equal(roundTrip('string', '\uFEFFtext'), '\uFEFFtext')
})

test('Bytes for a text column must be UTF-8, or no reader could take the file', () => {
  assert.equal(roundTrip('string', Buffer.from('é')), 'é')
  assert.deepEqual(roundTrip('string', Buffer.from([0xc3])), {
    fault: 'expected UTF-8, got invalid bytes',
  })
  assert.equal(roundTrip('binary', Buffer.from([0xc3])), 'ww==')
})

test('A fault can be described for any value, however deep, circular or hostile', () => {
  let deep: unknown = 1
  for (let i = 0; i < 10_000; i++) deep = [deep]
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const hostile = {
    toJSON() {
      throw new Error('no')
    },
  }
  for (const value of [deep, circle, hostile])
    assert.deepEqual(roundTrip('long', value), { fault: 'expected an integer, got a value of type object' })
  assert.equal(describeValue(undefined), 'undefined')
  assert.equal(describeValue({ big: 5n }), '{"big":"5"}')
  assert.equal(describeValue('x'.repeat(500)).length, 101)
  assert.equal(describeValue(`${'x'.repeat(98)}😀`), `"${'x'.repeat(98)}…`)
})

test('A text of one megabyte and an empty text are kept side by side', () => {
  const builder = builderOf('string')
  const long = '🙂'.repeat(250_000)
  for (const text of [long, '', long]) builder.append(text)
  const column = builder.finish()
  assert.deepEqual(
    [valueAt(column, 0) === long, valueAt(column, 1), valueAt(column, 2) === long],
    [true, '', true],
  )
})
