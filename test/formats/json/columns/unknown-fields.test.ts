// Goal: fields and values without a column of their type need no object where the policy makes nothing of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { of } from 'rxjs'
import { decode } from '../../../../operators/decode.ts'
import { validate } from '../../../../operators/validate.ts'
import { rowAt } from '../../../../src/arrow/values.ts'
import { contractOfTable } from '../../../../src/contract/table-contract.ts'
import type { StructType } from '../../../../src/core/schema.ts'
import type { SchemaEvolution } from '../../../../src/evolution/policy.ts'
import { RowColumns, type RowColumnsOptions } from '../../../../src/evolution/row-columns.ts'
import type { FormatOptions, SlowCounts } from '../../../../src/formats/format.ts'
import { jsonFormat } from '../../../../src/formats/json/format.ts'
import { arrayOf, provenanceOf, rawOf, structOf } from '../../../support/flow/batches.ts'

const PROTOCOL = { minReaderVersion: 1, minWriterVersion: 2 }

interface Result {
  readonly rows: readonly unknown[]
  readonly letters: readonly string[]
  readonly dropped: number
  readonly slow: SlowCounts
}

/** Returns what becomes of the batches; both paths must agree, and the counts are those of the last batch from bytes. */
function carried(
  schema: StructType,
  policy: SchemaEvolution,
  batches: readonly (readonly string[])[],
  more: Partial<RowColumnsOptions> = {},
): Result {
  const [fast, slow] = [true, false].map((isFast) => {
    const metadata = { id: 'test', schema, partitionColumns: [], configuration: {} }
    const contract = contractOfTable(schema)
    const columns = new RowColumns({
      topic: 'events',
      contract,
      hasWrittenContract: false,
      table: { uri: 'memory:test', shape: { protocol: PROTOCOL, metadata } },
      addedColumns: [],
      policy,
      ...more,
    })
    const current = (): FormatOptions => columns.current()
    const format = jsonFormat(isFast ? columns : { current: () => ({ ...current(), plain: undefined }) })
    const results = batches.map((values): Result => {
      const payload = rawOf(values)
      const decoded = format.decode(payload)
      const found: Result[] = []
      of({ provenance: provenanceOf({ records: values.length }), payload })
        .pipe(decode({ name: 'json', decode: () => decoded }), validate(contract, columns))
        .subscribe(({ payload: { columns: read, records, deadLetters, droppedFields = 0 } }) =>
          found.push({
            rows: [...records].map((record, row) => [record, rowAt(read, row)]),
            letters: deadLetters.map(({ offset, message }) => `${offset} ${message}`),
            dropped: droppedFields,
            slow: decoded.slow ?? {},
          }),
        )
      const [result] = found
      assert.ok(result !== undefined)
      return result
    })
    return results
  }) as [Result[], Result[]]
  const withoutCounts = (results: readonly Result[]) => results.map((result) => ({ ...result, slow: {} }))
  assert.deepEqual(withoutCounts(fast), withoutCounts(slow))
  return fast.at(-1) as Result
}

const COLUMNS = structOf({ v: 'long', o: structOf({ a: 'long' }) })

test('An unknown field without a value needs no object under any policy', () => {
  const values = ['{"v":1,"new":null,"o":{"more":null,"a":2}}', '{"v":2,"new":null}']
  for (const policy of ['addNewColumns', 'rescue', 'failOnNewColumns', 'none'] as const)
    assert.deepEqual(carried(COLUMNS, policy, [values]).slow, {}, policy)
  assert.deepEqual(carried(COLUMNS, 'rescue', [['{"v":1,"new":[]}']]).slow, { field: 1 })
  // A name that differs from a column only in case fills that column.
  assert.deepEqual(carried(COLUMNS, 'addNewColumns', [['{"V":null}', '{"v":1}']]).slow, { value: 1 })
})

test('An unknown field with an empty value is ignored, unless another record of the batch adds its column', () => {
  const empty = '{"v":1,"new":[],"more":{ }}'
  assert.deepEqual(carried(COLUMNS, 'addNewColumns', [[empty, '{"v":2}', empty]]).slow, {})
  const adding = carried(COLUMNS, 'addNewColumns', [[empty, '{"new":5}', '{"v":2}']])
  assert.deepEqual(adding.slow, { field: 2 })
  assert.equal(adding.letters.length, 1)
  // From the next batch on the column exists.
  assert.deepEqual(
    carried(COLUMNS, 'addNewColumns', [['{"new":[5]}'], ['{"new":[]}', '{"new":[6]}']]).slow,
    {},
  )
})

test('Within a column whose type messages gave, names count although they have no value', () => {
  const batches = [['{"x":{"a":1}}'], ['{"x":{"a":1,"A":null}}']]
  const { rows } = carried(COLUMNS, 'addNewColumns', batches)
  assert.deepEqual(rows, [[0, { v: null, o: null, x: '{"a":1,"A":null}' }]])
  const wide = Array.from({ length: 150 }, (_, i) => `"a${i}":1`).join()
  const other = Array.from({ length: 150 }, (_, i) => `"b${i}":1`).join()
  const all = carried(COLUMNS, 'addNewColumns', [
    [`{"x":{${wide}}}`],
    [`{"x":{${other}}}`],
    [`{"x":{${wide},${other}}}`],
  ])
  assert.deepEqual(all.slow, { value: 1 })
})

test('Dropped fields are counted once for each record, and a record that is parsed after all counts none twice', () => {
  const result = carried(COLUMNS, 'none', [
    [
      '{"v":1,"new":1,"o":{"more":[1]}}',
      '{"new":1,"new":2}',
      '{"new":1,"v":1e2}',
      '{"\\u006eew":1}',
      '{"v":1,"new":"\\u00e9"}',
    ],
  ])
  assert.deepEqual([result.dropped, result.slow], [6, { value: 3 }])
  const many = Array.from({ length: 1_100 }, (_, i) => `"n${i}":1`).join()
  assert.equal(carried(COLUMNS, 'none', [[`{${many}}`]]).dropped, 1_100)
})

test('Text columns take other values as their JSON where its text is canonical', () => {
  const schema = structOf({ s: 'string', l: arrayOf('string') })
  const canonical = ['1', '-1.5', 'true', '{"a":[1,"x",null],"b":{}}', '[]', '0.000001', '123456789012345']
  const other = [
    '1.0',
    '1e3',
    '-0',
    '0.0000001',
    '{"a": 1}',
    '{"1":2}',
    '{"a":1,"a":2}',
    '["\\u0061"]',
    '12345678901234567',
  ]
  const recordsOf = (texts: readonly string[]) => texts.map((text) => `{"s":${text},"l":[${text}]}`)
  assert.deepEqual(carried(schema, 'addNewColumns', [recordsOf(canonical)]).slow, {})
  assert.deepEqual(carried(schema, 'addNewColumns', [recordsOf(other)]).slow, { value: other.length })
  // Under `rescue` the value keeps its type in the JSON of the row.
  assert.deepEqual(carried(schema, 'rescue', [['{"s":1}']]).slow, { value: 1 })
})

test('Text for binary columns that is not base64 leaves records to the conversion', () => {
  const schema = structOf({ b: 'binary' })
  const coerceValue: RowColumnsOptions['coerceValue'] = (_, value) =>
    typeof value === 'string' ? Buffer.from(value, 'hex') : value
  const { rows, slow } = carried(schema, 'addNewColumns', [['{"b":"4142"}']], { coerceValue })
  assert.deepEqual([rows, slow], [[[0, { b: 'QUI=' }]], { path: 1 }])
})
