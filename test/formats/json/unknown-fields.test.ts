import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowAt } from '../../../src/arrow/values.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import type { FormatOptions } from '../../../src/formats/format.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { rawOf, structOf } from '../../support/flow/batches.ts'

const contract = loadContract(
  {
    type: 'object',
    properties: { a: { type: 'integer' }, o: { type: 'object', properties: { b: { type: 'string' } } } },
  },
  { source: 'test' },
)
const RECORDS = [
  '{"a":1,"x":{"y":[1]},"z":null}',
  '{"a":2,"o":{"b":"t","c":1}}',
  '{"a":3}',
  '{"a":"no","x":1}',
  '{"A":4}',
]

function decodedBy(unknown: FormatOptions['unknown']): readonly unknown[] {
  const { schema, plain } = contract
  const format = jsonFormat({ schema, plain, ...(unknown === undefined ? {} : { unknown }) })
  const { proven, records, droppedFields } = format.decode(rawOf(RECORDS))
  return [[...(proven?.records ?? [])], records, droppedFields]
}

test('Fields that the contract does not name are left out by bytes, and counted where that is asked for', () => {
  assert.deepEqual(decodedBy(undefined), [[0, 1, 2, 4], [3], undefined])
  // A name that differs by case alone is for a closer look, and what a record that is left had is not counted here.
  assert.deepEqual(decodedBy('count'), [[0, 1, 2], [3, 4], 3])
})

test('A record with such a field is left for a closer look, at any depth', () => {
  assert.deepEqual(decodedBy('leave'), [[2], [0, 1, 3, 4], undefined])
})

test('Columns that come while a stream runs are read by bytes from the next batch on', () => {
  const options: { schema: FormatOptions['schema']; plain: FormatOptions['plain'] } = {
    schema: contract.schema,
    plain: contract.plain,
  }
  const format = jsonFormat(options)
  format.decode(rawOf(RECORDS))
  options.schema = structOf({ z: 'boolean' })
  options.plain = {
    fields: [{ name: 'z', type: 'boolean', json: 'boolean', nullable: true, required: false }],
    additionalProperties: true,
  }
  const { proven } = format.decode(rawOf(['{"z":true,"a":1}']))
  assert.deepEqual(proven && rowAt(proven.columns, 0), { z: true })
})
