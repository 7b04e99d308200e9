import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadContract } from '../../src/contract/contract.ts'
import { withoutInternalMetadata } from '../../src/contract/json-schema/delta-type.ts'
import { coerceMessage } from '../../src/evolution/coerce-message.ts'
import { inferColumns } from '../../src/evolution/infer-from-sample.ts'
import { generateContract } from '../../src/evolution/generated-contract.ts'
import { parseExact } from '../../src/formats/json/exact.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { chanceBy } from '../support/values/chance.ts'
import { carryAll, evolvingWorker, rowsIn, tableOf } from '../support/flow/evolving.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import { arrayOf, mapOf, structOf } from '../support/flow/batches.ts'

const RULES = { timestamps: false }
const parse = (text: string): object => parseExact(text, { keepFractions: true }) as object

test('Types, required fields, nulls and formats describe all messages', () => {
  const messages = Array.from({ length: 30 }, (_, i) =>
    parse(
      `{"id":${i},"n":${i === 3 ? '1.0' : i},"ok":${i % 2 === 0 ? 'true' : 'null'},"mail":"u${i}@a.example","kind":"${'abc'[i % 3]}","at":"2026-01-01T00:00:00Z"${i > 0 ? ',"late":"x"' : ''},"mix":${i === 5 ? '{"a":1}' : '"t"'},"l":[{"a":1}${i === 7 ? ',{"a":null,"b":2}' : ''}]}`,
    ),
  )
  assert.deepEqual(generateContract(messages, inferColumns(messages, RULES), { enums: true }), {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      id: { type: 'integer' },
      n: { type: 'number' },
      ok: { type: ['boolean', 'null'] },
      mail: { type: 'string', format: 'email' },
      kind: { type: 'string', enum: ['a', 'b', 'c'] },
      at: { type: 'string', format: 'date-time', 'x-delta-type': 'string' },
      mix: { 'x-delta-type': 'string' },
      l: {
        type: 'array',
        items: {
          type: 'object',
          properties: { a: { type: ['integer', 'null'] }, b: { type: 'integer' } },
          required: ['a'],
        },
      },
      late: { type: 'string' },
    },
    required: ['id', 'n', 'ok', 'mail', 'kind', 'at', 'mix', 'l'],
  })
  const times = inferColumns(messages, { timestamps: true })
  const { properties } = generateContract(messages, times) as { properties: Record<string, unknown> }
  assert.deepEqual(properties['at'], { type: 'string', format: 'date-time' })
})

/** Generates JSON with few distinct names, so that a field occurs with several types. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom(
      'null',
      'true',
      '1',
      '2.5',
      '1.0',
      '1e3',
      '9007199254740993',
      '1e400',
      '99999999999999999999',
    ),
    fc.constantFrom(
      '"x"',
      '""',
      '"2026-01-01"',
      '"2026-01-01T00:00:00Z"',
      '"5fa8d3f0-0000-4000-8000-000000000000"',
    ),
    fc.array(tie('any') as fc.Arbitrary<string>, { maxLength: 3 }).map((list) => `[${list.join(',')}]`),
    tie('object') as fc.Arbitrary<string>,
  ),
  object: fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'A', 'c d', 'e'), tie('any') as fc.Arbitrary<string>), {
      maxLength: 4,
    })
    .map((fields) => `{${fields.map(([name, text]) => `"${name}":${text}`).join(',')}}`),
})).object

test('The generated contract accepts every message it was generated from, and describes the inferred columns', (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}; TEST_SEED=${seed} repeats it`)
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 12 }), fc.boolean(), (texts, timestamps) => {
      const messages = texts.map(parse)
      const schema = inferColumns(messages, { timestamps })
      if (schema.fields.length === 0) return
      const contract = loadContract(generateContract(messages, schema, { enums: true }), { source: 'test' })
      assert.deepEqual(withoutInternalMetadata(contract.schema), schema)
      for (const message of messages) {
        const { row } = coerceMessage(message, contract.schema, {
          rescues: false,
          jsonTextColumns: 'untyped',
        })
        assert.equal(contract.check(row), undefined)
      }
    }),
    { numRuns: 200, seed },
  )
})

test('Values of every type are accepted as JSON text by properties without a type, and only there', async () => {
  const store = new MemoryStore()
  await tableOf(store, structOf({ any: 'string' }))
  const contract = {
    type: 'object',
    properties: {
      any: { 'x-delta-type': 'string' },
      list: { type: 'array', items: { 'x-delta-type': 'string' } },
      text: { type: 'string' },
    },
  }
  const topic = [['{"any":5}', '{"any":{"a":[1.0]}}', '{"any":"x","list":[1,"a",null,{}]}', '{"text":5}']]
  const worker = await evolvingWorker(store, { topic, chance: chanceBy(1), contract })
  await carryAll(worker)
  assert.deepEqual(
    [...(await rowsIn(store)).values()],
    [{ any: '5' }, { any: '{"a":[1.0]}' }, { any: 'x', list: ['1', 'a', null, '{}'] }],
  )
  assert.deepEqual(
    worker.letters.map(({ reason, message }) => `${reason} ${message}`),
    ['contract /text must be string, got 5'],
  )
})

test('Columns that only a schema of their writer has get the same types by the generated contract', () => {
  const columns = structOf({
    i: 'integer',
    s: 'short',
    f: 'float',
    d: 'decimal(38,10)',
    b: 'binary',
    n: 'timestamp_ntz',
    m: mapOf('float'),
    l: arrayOf('binary'),
  })
  const message = {
    i: 1,
    s: 2,
    f: 0.5,
    d: new ExactNumber('1.0000000001'),
    b: 'AP8=',
    n: '2026-01-01T00:00:00',
    m: { a: 1 },
    l: ['AP8='],
  }
  const messages = Array.from({ length: 6 }, () => message)
  const contract = loadContract(generateContract(messages, columns), { source: 'test' })
  assert.equal(contract.check(message), undefined)
  assert.deepEqual(contract.schema, columns)
})
