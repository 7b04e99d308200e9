import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '../../../operators/decode.ts'
import { transform } from '../../../operators/transform.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import type { Batch } from '../../../src/core/batch.ts'
import type { StructType } from '../../../src/core/schema.ts'
import type { Decoded, FormatOptions } from '../../../src/formats/format.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { generateWebRequests } from '../../../src/sample/web-requests.ts'
import { formatOptionsOf } from '../../../src/service/table/transforms.ts'
import { compileTransforms, type TransformOptions } from '../../../src/transforms/compile.ts'
import { ColumnTransforms } from '../../../src/transforms/columns/column-transforms.ts'
import { Transformation } from '../../../src/transforms/transformation.ts'
import { rawBatch, structOf } from '../../support/flow/batches.ts'
import { outputsOf } from '../../support/flow/operator-contract.ts'
import { compareTopic, fuzz } from '../../fuzz/transforms.ts'

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 0x7fff_ffff)

/** Returns what leaves the operator, for messages of a table without a contract. */
function run(
  values: readonly (string | null)[],
  steps: TransformOptions,
  rows: StructType,
  { absentValues, keepsOnNull = false }: Partial<FormatOptions> & { readonly keepsOnNull?: boolean } = {},
): { readonly decoded: Decoded; readonly transformation: Transformation } {
  const compiled = compileTransforms(steps, rows)
  const transformation = new Transformation({ ...compiled.steps, keepsOnNull })
  const columns = {
    current: () => options,
  }
  const options: FormatOptions = { schema: rows, plain: undefined, absentValues, unknownFields: 'count' }
  const onColumns = new ColumnTransforms(transformation, undefined)
  const format = jsonFormat(formatOptionsOf(undefined, columns, transformation, { onColumns }))
  const raw = rawBatch(values, { first: 10n, keys: ['k'] })
  const [read] = outputsOf(decode(format), [raw])
  assert.ok(read !== undefined, 'a batch leaves')
  const [out]: (Batch<Decoded> | undefined)[] = outputsOf(transform(transformation, { columns, onColumns }), [
    read,
  ])
  assert.ok(out !== undefined, 'a batch leaves')
  return { decoded: out.payload, transformation }
}

function rowsOf({ validated }: Decoded): unknown[] {
  return Array.from(validated?.records ?? [], (_, row) =>
    validated === undefined ? undefined : rowAt(validated.columns, row),
  )
}

test('No web request of the example of kafka-delta-ingest leaves the columns', () => {
  const values = Array.from(generateWebRequests({ seed: 1, count: 500 }), ({ value }) => String(value))
  const kafka = structOf({ offset: 'long', partition: 'integer', topic: 'string' })
  const producer = structOf({ timestamp: 'string' })
  const rows = structOf({
    meta: structOf({ producer, kafka }),
    method: 'string',
    session_id: 'string',
    status: 'integer',
    url: 'string',
    body_bytes_sent: 'integer',
    uuid: 'string',
    date: 'date',
  })
  const transforms = {
    date: 'substr(meta.producer.timestamp, `0`, `10`)',
    'meta.kafka.offset': 'kafka.offset',
    'meta.kafka.partition': 'kafka.partition',
    'meta.kafka.topic': 'kafka.topic',
  }
  const { decoded } = run(values, { transforms }, rows, { keepsOnNull: true })
  assert.equal(decoded.validated?.records.length, values.length)
  assert.deepEqual([decoded.objects.length, decoded.deadLetters.length, decoded.slow], [0, 0, undefined])
  const first = JSON.parse(values[0] ?? '') as { meta: { producer: { timestamp: string } } }
  const { timestamp } = first.meta.producer
  const { meta } = first
  assert.deepEqual(rowsOf(decoded)[0], {
    ...first,
    meta: { ...meta, kafka: { offset: 10, partition: 0, topic: 'events' } },
    date: timestamp.slice(0, 10),
  })
})

test('Rules, the filter, new, replaced, removed and renamed fields are decided in columns', () => {
  const { decoded } = run(
    [
      '{"n":1772323200,"name":"Ann","secret":{"x":[1]},"old":true}',
      '{"n":0,"name":"Bob"}',
      '{"n":-1,"name":"Cid"}',
      '{"n":2,"name":"Dan","old":null}',
    ],
    {
      rules: [{ name: 'sign', when: 'n < `0`', error: 'negative' }],
      filter: "name != 'Bob'",
      transforms: { n: 'epoch_seconds_to_iso8601(n)', who: "concat(lower(name), '/', kafka('topic'))" },
      drop: ['secret'],
      rename: { old: 'flag' },
    },
    structOf({ n: 'timestamp', name: 'string', who: 'string', flag: 'boolean' }),
  )
  assert.deepEqual(rowsOf(decoded), [
    { n: '2026-03-01T00:00:00.000000Z', name: 'Ann', who: 'ann/events', flag: true },
    { n: '1970-01-01T00:00:02.000000Z', name: 'Dan', who: 'dan/events', flag: null },
  ])
  assert.deepEqual([decoded.filtered, decoded.slow], [1, { transform: 1 }])
  assert.deepEqual(
    decoded.deadLetters.map(({ offset, reason, message }) => [offset, reason, message]),
    [[12n, 'rule', 'sign: negative']],
  )
})

