import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytePatternOf, matchBytes } from '../../../src/contract/rules/byte-pattern.ts'
import { seededRandom } from '../../../src/sample/random.ts'

const SUPPORTED = [
  '^[A-Z]{3}-\\d{4}$',
  '^(a|b)*c$',
  'x',
  '^\\w+@\\w+\\.com$',
  '[^a-z]',
  'a{2,3}?b',
  '(foo|bar)+$',
  '^[\\w.-]+$',
  '^.{2}$',
  '\\$',
  'a\\$$',
  '^(?:a|ab)(?:c|bcd)?$',
  '^a{0}b$',
  '[\\u0041-\\u005a]',
  '\\s$',
  '^$',
  '',
  '^[^\\n]*$',
  '[-a]',
  '[a-]',
]

test('a pattern accepts the same ASCII text as the regular expression', () => {
  const random = seededRandom(7)
  const alphabet = 'abcdxfoFOr-@.com$AZ09 \n'
  for (const source of SUPPORTED)
    for (const flags of ['u', 'i']) {
      const expression = new RegExp(source, flags)
      const pattern = bytePatternOf(expression)
      assert.ok(pattern !== undefined, source)
      for (let count = 0; count < 500; count++) {
        const text = Array.from({ length: random() % 8 }, () => alphabet[random() % alphabet.length]).join('')
        const bytes = Buffer.from(`"${text}"`)
        const found = matchBytes(pattern, bytes, 1, bytes.length - 1)
        assert.equal(found === 1, expression.test(text), `${source} ${flags} ${JSON.stringify(text)}`)
      }
    }
})

test('text beyond ASCII is left to the regular expression', () => {
  const pattern = bytePatternOf(/a/u)
  assert.ok(pattern !== undefined)
  const bytes = Buffer.from('ü')
  assert.equal(matchBytes(pattern, bytes, 0, bytes.length), -1)
})

test('expressions beyond plain repetition and alternatives have no automaton', () => {
  const sources = [
    '^a|b$',
    '^(?=a)',
    '(?<n>a)',
    '\\bx',
    '(a)\\1',
    '\\p{L}',
    'é',
    '^😀?a$',
    '[\\u00e9]',
    'a$b',
    'a^b',
    '(?<!a)b',
    'a{300}',
    '^(?:[a-z]{1,60}\\.){1,60}$',
  ]
  for (const source of sources) assert.equal(bytePatternOf(new RegExp(source, 'u')), undefined, source)
})
