import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadContract } from '../../../src/contract/contract.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { contractOfRegisteredJson } from '../../../src/formats/json/registered-json.ts'

const ref = (name: string): object => ({ $ref: `#/$defs/${name}` })
const objectOf = (x: object, $defs: object, more: object = {}): object => ({
  type: 'object',
  properties: { x },
  $defs,
  ...more,
})

function faultsOf(json: object, documents: ReadonlyMap<string, unknown> = new Map()): string {
  try {
    loadContract(json, { source: 'c', documents })
  } catch (error) {
    assert.ok(error instanceof PipelineError, String(error))
    assert.equal(error.code, 'KD_CONTRACT_INVALID')
    assert.doesNotMatch(error.message, /call stack/)
    return error.message
  }
  return ''
}

const PAIR = { a: ref('b'), b: ref('a') }
const text = { type: 'string' }

const CYCLES: Readonly<Record<string, object>> = {
  'two definitions': objectOf(ref('a'), PAIR),
  'three definitions': objectOf(ref('a'), { a: ref('b'), b: ref('c'), c: ref('a') }),
  'a definition of itself': objectOf(ref('a'), { a: ref('a') }),
  'the whole contract': { $ref: '#' },
  'under allOf': objectOf(ref('a'), { a: { allOf: [ref('b')] }, b: { allOf: [ref('a')] } }),
  'under allOf of the contract': objectOf(text, PAIR, { allOf: [ref('a')] }),
  'under anyOf with null': objectOf(ref('a'), { a: { anyOf: [ref('a'), { type: 'null' }] } }),
  'beside a type': objectOf(ref('a'), { a: { ...text, ...ref('b') }, b: { ...text, ...ref('a') } }),
  'under not': objectOf({ ...text, not: ref('a') }, PAIR),
  'under not and allOf': objectOf(
    { ...text, not: ref('a') },
    { a: { allOf: [ref('b')] }, b: { allOf: [ref('a')] } },
  ),
  'under if': objectOf(text, PAIR, { if: ref('a'), then: {} }),
  'under propertyNames': objectOf(text, PAIR, { propertyNames: ref('a') }),
  'under dependentSchemas': objectOf(text, PAIR, { dependentSchemas: { x: ref('a') } }),
  'by anchors': objectOf(
    { $ref: '#a' },
    { a: { $anchor: 'a', $ref: '#b' }, b: { $anchor: 'b', $ref: '#a' } },
  ),
  'by dynamic anchors': objectOf(
    { $dynamicRef: '#a' },
    { a: { $dynamicAnchor: 'a', $dynamicRef: '#b' }, b: { $dynamicAnchor: 'b', $dynamicRef: '#a' } },
  ),
  'by ids': objectOf(
    { $ref: 'http://x/a' },
    { a: { $id: 'http://x/a', $ref: 'http://x/b' }, b: { $id: 'http://x/b', $ref: 'http://x/a' } },
  ),
  'in draft-07': {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { x: { $ref: '#/definitions/a' } },
    definitions: { a: { $ref: '#/definitions/b' }, b: { $ref: '#/definitions/a' } },
  },
}

for (const [name, json] of Object.entries(CYCLES))
  test(`References that only lead back to themselves are one fault with its place: ${name}`, () => {
    assert.match(
      faultsOf(json),
      /: \/\S*\$(?:ref|dynamicRef): \S+ refers to itself, directly or through other references, and describes no value \(source c\)$/,
    )
  })

test('Documents that only refer to each other are refused, and so are registered schemas', () => {
  const documents = { 'a.json': { $ref: 'b.json' }, 'b.json': { $ref: 'a.json' } }
  const root = { type: 'object', properties: { x: { $ref: 'a.json' } } }
  assert.match(
    faultsOf(root, new Map(Object.entries(documents))),
    /b\.json#\/\$ref: a\.json refers to itself/,
  )
  const references = Object.entries(documents).map(([name, json]) => ({ name, text: JSON.stringify(json) }))
  assert.throws(
    () => contractOfRegisteredJson({ type: 'JSON', text: JSON.stringify(root), references }, 'subject'),
    { code: 'KD_CONTRACT_INVALID', message: /refers to itself, directly/ },
  )
})

test('A reference that steps into the value is no cycle, and a cycle that nothing uses is harmless', () => {
  const list = { type: 'object', properties: { next: ref('list') } }
  assert.equal(faultsOf(objectOf({ ...text, not: ref('list') }, { list })), '')
  assert.equal(faultsOf(objectOf(text, PAIR)), '')
  assert.equal(
    faultsOf(objectOf(ref('a'), { a: ref('t'), t: text }, { allOf: [{ properties: { x: ref('a') } }] })),
    '',
  )
  assert.match(faultsOf(objectOf(ref('list'), { list })), /a table column cannot be recursive/)
})

test('A contract that nests beyond the stack is refused in words', () => {
  const nested = (wrap: (inner: object) => object): object => {
    let schema: object = text
    for (let i = 0; i < 20_000; i++) schema = wrap(schema)
    return objectOf(schema, {})
  }
  const chain = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`a${i}`, ref(`a${i + 1}`)]))
  for (const json of [
    nested((inner) => ({ allOf: [inner] })),
    nested((inner) => ({ type: 'array', items: inner })),
    nested((inner) => ({ type: 'object', properties: { a: inner } })),
    objectOf(ref('a0'), { ...chain, a20000: text }),
  ])
    assert.match(faultsOf(json), /schemas nest too deeply/)
})
