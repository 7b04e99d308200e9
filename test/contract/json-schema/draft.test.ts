import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom, of } from 'rxjs'
import { decode } from '../../../operators/decode.ts'
import { validate } from '../../../operators/validate.ts'
import { loadContract, type Contract } from '../../../src/contract/contract.ts'
import {
  createSchemaValidator,
  draftOf,
  JSON_SCHEMA_DRAFTS,
  metaValidatorOf,
  type JsonSchemaDraft,
} from '../../../src/contract/json-schema/draft.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { rawBatch } from '../../support/flow/batches.ts'

const uriOf = (draft: JsonSchemaDraft): string =>
  draft.startsWith('draft-')
    ? `http://json-schema.org/${draft}/schema#`
    : `https://json-schema.org/draft/${draft}/schema`

const contractOf = (draft: JsonSchemaDraft, property: object, rest: object = {}): Contract =>
  loadContract(
    { $schema: uriOf(draft), type: 'object', properties: { a: property }, ...rest },
    { source: 'test' },
  )

test('A draft is recognized by its URI with http and https, with and without a fragment; the default is 2020-12', () => {
  for (const draft of JSON_SCHEMA_DRAFTS) {
    const uri = uriOf(draft)
    const bare = uri.replace('#', '')
    for (const form of [
      bare,
      `${bare}#`,
      bare.replace(/^https?/, 'http'),
      bare.replace(/^https?/, 'https'),
    ]) {
      assert.equal(draftOf(form), draft, form)
      const contract = { $schema: form, type: 'object', properties: { a: { type: 'string' } } }
      assert.equal(loadContract(contract, { source: 'test' }).check({ a: 'x' }), undefined, form)
    }
  }
  assert.equal(draftOf(undefined), '2020-12')
  for (const other of [
    'http://json-schema.org/draft-03/schema#',
    'http://json-schema.org/schema#',
    '',
    5,
    null,
  ])
    assert.throws(
      () => loadContract({ $schema: other, type: 'object' }, { source: 'test' }),
      /\/\$schema: .* is not supported; supported drafts: draft-04, draft-06, draft-07, 2019-09, 2020-12/,
      String(other),
    )
})

/** States whether a property `a` of each draft, oldest first, is accepted (y) or refused (n). */
const tables: readonly (readonly [string, object, unknown, string])[] = [
  ['const', { type: 'string', const: 'x' }, 'y', 'ynnnn'],
  [
    'propertyNames',
    { type: 'object', properties: { b: { type: 'string' } }, propertyNames: { maxLength: 1 } },
    { long: 1 },
    'ynnnn',
  ],
  ['contains', { type: 'array', items: { type: 'integer' }, contains: { minimum: 5 } }, [1], 'ynnnn'],
  ['if and then', { type: 'integer', if: { minimum: 5 }, then: { maximum: 6 } }, 7, 'yynnn'],
  [
    'dependencies',
    { type: 'object', properties: { b: { type: 'string' } }, dependencies: { b: ['c'] } },
    { b: '' },
    'nnnnn',
  ],
  [
    'dependentRequired',
    { type: 'object', properties: { b: { type: 'string' } }, dependentRequired: { b: ['c'] } },
    { b: '' },
    'yyynn',
  ],
  [
    'dependentSchemas',
    { type: 'object', properties: { b: { type: 'string' } }, dependentSchemas: { b: { required: ['c'] } } },
    { b: '' },
    'yyynn',
  ],
  [
    'unevaluatedProperties',
    { type: 'object', properties: { b: { type: 'string' } }, unevaluatedProperties: false },
    { c: 1 },
    'yyynn',
  ],
  [
    'minContains',
    { type: 'array', items: { type: 'integer' }, contains: { minimum: 5 }, minContains: 0 },
    [1],
    'ynnyy',
  ],
  ['a rule next to a reference', { $ref: '#/definitions/text', maxLength: 1 }, 'long', 'yyynn'],
  ['a type next to a reference', { $ref: '#/definitions/text', type: 'integer' }, 'long', 'yyy--'],
  ['format', { type: 'string', format: 'uuid' }, 'x', 'nnnnn'],
  ['an integer with a zero fraction', { type: 'integer' }, 1.0, 'yyyyy'],
  ['an enumeration', { type: 'string', enum: ['x'] }, 'y', 'nnnnn'],
  ['a limit as a number', { type: 'integer', minimum: 3, exclusiveMinimum: 4 }, 4, '-nnnn'],
  ['a limit as a flag', { type: 'integer', minimum: 4, exclusiveMinimum: true }, 4, 'n----'],
  ['another limit as a flag', { type: 'number', maximum: 4, exclusiveMaximum: false }, 4, 'y----'],
]

