import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import { decode } from '../../operators/decode.ts'
import { transform } from '../../operators/transform.ts'
import { validate } from '../../operators/validate.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import { rowAt } from '../../src/arrow/values.ts'
import { loadContract } from '../../src/contract/contract.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { Raw } from '../../src/core/raw.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { contractAfterTransforms } from '../../src/service/table/transforms.ts'
import { compileTransforms, type TransformOptions } from '../../src/transforms/compile.ts'
import { provenanceOf, rawBatch, rawOf, structOf } from '../support/flow/batches.ts'
import { operatorContract, outputsOf } from '../support/flow/operator-contract.ts'

operatorContract('transform', () => transform(compileTransforms({})))

const contract = loadContract(
  {
    type: 'object',
    required: ['n'],
    properties: {
      n: { type: 'integer' },
      at: { type: 'string' },
      meta: { type: 'object', properties: { by: { type: 'string' }, note: { type: 'string' } } },
    },
  },
  { source: 'test' },
)

/** Decodes, transforms and validates records, and returns the rows. */
function run(values: readonly (string | null)[], options: TransformOptions, plain = false): Rows {
  const raw = rawOf(values, { first: 10n })
  const decoded = jsonFormat({
    schema: contract.schema,
    plain: plain ? contract.plain : undefined,
  }).decode(raw)
  const transformation = compileTransforms(options, contract.schema)
  const after = contractAfterTransforms(contract, transformation)
  const batch = { provenance: provenanceOf({ records: raw.count }), payload: decoded }
  const [changed] = outputsOf(
    transform(transformation, { check: (message) => contract.check(message), columns: after }),
    [batch],
  )
  assert.ok(changed !== undefined, 'a batch leaves')
  const [out]: (Batch<Rows> | undefined)[] = outputsOf(validate(after), [changed])
  assert.ok(out !== undefined, 'a batch leaves')
  const { payload } = out
  assert.equal(
    payload.columns.length + payload.deadLetters.length + payload.tombstones + payload.filtered,
    values.length,
    'every record is accounted for',
  )
  return payload
}

const rowsOf = ({ columns }: Rows): unknown[] =>
  Array.from({ length: columns.length }, (_, row) => rowAt(columns, row))

const lettersOf = ({ deadLetters }: Rows): unknown[] =>
  deadLetters.map(({ offset, reason, message }) => [offset, reason, message])

test('Contract, rules, filter and transforms are applied in order, and every record is counted', () => {
  const out = run(
    ['{"n":"x"}', '{"n":-1}', '{"n":7}', '{"n":1}', '{"n":2,"at":"2026-03-01T00:00:00Z"}', null, 'no json'],
    {
      rules: [{ name: 'sign', when: 'n < `0`', error: 'n must not be negative' }],
      filter: 'n < `5`',
      transforms: { day: 'substr(at, `0`, `10`)' },
    },
  )
  assert.deepEqual(rowsOf(out), [{ n: 2, at: '2026-03-01T00:00:00Z', meta: null, day: '2026-03-01' }])
  assert.deepEqual([out.filtered, out.tombstones], [1, 1])
  const [decode, ...others] = lettersOf(out)
  assert.equal((decode as unknown[])[1], 'decode')
  assert.deepEqual(others, [
    [10n, 'contract', '/n must be integer, got "x"'],
    [11n, 'rule', 'sign: n must not be negative'],
    [13n, 'transform', 'day (substr(at, `0`, `10`)): substr() expected text as argument 1, got null'],
  ])
})

test('Values of the Kafka record are written to their target fields, also nested ones beside existing fields', () => {
  const out = run(['{"n":1,"meta":{"by":"x"}}'], {
    transforms: {
      'meta.kafka.offset': 'kafka.offset',
      'meta.kafka.topic': 'kafka.topic',
      wrote: 'kafka.timestamp',
    },
  })
  assert.deepEqual(rowsOf(out), [
    {
      n: 1,
      at: null,
      meta: { by: 'x', note: null, kafka: { offset: 10, topic: 'events' } },
      wrote: '2026-03-01T00:00:00.000000Z',
    },
  ])
})

test('Every transform sees the original message, before any transform and before fields are dropped or renamed', () => {
  const out = run(['{"n":1,"at":"a","meta":{"by":"x","note":"y"}}'], {
    transforms: { at: 'upper(at)', copy: 'at', note: 'meta.note' },
    drop: ['meta.note'],
    rename: { n: 'number', 'meta.by': 'author' },
  })
  assert.deepEqual(rowsOf(out), [{ number: 1, at: 'A', copy: 'a', note: 'y', author: 'x' }])
})

test('A null result replaces the value of the message, so that hidden values do not remain', () => {
  const out = run(['{"n":1,"at":"secret"}'], {
    transforms: { at: "regex_extract(at, '^public:(.*)$', `1`)", 'meta.by': 'nothing' },
  })
  assert.deepEqual(rowsOf(out), [{ n: 1, at: null, meta: null }])
})

