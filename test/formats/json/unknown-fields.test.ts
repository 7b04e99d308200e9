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

function decodedBy(unknown: FormatOptions['unknownFields']): readonly unknown[] {
  const { schema, plain } = contract
  const format = jsonFormat({ schema, plain, ...(unknown === undefined ? {} : { unknownFields: unknown }) })
  const { validated, records, droppedFields } = format.decode(rawOf(RECORDS))
  return [[...(validated?.records ?? [])], records, droppedFields]
}

test('Fields that the contract does not name are left out of columns, and counted if requested', () => {
  assert.deepEqual(decodedBy(undefined), [[0, 1, 2, 4], [3], undefined])
  // A name that differs only in case is left to the contract, and the fields of a record left to it are not counted
  // here.
  assert.deepEqual(decodedBy('count'), [[0, 1, 2], [3, 4], 3])
})

test('With `leave`, a record with an unknown field at any depth is parsed into an object', () => {
  assert.deepEqual(decodedBy('leave'), [[2], [0, 1, 3, 4], undefined])
})

test('Columns added while a stream runs are filled from the next batch on', () => {
  let columns: FormatOptions = { schema: contract.schema, plain: contract.plain }
  const format = jsonFormat({ current: () => columns })
  format.decode(rawOf(RECORDS))
  columns = {
    schema: structOf({ z: 'boolean' }),
    plain: {
      fields: [{ name: 'z', type: 'boolean', json: 'boolean', nullable: true, required: false }],
      additionalProperties: true,
    },
  }
  const { validated } = format.decode(rawOf(['{"z":true,"a":1}']))
  assert.deepEqual(validated && rowAt(validated.columns, 0), { z: true })
})

test('A batch that fails leaves no rows behind for the next batch, such as that of another subscription', () => {
  let failures = 1
  const fallback = (): unknown => {
    if (failures-- > 0) throw new Error('no default')
    return 7
  }
  const options = { schema: contract.schema, plain: contract.plain, absentValues: new Map([['a', fallback]]) }
  const format = jsonFormat(options)
  assert.throws(() => format.decode(rawOf(['{"a":1}', '{"a":2}', '{}'])), /no default/)
  const { validated } = format.decode(rawOf(['{}', '{"a":3}']))
  assert.deepEqual([...(validated?.records ?? [])], [0, 1])
  assert.deepEqual(
    validated && [0, 1].map((row) => (rowAt(validated.columns, row) as { readonly a: unknown }).a),
    [7, 3],
  )
})
