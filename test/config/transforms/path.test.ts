import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findSourcePathFault, formatPath, isWithinPath, parsePath } from '../../../config/transforms/path.ts'

const SEED = Date.now() % 1_000_000

test('A path is names joined by dots, and a name with a dot is quoted', () => {
  const read: readonly (readonly [string, readonly string[]])[] = [
    ['email', ['email']],
    ['user.email', ['user', 'email']],
    ['"user.email"', ['user.email']],
    ['"user.email".domain', ['user.email', 'domain']],
    ['a."b.c".d', ['a', 'b.c', 'd']],
    ['"a"."b"', ['a', 'b']],
    ['""', ['']],
    ['a.""', ['a', '']],
    ['order-id.@time stamp', ['order-id', '@time stamp']],
    ['a"b', ['a"b']],
    ['"\\"a\\\\\\u00e9"', ['"a\\é']],
    ['größe.⏱', ['größe', '⏱']],
  ]
  for (const [text, names] of read) assert.deepEqual(parsePath(text), { names }, text)
})

test('Text that is no path has a fault that names the place', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /^must have a name on both sides of each dot; an empty name is "": value was ""$/],
    ['a..b', /name on both sides/],
    ['.a', /name on both sides/],
    ['a.', /name on both sides/],
    ['"a".', /name on both sides/],
    ['"user.email', /^must close the quote at character 1: value was "\\"user.email"$/],
    ['a."b\\"', /close the quote at character 3/],
    ['"a"b', /^must have a dot after the closing quote at character 3/],
    ['"a""b"', /dot after the closing quote/],
    ['"\\x"', /JSON string in quotes/],
    ['"a\nb"', /JSON string in quotes/],
  ]
  for (const [text, fault] of refused) {
    const parsed = parsePath(text)
    assert.ok('fault' in parsed, text)
    assert.match(parsed.fault, fault, text)
  }
})

test('Any names survive being written and parsed', () => {
  console.log(`seed ${SEED}`)
  const name = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '.', '"', '\\') }))
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
      assert.deepEqual(parsePath(formatPath(names)), { names })
    }),
    { numRuns: 500, seed: SEED },
  )
  assert.equal(formatPath(['user', 'e-mail']), 'user.e-mail')
  assert.equal(formatPath(['user.email', 'x']), '"user.email".x')
})

test('Only text in quotes is certainly a path where names of columns are allowed as well', () => {
  assert.equal(findSourcePathFault('No.'), undefined)
  assert.equal(findSourcePathFault('"a.b".c'), undefined)
  assert.match(findSourcePathFault('"No.') ?? '', /close the quote/)
})

test('A path is within itself and within the objects around it', () => {
  assert.equal(isWithinPath(['a'], ['a', 'b']), true)
  assert.equal(isWithinPath(['a'], ['a']), true)
  assert.equal(isWithinPath(['a', 'b'], ['a']), false)
  assert.equal(isWithinPath(['a'], ['a.b']), false)
})