test('Rows that the format decoded into columns are transformed like objects', () => {
  const values = ['{"n":1,"at":"a"}', '{"n":2,"at":"\\n"}', '{"n":3}']
  const options = { transforms: { twice: 'n * `2`' }, filter: 'n != `3`' }
  const [proven, objects] = [run(values, options, true), run(values, options)]
  assert.deepEqual(rowsOf(proven), rowsOf(objects))
  assert.deepEqual([...proven.records], [0, 1])
})

test('A rule that cannot be evaluated is violated; a filter that cannot be evaluated is a failed transform', () => {
  const broken = run(['{"n":1}'], {
    rules: [{ name: 'r', when: 'starts_with(at, `"x"`)', error: 'no' }],
  })
  assert.match(JSON.stringify(broken.deadLetters[0]?.message), /r could not be evaluated .*starts_with\(\)/)
  const [letter] = run(['{"n":1}'], { filter: 'abs(at)' }).deadLetters
  assert.equal(letter?.reason, 'transform')
  assert.match(letter.message, /^filter \(abs\(at\)\): /)
})

test('Numbers beyond double precision are kept, and compared and added exactly', () => {
  const raw = rawOf(['{"id":12345678901234567890,"price":0.1000000000000000000001}'])
  const { objects } = jsonFormat({ schema: contract.schema, plain: undefined }).decode(raw)
  const transformation = compileTransforms({
    transforms: {
      copy: '{id: id, price: price}',
      next: 'id + `1`',
      text: 'to_string(@)',
      over: 'id > `1e19`',
    },
  })
  const row = transformation.apply(objects[0] as object, raw, 0) as Record<string, unknown>
  assert.deepEqual(row['copy'], objects[0])
  assert.equal(row['next'], 12345678901234567891n)
  assert.equal(row['text'], '{"id":12345678901234567890,"price":0.1000000000000000000001}')
  assert.equal(row['over'], true)
})

test('A catastrophic pattern, and text beyond the limit, cost one message at most', () => {
  const long = 'a'.repeat(100_000)
  const out = run([`{"n":1,"at":"${long}!"}`, `{"n":2,"at":"${long.repeat(3)}"}`, '{"n":3,"at":"aaa"}'], {
    transforms: { found: "regex_extract(at, '^(?:(a+)+)+$')" },
    drop: ['at'],
  })
  assert.deepEqual(rowsOf(out), [
    { n: 1, meta: null, found: null },
    { n: 3, meta: null, found: 'aaa' },
  ])
  assert.match(String(out.deadLetters[0]?.message), /takes text of at most 262144 characters, got 300000/)
})

test('Two subscriptions of one chain over interleaved batches are independent of each other', () => {
  const transformation = compileTransforms(
    { transforms: { from: "concat(kafka('topic'), '/', kafka('offset'))", wrote: 'kafka.timestamp' } },
    contract.schema,
  )
  const after = contractAfterTransforms(contract, transformation)
  const format = decode(jsonFormat({ schema: contract.schema, plain: contract.plain }))
  const operator = transform(transformation, { columns: after })
  const validated = validate(after)
  const [left, right] = [[], []] as [unknown[][], unknown[][]]
  const [sources, outputs] = [[new Subject<Batch<Raw>>(), new Subject<Batch<Raw>>()] as const, [left, right]]
  for (const [index, source] of sources.entries())
    source.pipe(format, operator, validated).subscribe(({ payload }) => outputs[index]?.push(rowsOf(payload)))
  const expected = (topic: string, offset: number, n: number): unknown => ({
    n,
    at: null,
    meta: null,
    from: `${topic}/${offset}`,
    wrote: '2026-03-01T00:00:00.000000Z',
  })
  sources[0].next(rawBatch(['{"n":1}', '{"n":2}'], { topic: 'a', first: 10n }))
  sources[1].next(rawBatch(['{"n":3}'], { topic: 'b', first: 70n }))
  sources[0].next(rawBatch(['{"n":4}'], { topic: 'a', first: 12n }))
  sources[1].next(rawBatch(['{"n":5}', '{"n":6}'], { topic: 'b', first: 71n }))
  assert.deepEqual(left, [[expected('a', 10, 1), expected('a', 11, 2)], [expected('a', 12, 4)]])
  assert.deepEqual(right, [[expected('b', 70, 3)], [expected('b', 71, 5), expected('b', 72, 6)]])
})

test('Columns that change between batches count from the next batch on, and are asked once per batch', () => {
  let columns = { schema: structOf({ wrote: 'long' }) }
  let asked = 0
  const current = (): typeof columns => {
    asked++
    return columns
  }
  const source = new Subject<Batch<Raw>>()
  const results: unknown[] = []
  const transformation = compileTransforms({ transforms: { wrote: 'kafka.timestamp' } })
  source
    .pipe(
      decode(jsonFormat({ ...columns, plain: undefined })),
      transform(transformation, { columns: { current } }),
    )
    .subscribe(({ payload }) => results.push(payload.objects))
  source.next(rawBatch(['{}', '{}']))
  columns = { schema: structOf({ wrote: 'timestamp' }) }
  source.next(rawBatch(['{}', '{}']))
  const [micros, text] = [{ wrote: 1_772_323_200_000_000 }, { wrote: '2026-03-01T00:00:00Z' }]
  assert.deepEqual(results, [
    [micros, micros],
    [text, text],
  ])
  assert.equal(asked, 2)
})