test('A message that columns cannot prove is transformed as an object, alone', () => {
  const { decoded } = run(
    ['{"a":"x"}', '{"a":7}', '{"a":{"b":1}}', '{"a":"\\u00e9"}', '{"made":"there"}'],
    { transforms: { made: 'a' } },
    structOf({ made: 'string' }),
    { keepsOnNull: true },
  )
  assert.deepEqual(rowsOf(decoded), [{ made: 'x' }])
  assert.deepEqual(decoded.records, [1, 2, 3, 4])
  assert.deepEqual(decoded.objects, [
    { a: 7, made: 7 },
    { a: { b: 1 }, made: { b: 1 } },
    { a: 'é', made: 'é' },
    { made: 'there' },
  ])
  assert.deepEqual(decoded.slow, { transform: 4 })
})

test('An object that loses its only field, and one whose new field is null, are what they are among objects', () => {
  const rows = structOf({ made: 'string', meta: structOf({ by: 'string', size: 'long' }) })
  const { decoded } = run(
    ['{"meta":{"by":"a","note":"n"}}', '{"meta":{"note":"n"}}', '{"meta":{}}', '{}'],
    { transforms: { made: 'none' }, drop: ['meta.note'] },
    rows,
  )
  assert.deepEqual(rowsOf(decoded), [
    { made: null, meta: { by: 'a', size: null } },
    { made: null, meta: { by: null, size: null } },
    { made: null, meta: null },
  ])
  assert.deepEqual([decoded.records, decoded.objects], [[1], [{}]])
})

test('Paths that match no field are reported as among objects, also when a later message has the field', () => {
  const rows = structOf({ a: 'string', b: 'string' })
  const missing = Array.from({ length: 1_001 }, () => '{"a":"x"}')
  const { transformation } = run([], { drop: ['note'], rename: { A: 'b' } }, rows)
  const events: string[] = []
  transformation.paths.follow(({ kind, path }) => events.push(`${kind} ${path}`))
  const onColumns = new ColumnTransforms(transformation, undefined)
  const columns = { schema: rows, plain: undefined }
  const format = jsonFormat(
    formatOptionsOf(undefined, { current: () => columns }, transformation, { onColumns }),
  )
  for (const values of [missing, ['{"a":"x","note":1}']]) {
    const read = outputsOf(decode(format), [rawBatch(values)])
    outputsOf(transform(transformation, { columns, onColumns }), read)
  }
  assert.deepEqual(events, ['path-unmatched A', 'path-unmatched note', 'path-matched note'])
})

test('A result without a column is left to objects where dropped fields are counted', () => {
  const transformation = compileTransforms({ transforms: { made: 'a' } })
  const inputFor = (unknownFields: 'count' | 'leave') =>
    new ColumnTransforms(transformation, undefined).inputFor({
      schema: structOf({ a: 'string' }),
      unknownFields,
    })
  assert.match(inputFor('count').reasons[0]?.reason ?? '', /no column made, and dropped fields are counted/)
  assert.deepEqual(inputFor('leave').reasons, [])
})

test('The reasons why steps need objects name the step', () => {
  const options = { filter: 'items[0].x', transforms: { made: '@' }, rename: { 'a.b': 'c' } }
  const transformation = compileTransforms(options)
  const { reasons, program } = new ColumnTransforms(transformation, undefined).inputFor({
    schema: structOf({ made: 'string' }),
  })
  assert.equal(program, undefined)
  assert.deepEqual(
    reasons.map(({ subject }) => subject),
    ['filter', 'transforms.made', 'transforms'],
  )
})

test('A column with a default is left to objects when a step changes it', () => {
  const rows = structOf({ a: 'string' })
  const transformation = compileTransforms({ transforms: { a: 'b' } })
  const absentValues = new Map([['a', () => 'default']])
  const { reasons } = new ColumnTransforms(transformation, undefined).inputFor({ schema: rows, absentValues })
  assert.match(reasons[0]?.reason ?? '', /the column a has a default/)
})

test(`Random topics have the same rows and dead letters in columns and as objects (seed ${SEED})`, async () => {
  const { differences } = await fuzz({ inputs: 2_400, seed: SEED })
  assert.deepEqual(differences, [])
})

test('Random topics keep messages in columns', () => {
  const shares = Array.from({ length: 60 }, (_, seed) => compareTopic(seed).share)
  assert.ok(
    shares.some((share) => share > 0.5),
    'some topics keep most of their messages in columns',
  )
})
