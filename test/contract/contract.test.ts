import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadContract } from '../../src/contract/contract.ts'
import type { Contract } from '../../src/contract/contract.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { ExactNumber } from '../../src/core/exact.ts'

const contractOf = (properties: object, rest: object = {}): Contract =>
  loadContract({ type: 'object', properties, ...rest }, { source: 'test.json' })

const user = contractOf(
  {
    id: { type: 'string' },
    age: { type: 'integer', minimum: 0 },
    at: { type: 'string', format: 'date-time' },
  },
  { required: ['id'] },
)

test('a valid row is accepted', () => {
  assert.equal(user.check({ id: 'a', age: 3, at: '2024-02-29T00:00:00Z', extra: {} }), undefined)
})

const broken: [string, unknown, string][] = [
  ['a missing property', { age: 3 }, `/ must have required property 'id', got {"age":3}`],
  ['a wrong type', { id: 5 }, '/id must be string, got 5'],
  ['a number too small', { id: 'a', age: -1 }, '/age must be >= 0, got -1'],
  ['a fraction for an integer', { id: 'a', age: 1.5 }, '/age must be integer, got 1.5'],
  [
    'an impossible date',
    { id: 'a', at: '2023-02-29T00:00:00Z' },
    '/at must match format "date-time", got "2023-02-29T00:00:00Z"',
  ],
  ['an array', [], '/ must be object, got []'],
  ['null', null, '/ must be object, got null'],
  ['a scalar', 7, '/ must be object, got 7'],
]

for (const [name, row, message] of broken) {
  test(`${name} is reported with pointer, expectation and value`, () => {
    assert.equal(user.check(row), message)
  })
}

test('additional properties and values outside an enumeration are named', () => {
  const strict = contractOf({ a: { enum: ['x', 'y'] } }, { additionalProperties: false })
  assert.equal(strict.check({ b: 1 }), '/ must NOT have additional properties ("b"), got {"b":1}')
  assert.equal(strict.check({ a: 'z' }), '/a must be one of ["x","y"], got "z"')
})

test('inherited names are not properties, own properties of the same name are', () => {
  const contract = contractOf(
    { constructor: { type: 'string' }, toString: { type: 'integer' } },
    { required: ['constructor'] },
  )
  assert.match(contract.check({}) ?? '', /must have required property 'constructor'/)
  assert.equal(contract.check(JSON.parse('{"constructor":"x"}')), undefined)
  assert.match(contract.check(JSON.parse('{"constructor":"x","toString":"y"}')) ?? '', /must be integer/)
})

test('a __proto__ key is an ordinary property and changes no prototype', () => {
  const row: unknown = JSON.parse('{"id":"a","__proto__":{"age":"old"}}')
  assert.equal(user.check(row), undefined)
  const strict = contractOf({ id: { type: 'string' } }, { additionalProperties: false })
  assert.match(strict.check(row) ?? '', /must NOT have additional properties \("__proto__"\)/)
  assert.match(strict.check(JSON.parse('{"__proto__":{"id":"a"}}')) ?? '', /"__proto__"/)
  assert.equal(({} as Record<string, unknown>)['age'], undefined)
})

test('a value nested 10,000 deep is validated or refused without an exception', () => {
  const deep: unknown = JSON.parse(`${'[{"a":'.repeat(10_000)}1${'}]'.repeat(10_000)}`)
  assert.equal(user.check({ id: 'x', deep }), undefined)
  assert.ok((user.check({ id: deep })?.length ?? 1000) < 200)
  const unique = contractOf({
    list: { type: 'array', uniqueItems: true, items: { 'x-delta-type': 'string' } },
  })
  const other: unknown = JSON.parse(`${'[{"a":'.repeat(10_000)}1${'}]'.repeat(10_000)}`)
  assert.match(unique.check({ list: [deep, other] }) ?? '', /could not be checked|duplicate/)
  assert.match(user.check({ id: 7n, deep }) ?? '', /\/id must be string, got 7/)
})

test('integers beyond 2^53 and numbers beyond a double are validated as numbers', () => {
  const contract = contractOf({ n: { type: 'integer', maximum: 1e19 }, d: { type: 'number' } })
  assert.equal(contract.check({ n: 9007199254740993n }), undefined)
  assert.equal(contract.check({ n: 10n ** 30n }), '/n must be <= 10000000000000000000, got 1e+30')
  assert.equal(contract.check({ d: new ExactNumber('0.1000000000000000000001') }), undefined)
  assert.equal(contract.check({ d: new ExactNumber('1e400') }), '/d must be number, got Infinity')
  assert.equal(contract.check({ n: NaN }), '/n must be integer, got NaN')
})

test('a negated rule treats big integers as numbers', () => {
  const contract = contractOf({ n: { type: 'integer', not: { type: 'integer', minimum: 100 } } })
  assert.equal(contract.check({ n: 5 }), undefined)
  assert.match(contract.check({ n: 2n ** 60n }) ?? '', /must NOT be valid/)
})

test('long values and pointers are truncated, line breaks and control characters removed', () => {
  const message = user.check({ id: ['x\u0000\n'.repeat(100_000)] }) ?? ''
  assert.ok(message.length < 150, message)
  assert.ok(!/[\u0000-\u001f]/.test(message), message)
  const map = contractOf({ m: { type: 'object', additionalProperties: { type: 'string' } } })
  const long = map.check({ m: { ['k\n'.repeat(1000)]: 1 } }) ?? ''
  assert.ok(long.length < 350 && !long.includes('\n'), long)
})

test('keywords of other tools are ignored', () => {
  const contract = contractOf(
    { a: { type: 'string', example: 'x', javaType: 'X', 'x-owner': 'me' } },
    { version: 3 },
  )
  assert.equal(contract.check({ a: 'x' }), undefined)
})

const unusable: [string, object, RegExp][] = [
  [
    'an unknown format',
    { a: { type: 'string', format: 'fancy' } },
    /\/properties\/a\/format: the format "fancy" is unknown/,
  ],
  [
    'an inherited name as format',
    { a: { type: 'string', format: 'constructor' } },
    /"constructor" is unknown/,
  ],
  ['an unknown type', { a: { type: 'text' } }, /\/properties\/a\/type: must be/],
  ['a bad pattern', { a: { type: 'string', pattern: '(' } }, /pattern|regular expression/i],
  ['a Delta type that is not text', { a: { 'x-delta-type': 5 } }, /x-delta-type/],
]

for (const [name, properties, message] of unusable) {
  test(`${name} makes the contract unusable`, () => {
    assert.throws(
      () => contractOf(properties),
      (error: unknown) => {
        assert.ok(error instanceof PipelineError && error.code === 'KD_CONTRACT_INVALID')
        assert.match(error.message, message)
        return true
      },
    )
  })
}

test('faults of all kinds are listed in one error', () => {
  assert.throws(
    () => contractOf({ a: { type: 'string', format: 'fancy' }, b: {}, 'c d': { type: 'string' } }),
    (error: Error) => ['fancy', '/properties/b: ', '"c d"'].every((text) => error.message.includes(text)),
  )
})
