import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowAt } from '../../../src/arrow/values.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { plainContractOf } from '../../../src/evolution/plain.ts'
import type { Decoded, Format, FormatOptions } from '../../../src/formats/format.ts'
import { bytesFormat, textFormat } from '../../../src/formats/text/plain.ts'
import { rawOf, structOf } from '../../support/flow/batches.ts'

const optionsOf = (schema: StructType, more: Partial<FormatOptions> = {}): FormatOptions => ({
  schema,
  plain: plainContractOf(schema, undefined),
  unknownFields: 'leave',
  ...more,
})

function rowsOf({ validated }: Decoded): unknown[] {
  return Array.from(validated?.records ?? [], (_, i) => validated && rowAt(validated.columns, i))
}

test('Text becomes a column; invalid UTF-8 is left to the slow way', () => {
  const schema = structOf({ value: 'string', other: 'long' })
  const format = textFormat(optionsOf(schema, { absentValues: new Map([['other', () => 7]]) }))
  const raw = rawOf(['é', '', null, '\uFEFFa\n', 'x'.repeat(500)])
  const expected = ['é', '', '\uFEFFa\n', 'x'.repeat(500)].map((value) => ({ value, other: 7 }))
  for (let i = 0; i < 2; i++) {
    const decoded = format.decode(raw)
    assert.deepEqual(rowsOf(decoded), expected)
    assert.deepEqual([decoded.slow, decoded.tombstones, decoded.objects], [undefined, 1, []])
  }
  const mixed = format.decode(rawOf(['a', Buffer.of(0xff), 'é']))
  assert.deepEqual(mixed.validated?.records, Int32Array.of(0, 2))
  assert.deepEqual([mixed.slow, mixed.deadLetters.length], [{ value: 1 }, 1])
})

test('Bytes become a binary column', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const decoded = bytesFormat(optionsOf(structOf({ value: 'binary' }))).decode(rawOf([all, Buffer.alloc(0)]))
  assert.deepEqual(rowsOf(decoded), [{ value: all.toString('base64') }, { value: '' }])
})

test('Columns of another type, and columns that need a value, need objects', () => {
  const schema = structOf({ value: 'string' })
  const reasonsOf = (format: Format): string => JSON.stringify(format.objectReasons?.())
  const required = (name: string): FormatOptions => {
    const fields = [...schema.fields, { name: 'b', type: 'long', nullable: true, metadata: {} } as const]
    const rules = fields.map((field) => ({
      name: field.name,
      type: field.type,
      required: field.name === name,
      nullable: true,
    }))
    return { schema: { type: 'struct', fields }, plain: { fields: rules, additionalProperties: true } }
  }
  const cases: readonly (readonly [Format, string, RegExp | string])[] = [
    [bytesFormat(optionsOf(schema)), 'schema', /no such column/],
    [textFormat(optionsOf(structOf({ Value: 'string' }))), 'schema', /no such column/],
    [textFormat(required('b')), 'contract', /needs a value/],
    [textFormat(optionsOf(schema, { plain: undefined })), 'path', /not plain data/],
    [textFormat(), 'path', /not plain data/],
  ]
  for (const [format, slow, reason] of cases) {
    assert.deepEqual(format.decode(rawOf(['ab'])).slow, { [slow]: 1 })
    assert.match(reasonsOf(format), new RegExp(reason))
  }
  assert.equal(reasonsOf(textFormat(required('value'))), '[]')
})

test('Text that may violate a rule of the contract is left to the contract', () => {
  const schema = structOf({ value: 'string' })
  const field = {
    name: 'value',
    type: 'string',
    json: 'string',
    required: false,
    nullable: true,
    maxLength: 1,
  } as const
  const format = textFormat(optionsOf(schema, { plain: { additionalProperties: true, fields: [field] } }))
  const { validated, slow, records } = format.decode(rawOf(['a', 'ab', 'é']))
  assert.deepEqual([validated?.records, records, slow], [Int32Array.of(0, 2), [1], { contract: 1 }])
})
