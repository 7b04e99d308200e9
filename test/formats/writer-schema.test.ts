import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Decoded, Format, FormatOptions } from '../../src/formats/format.ts'
import { avroFormat, registryFramedAvro } from '../../src/formats/avro/format.ts'
import { fingerprintOf } from '../../src/formats/avro/fingerprint.ts'
import { parseAvroSchema } from '../../src/formats/avro/schema.ts'
import { debeziumFormat } from '../../src/formats/debezium/format.ts'
import { openFormat, type FormatChoice } from '../../src/formats/open/open.ts'
import { protobufFormat, registryFramedProto } from '../../src/formats/protobuf/format.ts'
import { lazyWriterSchema } from '../../src/formats/writer-schema.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../src/registry/registry.ts'
import { containerOf } from '../support/values/avro-containers.ts'
import { encoderOf } from '../support/values/avro-values.ts'
import { VALUES } from '../support/values/csv.ts'
import { rawOf } from '../support/flow/batches.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-writers-'))
after(() => rm(folder, { recursive: true, force: true }))

const record = (...fields: readonly (readonly [string, unknown])[]): object => ({
  type: 'record',
  name: 'Row',
  fields: fields.map(([name, type]) => ({ name, type })),
})
const V1 = record(['id', 'int'])
const V2 = record(
  ['id', 'int'],
  ['price', { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 10 }],
  ['at', ['null', { type: 'long', logicalType: 'timestamp-micros' }]],
)
const oldRow = (id: number): Buffer => encoderOf(V1)({ id })
const newRow = (id: number): Buffer => encoderOf(V2)({ id, price: Buffer.of(1), at: null })
const V1_TYPES = ['id: integer']
const V2_TYPES = ['id: integer', 'price: decimal(38,10)', 'at: timestamp']

/** Returns the columns that each object's writer describes. */
function typesOf({ objects, writers }: Decoded): unknown[] {
  if (writers !== undefined) assert.equal(writers.length, objects.length)
  return objects.map((_, i) =>
    writers?.[i]?.columns.fields.map(
      ({ name, type }) => `${name}: ${JSON.stringify(type).replaceAll('"', '')}`,
    ),
  )
}

const framed = (id: number, value: Uint8Array): Buffer => Buffer.concat([Buffer.of(0, 0, 0, 0, id), value])

function registryOf(schemas: readonly object[], type: RegisteredSchema['type'] = 'AVRO'): SchemaRegistry {
  return {
    url: 'memory',
    schema: (id) => {
      const schema = schemas[Number(id) - 1]
      return Promise.resolve(schema && { type, text: JSON.stringify(schema), references: [] })
    },
    latest: () => Promise.resolve(undefined),
  }
}

async function decode(format: Format, values: readonly (Uint8Array | null)[]): Promise<Decoded> {
  const raw = rawOf(values)
  await format.prepare?.(raw)
  return format.decode(raw)
}

/** Opens a format that makes objects, which carry the schemas, unless there are `options`. */
const open = (settings: Partial<FormatChoice>, options: FormatOptions = OBJECTS): Promise<Format> =>
  openFormat({ ...VALUES, format: 'avro', framing: 'none', decompress: 'none', ...settings }, options)

/** Without plain rules every record is an object, whose writer is named. */
const OBJECTS: FormatOptions = { schema: { type: 'struct', fields: [] }, plain: undefined }

test('A value framed by the registry carries the schema of its id, old and new in one batch', async () => {
  const format = avroFormat(registryFramedAvro(registryOf([V1, V2])))
  const values = [
    framed(1, oldRow(1)),
    null,
    framed(2, newRow(2)),
    framed(9, oldRow(3)),
    framed(2, newRow(4)),
  ]
  const decoded = await decode(format, values)
  assert.deepEqual(typesOf(decoded), [V1_TYPES, V2_TYPES, V2_TYPES])
  assert.equal(decoded.deadLetters.length, 1)
  assert.equal(decoded.writers?.[1], decoded.writers?.[2], 'one schema is one object')
  const next = await decode(format, values)
  assert.equal(next.writers?.[0], decoded.writers?.[0], 'also over batches')
})

test('Each record of a container carries the schema in its header', async () => {
  const format = await open({ framing: 'container' })
  const values = [containerOf(V1, [[oldRow(1), oldRow(2)]], 'null'), containerOf(V2, [[newRow(3)]], 'null')]
  const broken = Buffer.from(values[1] as Buffer)
  broken.writeUInt8((broken.at(-1) as number) ^ 1, broken.length - 1)
  const decoded = await decode(format, [...values, broken])
  assert.deepEqual(typesOf(decoded), [V1_TYPES, V1_TYPES, V2_TYPES])
  const again = await decode(format, values)
  assert.equal(again.writers?.[2], decoded.writers?.[2], 'a header that repeats is the same object')
})

