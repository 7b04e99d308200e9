import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainContractOf } from '../../../src/evolution/plain.ts'
import type { StructType } from '../../../src/core/schema.ts'
import type { Decoded, Format, FormatOptions } from '../../../src/formats/format.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { jsonLinesFormat } from '../../../src/formats/json/lines.ts'
import { contractOfRegisteredJson } from '../../../src/formats/json/registered-json.ts'
import { jsonWriterSchema, registeredJsonFormat } from '../../../src/formats/json/registry-json.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../../src/registry/registry.ts'
import { rawOf } from '../../support/flow/batches.ts'

const json = (schema: object): RegisteredSchema => ({
  type: 'JSON',
  text: JSON.stringify(schema),
  references: [],
})
const V1 = json({
  type: 'object',
  properties: { id: { type: 'integer' } },
  required: ['id'],
  additionalProperties: false,
})
const V2 = json({
  type: 'object',
  properties: {
    id: { type: 'integer' },
    price: { type: 'number' },
    at: { type: 'string', format: 'date-time' },
    in: { type: 'object', properties: { tags: { type: 'array', items: { type: 'string' } } } },
  },
  required: ['id'],
})
const ANYTHING = json({ type: 'object', properties: { id: { type: 'integer' }, free: {} } })
const SCHEMAS = [V1, V2, ANYTHING]

const registry: SchemaRegistry = {
  url: 'memory',
  schema: (id) => Promise.resolve(SCHEMAS[Number(id) - 1]),
  latest: () => Promise.resolve(undefined),
}
/** Returns the options of a table with the columns of a schema, under `addNewColumns`. */
function optionsOf(schema: RegisteredSchema): FormatOptions {
  const { schema: columns, plain } = contractOfRegisteredJson(schema, 'test')
  return { schema: columns, plain, unknownFields: 'leave' }
}
const framed = (id: number, text: string): Buffer =>
  Buffer.concat([Buffer.of(0, 0, 0, 0, id), Buffer.from(text)])

async function decode(format: Format, values: readonly (Uint8Array | null)[]): Promise<Decoded> {
  const raw = rawOf(values)
  await format.prepare?.(raw)
  return format.decode(raw)
}

/** Returns the rows that were read directly, the objects, and the names of the columns of their schemas. */
const outcome = ({ validated, objects, writers }: Decoded): readonly unknown[] => [
  [...(validated?.records ?? [])],
  objects,
  writers?.map((writer) => writer?.columns.fields.map(({ name }) => name).join()),
]

test('Values of the schema that defines the columns are read directly; a new version makes objects that name it', async () => {
  const format = registeredJsonFormat(jsonFormat, optionsOf(V1), registry)
  assert.deepEqual(outcome(await decode(format, [framed(1, '{"id":1}'), null, framed(1, '{"id":2}')])), [
    [0, 2],
    [],
    undefined,
  ])
  const mixed = await decode(format, [
    framed(1, '{"id":1}'),
    framed(2, '{"id":2,"price":2}'),
    framed(2, '{"id":3}'),
  ])
  assert.deepEqual(outcome(mixed), [
    [],
    [{ id: 1 }, { id: 2, price: 2 }, { id: 3 }],
    ['id', 'id,price,at,in', 'id,price,at,in'],
  ])
  assert.equal(mixed.writers?.[1], mixed.writers?.[2], 'one schema is one object')
})

test('Once the table has all columns of the new version, both are read directly', async () => {
  let options = optionsOf(V1)
  const format = registeredJsonFormat(jsonFormat, { current: () => options }, registry)
  const values = [framed(1, '{"id":1}'), framed(2, '{"id":2,"price":2.5}')]
  assert.equal((await decode(format, values)).objects.length, 2)
  options = optionsOf(V2)
  assert.deepEqual(outcome(await decode(format, values)), [[0, 1], [], undefined])
})

test('Batches that wait for columns are counted as such, and the format has the reasons of the one inside', async () => {
  const format = registeredJsonFormat(jsonFormat, optionsOf(V1), registry)
  const { slow } = await decode(format, [framed(2, '{"id":1}'), framed(1, '{"id":1}'), null])
  assert.deepEqual(slow, { schema: 2 })
  assert.deepEqual(format.objectReasons?.(), [])
  assert.deepEqual((await decode(format, [framed(1, '{"id":"x"}'), framed(1, '{"id":1}')])).slow, {
    value: 1,
  })
})

test('A column that is missing inside a struct, or has another type, counts as missing; a wider one does not', async () => {
  const { schema } = optionsOf(V2)
  const column = (name: string, type: StructType['fields'][number]['type']): FormatOptions => {
    const fields = schema.fields.map((field) => (field.name === name ? { ...field, type } : field))
    const columns: StructType = { type: 'struct', fields }
    return { schema: columns, plain: plainContractOf(columns, undefined), unknownFields: 'leave' }
  }
  const objects = async (options: FormatOptions): Promise<number> =>
    (await decode(registeredJsonFormat(jsonFormat, options, registry), [framed(2, '{"id":1}')])).objects
      .length
  assert.equal(await objects(column('in', { type: 'struct', fields: [] })), 1)
  assert.equal(await objects(column('in', 'string')), 1)
  assert.equal(await objects(column('at', 'string')), 1)
  assert.equal(await objects(column('price', 'double')), 0)
})

test('Where unknown fields are left out, no columns are missing', async () => {
  const options = { ...optionsOf(V1), unknownFields: 'count' } as const
  const { validated } = await decode(registeredJsonFormat(jsonFormat, options, registry), [
    framed(2, '{"id":1}'),
  ])
  assert.equal(validated?.records.length, 1)
})

test('Each line of a message carries the schema of its message', async () => {
  const lines = registeredJsonFormat((options) => jsonLinesFormat(options, 100), optionsOf(V1), registry)
  const values = [framed(2, '{"id":1}\n{"id":2,"price":2}'), null, framed(1, '{"id":3}\n\n{"id":4}')]
  const [, objects, writers] = outcome(await decode(lines, values))
  assert.deepEqual(objects, [{ id: 1 }, { id: 2, price: 2 }, { id: 3 }, { id: 4 }])
  assert.deepEqual(writers, ['id,price,at,in', 'id,price,at,in', 'id', 'id'])
})

test('A value is checked by its own schema, and one of an unknown id by none', async () => {
  const format = registeredJsonFormat(jsonFormat, { ...optionsOf(V2), plain: undefined }, registry)
  const { writers, objects } = await decode(format, [
    framed(1, '{"id":1,"x":1}'),
    framed(2, '{"id":1,"x":1}'),
    framed(9, '{}'),
  ])
  assert.deepEqual(
    objects.map((object, i) => writers?.[i]?.check?.(object as object) !== undefined),
    [true, false, false],
  )
  assert.equal(writers?.[2], undefined)
})

test('A schema that no columns can be derived from has none, and says why', () => {
  for (const [schema, reason] of [
    [ANYTHING, /free/],
    [{ ...V1, type: 'AVRO' }, /expected a JSON Schema, got type AVRO/],
    [{ ...V1, text: '{' }, /JSON/],
  ] as const) {
    const { columns, columnFaults, check } = jsonWriterSchema(schema, 'test')
    assert.deepEqual(columns.fields, [])
    assert.deepEqual(columnFaults?.[0]?.path, [])
    assert.match(columnFaults[0].message, reason)
    assert.equal(check?.({}), undefined)
  }
})
