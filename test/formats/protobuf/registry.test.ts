import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobuf from 'protobufjs'
import 'protobufjs/ext/descriptor.js'
import { contractOfTable } from '../../../src/contract/table-contract.ts'
import { protobufFormat, registryFramedProto } from '../../../src/formats/protobuf/format.ts'
import type { Format } from '../../../src/formats/format.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../../src/registry/registry.ts'
import { formatContract } from '../../contracts/format.ts'
import { rawOf, structOf } from '../../support/flow/batches.ts'
import { outcomesOf, type Outcome } from '../../support/flow/outcomes.ts'

const TEXT = `syntax = "proto3"; package t;
  message First { int32 n = 1; }
  message Second { message Deep { string s = 1; } enum E { A = 0; } Deep d = 1; repeated int32 list = 16; }`
const TREE =
  'syntax = "proto3"; message Tree { int32 n = 1; repeated Tree more = 2; } message Leaf { int32 n = 1; }'

/** Returns a registry with these schemas, whose ids start at 1. */
function registryOf(...schemas: readonly RegisteredSchema[]): SchemaRegistry {
  return {
    url: 'http://registry',
    schema: (id) => Promise.resolve(schemas[Number(id) - 1]),
    latest: () => Promise.resolve(schemas.at(-1)),
  }
}
const proto = (text: string, references: RegisteredSchema['references'] = []): RegisteredSchema => ({
  type: 'PROTOBUF',
  text,
  references,
})

/** Returns a format that has already loaded the schemas of values with the ids `ids`. */
async function opened(registry: SchemaRegistry, ids: readonly number[], only?: string): Promise<Format> {
  const format = protobufFormat(registryFramedProto(registry, only))
  await format.prepare?.(rawOf(ids.map((id) => framed(id, ''))))
  return format
}
const framed = (id: number, hex: string): Buffer =>
  Buffer.concat([Buffer.of(0, 0, 0, 0, id), Buffer.from(hex, 'hex')])

const contract = contractOfTable(
  structOf({
    n: 'integer',
    s: 'string',
    list: { type: 'array', elementType: 'integer', containsNull: true },
  }),
)
const shared = await opened(registryOf(proto(TEXT)), [1])
const ROW = { n: null, s: null, list: null }

formatContract({
  name: 'Protobuf with schema ids',
  // All schemas are cached, so nothing is requested.
  open: () => ({ name: shared.name, decode: (raw) => shared.decode(raw) }),
  contract,
  good: [
    { bytes: framed(1, '000805'), row: { ...ROW, n: 5 } },
    { bytes: framed(1, '02000805'), row: { ...ROW, n: 5 } },
    { bytes: framed(1, '0202800101'), row: { ...ROW, list: [1] } },
    { bytes: framed(1, '0402000a0161'), row: { ...ROW, s: 'a' } },
    // As the JavaScript client writes it.
    { bytes: framed(1, '0805'), row: { ...ROW, n: 5 } },
    { bytes: framed(1, ''), row: { ...ROW, n: 0 } },
  ],
  bad: [
    Buffer.from('0805', 'hex'),
    Buffer.of(0, 0, 0),
    framed(1, '02040805'),
    framed(1, '040200'.slice(0, 4)),
    framed(1, '0201'),
    framed(1, '0608'),
    framed(9, '000805'),
  ],
})

async function outcomes(
  schemas: readonly RegisteredSchema[],
  values: readonly (readonly [id: number, hex: string])[],
  only?: string,
): Promise<Outcome[]> {
  const format = await opened(
    registryOf(...schemas),
    values.map(([id]) => id),
    only,
  )
  return outcomesOf(format, contract, rawOf(values.map(([id, hex]) => framed(id, hex))))
}

test('With a configured message, other messages of the schema are refused', async () => {
  const found = await outcomes(
    [proto(TEXT)],
    [
      [1, '000805'],
      [1, '0402000a0161'],
    ],
    't.Second.Deep',
  )
  assert.deepEqual(found, [
    { reason: 'decode', message: 'expected the message t.Second.Deep, got t.First' },
    { row: { ...ROW, s: 'a' } },
  ])
})

test('A recursive message is decoded, like other messages of its schema', async () => {
  const [tree, leaf] = await outcomes(
    [proto(TREE)],
    [
      [1, '000805'],
      [1, '02020805'],
    ],
  )
  assert.deepEqual(tree, { row: { ...ROW, n: 5 } })
  assert.deepEqual(leaf, { row: { ...ROW, n: 5 } })
})

test('Each id of a topic is decoded with its own schema, whether text or descriptor', async () => {
  const later = 'syntax = "proto3"; package t; message First { int32 n = 1; string s = 2; }'
  const { root } = protobuf.parse(TEXT, { keepCase: true })
  root.resolveAll()
  const descriptor = root.toDescriptor('proto3')
  const files = (descriptor as unknown as { file: { $type: protobuf.Type }[] }).file
  const [file] = files.filter((each) => (each as unknown as { package: string }).package === 't')
  assert.ok(file !== undefined, 'the file is described')
  const encoded = Buffer.from(file.$type.encode(file as never).finish()).toString('base64')
  const found = await outcomes(
    [proto(TEXT), proto(later), proto(encoded)],
    [
      [1, '000805'],
      [2, '000806120178'],
      [3, '0402000a0161'],
      [1, '000807120178'],
    ],
  )
  assert.deepEqual(found, [
    { row: { ...ROW, n: 5 } },
    { row: { ...ROW, n: 6, s: 'x' } },
    { row: { ...ROW, s: 'a' } },
    { row: { ...ROW, n: 7 } },
  ])
})

test('Schemas that are not Protobuf, are invalid, or miss an import make dead letters with the reason', async () => {
  const found = await outcomes(
    [
      { type: 'AVRO', text: '"int"', references: [] },
      proto('massage M {}'),
      proto('syntax = "proto3"; import "a.proto"; message M { A a = 1; }'),
    ],
    [
      [1, '00'],
      [2, '00'],
      [3, '00'],
    ],
  )
  for (const [index, pattern] of [
    /expected a Protobuf schema, got type AVRO/,
    /illegal token 'massage'/,
    /no such type: A|no such Type or Enum 'A'/,
  ].entries())
    assert.match(JSON.stringify(found[index]), pattern)
})

test('Imports are resolved from the references of a schema, for descriptors and text alike', async () => {
  const money = { name: 'money.proto', text: 'syntax = "proto3"; package m; message Money { int32 n = 1; }' }
  const text =
    'syntax = "proto3"; import "money.proto"; message M { int32 n = 1; m.Money price = 2; } message Other { string s = 1; }'
  assert.deepEqual(
    await outcomes(
      [proto(text, [money])],
      [
        [1, '000805'],
        [1, '02020a0161'],
      ],
    ),
    [{ row: { ...ROW, n: 5 } }, { row: { ...ROW, s: 'a' } }],
  )
})