test('A single object carries the schema of its fingerprint, and a bare record that of the file', async () => {
  const [one, two] = [join(folder, 'v1.avsc'), join(folder, 'v2.avsc')]
  await Promise.all([writeFile(one, JSON.stringify(V1)), writeFile(two, JSON.stringify(V2))])
  const single = (schema: object, value: Buffer): Buffer => {
    const header = Buffer.of(0xc3, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    header.writeBigUInt64LE(fingerprintOf(parseAvroSchema(schema, 'test')), 2)
    return Buffer.concat([header, value])
  }
  const objects = await open({ framing: 'single-object', avro: { schemas: folder } })
  const decoded = await decode(objects, [single(V2, newRow(1)), single(V1, oldRow(2))])
  assert.deepEqual(typesOf(decoded), [V2_TYPES, V1_TYPES])
  const bare = await decode(await open({ avro: { schema: two } }), [newRow(1)])
  assert.deepEqual(typesOf(bare), [V2_TYPES])
})

test('With a reader’s schema all records carry that one; kafka-delta-ingest takes no columns from schemas', async () => {
  const path = join(folder, 'reader.avsc')
  await writeFile(path, JSON.stringify(V1))
  const values = [containerOf(V2, [[newRow(1)]], 'null'), containerOf(V1, [[oldRow(2)]], 'null')]
  const resolved = await decode(await open({ framing: 'container', avro: { readerSchema: path } }), values)
  assert.deepEqual(typesOf(resolved), [V1_TYPES, V1_TYPES])
  assert.equal(resolved.writers?.[0], resolved.writers?.[1])
  const ingest = await open({ framing: 'container', compatibility: 'kafka-delta-ingest' })
  assert.equal((await decode(ingest, values)).writers, undefined)
})

test('In a list of formats each object keeps its own schema, and one without a schema has none', async () => {
  const format = await open({ formats: ['json', 'avro'] })
  const values = [
    Buffer.from('{"id":1,"price":2}'),
    containerOf(V2, [[newRow(2), newRow(3)]], 'null'),
    Buffer.from('{"id":"x"}'),
    containerOf(V1, [[oldRow(4)]], 'null'),
  ]
  const decoded = await decode(format, values)
  const types = typesOf(decoded)
  assert.deepEqual(
    decoded.objects.map((object, i) => [(object as { id: unknown }).id, types[i]]),
    [
      [1, undefined],
      [2, V2_TYPES],
      [3, V2_TYPES],
      ['x', undefined],
      [4, V1_TYPES],
    ],
  )
  assert.equal((await decode(format, [values[0] as Buffer])).writers, undefined)
})

test('A compressed value carries its schema as well', async () => {
  const format = await open({ framing: 'container', decompress: 'gzip' })
  const { gzipSync } = await import('node:zlib')
  const decoded = await decode(format, [gzipSync(containerOf(V2, [[newRow(1)]], 'null'))])
  assert.deepEqual(typesOf(decoded), [V2_TYPES])
})

test('The row of an event carries the columns of its state and of the event; filtered events leave no gap', async () => {
  const event = (row: object): object => ({
    type: 'record',
    name: 'Envelope',
    fields: [
      { name: 'before', type: ['null', row] },
      { name: 'after', type: ['null', 'Row'] },
      { name: 'op', type: 'string' },
    ],
  })
  const [one, two] = [event(V1), event(V2)]
  const inner = avroFormat(registryFramedAvro(registryOf([one, two])))
  const format = debeziumFormat(inner, { fields: ['ts_ms'] }, { schema: { type: 'struct', fields: [] } })
  const row = { id: 1, price: Buffer.of(1), at: null }
  const values = [
    framed(2, encoderOf(two)({ before: null, after: null, op: 't' })),
    framed(1, encoderOf(one)({ before: null, after: { Row: { id: 1 } }, op: 'c' })),
    framed(1, encoderOf(one)({ before: null, after: null, op: 'c' })),
    framed(2, encoderOf(two)({ before: { Row: row }, after: null, op: 'd' })),
    framed(2, encoderOf(two)({ before: null, after: { Row: row }, op: 'u' })),
  ]
  const decoded = await decode(format, values)
  const added = ['__ts_ms: long', '__deleted: boolean']
  assert.deepEqual(typesOf(decoded), [
    [...V1_TYPES, ...added],
    [...V2_TYPES, ...added],
    [...V2_TYPES, ...added],
  ])
  assert.equal(decoded.writers?.[1], decoded.writers?.[2], 'one schema of events is one schema of rows')
})

const PROTO_V1 = 'syntax = "proto3"; message Row { int32 id = 1; } message Other { bytes raw = 1; }'
const PROTO_V2 = `syntax = "proto3"; import "google/protobuf/timestamp.proto"; message Row {
  int32 id = 1; google.protobuf.Timestamp at = 2; map<string, uint64> counts = 3; repeated In ins = 4;
  message In { bytes raw = 1; } }`
const PROTO_V2_TYPES = [
  'id: integer',
  'at: timestamp',
  'counts: {type:map,keyType:string,valueType:decimal(20,0),valueContainsNull:true}',
  'ins: {type:array,elementType:{type:struct,fields:[{name:raw,type:binary,nullable:true,metadata:{}}]},containsNull:true}',
]

test('A Protobuf value carries the columns of its message in the schema of its id', async () => {
  const registry: SchemaRegistry = {
    url: 'memory',
    schema: (id) =>
      Promise.resolve({ type: 'PROTOBUF', text: id === 1 ? PROTO_V1 : PROTO_V2, references: [] }),
    latest: () => Promise.resolve(undefined),
  }
  const format = protobufFormat(registryFramedProto(registry))
  const first = Buffer.of(0, 8, 1)
  const other = Buffer.of(2, 2, 0x0a, 1, 5)
  const values = [
    framed(2, first),
    framed(1, first),
    framed(1, other),
    framed(2, Buffer.of(0)),
    framed(1, first),
  ]
  const decoded = await decode(format, values)
  assert.deepEqual(typesOf(decoded), [
    PROTO_V2_TYPES,
    ['id: integer'],
    ['raw: binary'],
    PROTO_V2_TYPES,
    ['id: integer'],
  ])
  assert.equal(decoded.writers?.[1], decoded.writers?.[4], 'one message of one schema is one object')
})

test('A bare Protobuf value carries the columns of the file’s message', async () => {
  const path = join(folder, 'row.proto')
  await writeFile(path, PROTO_V2)
  const decoded = await decode(await open({ format: 'protobuf', protobuf: { schema: path } }, OBJECTS), [
    Buffer.of(8, 1),
  ])
  assert.deepEqual(typesOf(decoded), [PROTO_V2_TYPES])
})

test('The row of a Protobuf event carries the columns of its state', async () => {
  const text = `syntax = "proto3"; message Envelope { Row before = 1; Row after = 2; string op = 3;
    message Row { int64 id = 1; uint32 size = 2; } }`
  const registry = {
    ...registryOf([]),
    schema: () => Promise.resolve({ type: 'PROTOBUF', text, references: [] } as const),
  }
  const inner = protobufFormat(registryFramedProto(registry))
  const format = debeziumFormat(inner, { fields: [] }, { schema: { type: 'struct', fields: [] } })
  const decoded = await decode(format, [framed(1, Buffer.of(0, 0x12, 2, 8, 1, 0x1a, 1, 0x63))])
  assert.deepEqual(typesOf(decoded), [['id: long', 'size: long', '__deleted: boolean']])
})

test('The columns of a schema are made when they are first read, and once', () => {
  let made = 0
  const writer = lazyWriterSchema(() => {
    made++
    return { columns: { type: 'struct', fields: [] }, columnFaults: [{ path: ['a'], message: 'no' }] }
  })
  assert.equal(made, 0)
  assert.equal(writer.columns, writer.columns)
  assert.deepEqual(writer.columnFaults, [{ path: ['a'], message: 'no' }])
  assert.equal(made, 1)
})

test('A field that can be no column is named beside the columns that can', async () => {
  const schema = record(
    ['id', 'int'],
    ['nulls', { type: 'array', items: 'null' }],
    [
      'in',
      {
        type: 'record',
        name: 'In',
        fields: [
          { name: 'map', type: { type: 'map', values: 'null' } },
          { name: 'x', type: 'int' },
        ],
      },
    ],
  )
  const format = avroFormat(registryFramedAvro(registryOf([schema])))
  const value = encoderOf(schema)({ id: 1, nulls: [], in: { map: {}, x: 2 } })
  const [writer] = (await decode(format, [framed(1, value)])).writers ?? []
  assert.ok(writer !== undefined)
  assert.deepEqual(
    writer.columnFaults?.map(({ path, message }) => `${path.join('.')}: ${message}`),
    ['nulls: an array of nulls cannot be a column', 'in.map: a map of nulls cannot be a column'],
  )
  assert.deepEqual(
    writer.columns.fields.map(({ name }) => name),
    ['id', 'in'],
  )
})