for (const [name, property, value, expected] of tables) {
  test(`Each draft interprets ${name} its own way`, () => {
    const got = JSON_SCHEMA_DRAFTS.map((draft) => {
      try {
        const contract = contractOf(draft, property, { definitions: { text: { type: 'string' } } })
        return contract.check({ a: value }) === undefined ? 'y' : 'n'
      } catch {
        return '-'
      }
    })
    assert.equal(got.join(''), expected)
  })
}

test('Bytes alone prove only values that the draft allows', async () => {
  const properties = {
    n: { type: 'integer', minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: true },
    d: { type: 'number', maximum: 9, exclusiveMaximum: false },
  }
  const contract = loadContract(
    { $schema: uriOf('draft-04'), id: 'https://a.b/c.json', type: 'object', properties },
    { source: 'test' },
  )
  assert.deepEqual(
    contract.plain?.fields.map(({ name, minimum, maximum, exclusiveMinimum, exclusiveMaximum }) => [
      name,
      minimum,
      maximum,
      exclusiveMinimum,
      exclusiveMaximum,
    ]),
    [
      ['n', undefined, undefined, 0, 9],
      ['d', undefined, 9, undefined, undefined],
    ],
  )
  const texts = ['{"n":0}', '{"n":1}', '{"n":8}', '{"n":9}', '{"d":9}', '{"d":9.5}']
  const batch = rawBatch(texts)
  for (const plain of [contract.plain, undefined]) {
    const format = jsonFormat({ schema: contract.schema, plain })
    const rows = await lastValueFrom(of(batch).pipe(decode(format), validate({ ...contract, plain })))
    assert.deepEqual([...rows.payload.records], [1, 2, 4])
  }
})

test('Tuples are refused in the syntax of each draft, definitions are found under both keywords', () => {
  const tuple = { type: 'array', items: [{ type: 'string' }] }
  for (const draft of JSON_SCHEMA_DRAFTS.slice(0, 4))
    assert.throws(() => contractOf(draft, tuple), /a tuple/, draft)
  assert.throws(() => contractOf('2020-12', { type: 'array', prefixItems: [{ type: 'string' }] }), /a tuple/)
  // Drafts before 2020-12 do not know the keyword.
  assert.throws(() => contractOf('2019-09', { type: 'array', prefixItems: [{}] }), /an array needs `items`/)
  for (const draft of JSON_SCHEMA_DRAFTS)
    for (const at of ['definitions', '$defs']) {
      const contract = contractOf(draft, { $ref: `#/${at}/x` }, { [at]: { x: { type: 'integer' } } })
      assert.equal(contract.schema.fields[0]?.type, 'long', `${draft} ${at}`)
    }
})

test('Dynamic references with several targets are refused by name, those with one target are followed', () => {
  const node = (anchor: string): object => ({ $dynamicAnchor: anchor, type: 'string' })
  assert.equal(
    contractOf('2020-12', { $dynamicRef: '#n' }, { $defs: { x: node('n') } }).check({ a: 'x' }),
    undefined,
  )
  assert.throws(
    () =>
      contractOf(
        '2020-12',
        { $dynamicRef: '#n' },
        { $defs: { x: node('n'), y: { $id: 'y', $defs: { z: node('n') } } } },
      ),
    /\/properties\/a\/\$dynamicRef: #n has several possible targets/,
  )
  assert.throws(
    () => contractOf('2019-09', { $recursiveRef: '#' }, { $recursiveAnchor: true }),
    /\/properties\/a\/\$recursiveRef: # refers to itself; a table column cannot be recursive/,
  )
})

test('A contract has one draft throughout', () => {
  const other = { $id: 'https://a.b/other', $schema: uriOf('draft-07'), type: 'string' }
  assert.throws(
    () => contractOf('2020-12', { $ref: '#/$defs/other' }, { $defs: { other } }),
    /\/\$defs\/other\/\$schema: is draft-07, but the contract is 2020-12/,
  )
})

test('All contracts of a draft share the validator that compiles the meta-schema', () => {
  for (const draft of JSON_SCHEMA_DRAFTS) assert.equal(metaValidatorOf(draft), metaValidatorOf(draft))
  // Validators of contracts compile nothing else: with a meta-schema each, 200 topics blocked the process for seconds.
  const validator = createSchemaValidator('2020-12')
  assert.equal(typeof validator.compile({ title: 7 }), 'function')
})
