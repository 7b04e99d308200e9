import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toRecordBatch, toArrowSchema } from '../../../src/arrow/record-batch.ts'
import { avroContract, avroWriterSchema } from '../../../src/formats/avro/columns.ts'
import { AvroCursor } from '../../../src/formats/avro/cursor.ts'
import { fingerprintOf } from '../../../src/formats/avro/fingerprint.ts'
import { avroReader } from '../../../src/formats/avro/read.ts'
import { resolvingReader } from '../../../src/formats/avro/resolve.ts'
import { parseAvroSchema, type AvroNode } from '../../../src/formats/avro/schema.ts'
import { openBlockCodecs } from '../../../src/formats/avro/container.ts'
import { containerFormat } from '../../../src/formats/avro/container-format.ts'
import { avroFormat, unframedAvro, singleObjectAvro } from '../../../src/formats/avro/format.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import { encodeParquet } from '../../../src/parquet/writer.ts'
import { formatContract } from '../../contracts/format.ts'
import { BLOCK_CODECS, containerOf } from '../../support/values/avro-containers.ts'
import { changesOfFields, encoderOf, evolved, recordsOfAnySchema } from '../../support/values/avro-values.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { askDuckdb, plain } from '../../support/duckdb.ts'
import { decodedRows, outcomesOf, outcomesOfRows } from '../../support/flow/outcomes.ts'

const SCHEMA = {
  type: 'record',
  name: 'Event',
  namespace: 'test',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['VIEW', 'BUY'] } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    {
      name: 'price',
      type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 }],
      default: null,
    },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'counts', type: { type: 'map', values: 'long' } },
    { name: 'other', type: ['null', 'string', 'int'], default: null },
    { name: 'before', type: ['null', 'Kind'], default: null },
  ],
}
const schema = parseAvroSchema(SCHEMA, 'test')
const contract = avroContract(schema, 'test')
const encode = encoderOf(SCHEMA)
const EVENT = {
  id: 2n ** 53n + 1n,
  kind: 'BUY',
  at: 1_700_000_000_123n,
  price: { bytes: Buffer.from('04d2', 'hex') },
  tags: ['a', 'é'],
  counts: { x: -1n },
  other: { int: 5 },
  before: { 'test.Kind': 'VIEW' },
}
const ROW = {
  id: 2n ** 53n + 1n,
  kind: 'BUY',
  at: '2023-11-14T22:13:20.123000Z',
  price: new ExactNumber('12.34'),
  tags: ['a', 'é'],
  counts: { x: -1 },
  other: { member0: null, member1: 5 },
  before: 'VIEW',
}
const EMPTY = { ...EVENT, id: 0n, price: null, tags: [], counts: {}, other: null, before: null }
const EMPTY_ROW = { ...ROW, id: 0, price: null, tags: [], counts: {}, other: null, before: null }
const event = encode(EVENT)

formatContract({
  name: 'Avro without a frame',
  open: () => avroFormat(unframedAvro(schema)),
  contract,
  good: [
    { bytes: event, row: ROW },
    { bytes: encode(EMPTY), row: EMPTY_ROW },
  ],
  bad: [
    Buffer.alloc(0),
    event.subarray(0, -1),
    Buffer.concat([event, Buffer.alloc(1)]),
    Buffer.alloc(40, 0xff),
  ],
})

const header = Buffer.alloc(10)
header.writeUInt16BE(0xc301)
header.writeBigUInt64LE(fingerprintOf(schema), 2)
const other = parseAvroSchema(
  { type: 'record', name: 'Other', fields: [{ name: 'id', type: 'int' }] },
  'test',
)
const otherHeader = Buffer.from(header)
otherHeader.writeBigUInt64LE(fingerprintOf(other), 2)

formatContract({
  name: 'Avro single objects of two schemas',
  open: () => avroFormat(singleObjectAvro([schema, other])),
  contract,
  good: [
    { bytes: Buffer.concat([header, event]), row: ROW },
    {
      bytes: Buffer.concat([otherHeader, Buffer.of(14)]),
      row: { ...Object.fromEntries(Object.keys(ROW).map((name) => [name, null])), id: 7 },
    },
  ],
  bad: [event, header, header.subarray(0, 9), Buffer.concat([header.subarray(0, 9), Buffer.of(0), event])],
})

test('An unknown fingerprint is named in the dead letter', () => {
  const value = Buffer.concat([Buffer.from('c3010102030405060708', 'hex'), event])
  const [outcome] = outcomesOf(avroFormat(singleObjectAvro([schema])), contract, rawOf([value]))
  assert.deepEqual(outcome, {
    reason: 'decode',
    message: 'expected the fingerprint of one of 1 schemas, got 0807060504030201',
  })
})

test('Counts and lengths beyond the bytes allocate no memory', () => {
  const nulls = parseAvroSchema(
    {
      type: 'record',
      name: 'N',
      fields: [
        { name: 'n', type: { type: 'array', items: 'null' } },
        { name: 'i', type: 'int' },
      ],
    },
    'test',
  )
  const format = avroFormat(unframedAvro(nulls))
  // A block of a billion nulls, which take no bytes.
  const bomb = Buffer.from('80a8d6b90700', 'hex')
  const decoded = format.decode(rawOf([bomb]))
  assert.match(decoded.deadLetters[0]?.message ?? '', /expected an array, got \d+ items in 1 bytes/)
})

test('Generated records of generated schemas, unframed, in containers or for a reader schema, encoded by another library, have equal values when DuckDB reads the Parquet file', async (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}; TEST_SEED=${seed} repeats it`)
  const codecs = await openBlockCodecs()
  const ways = fc.constantFrom('bare', ...Object.keys(BLOCK_CODECS))
  await fc.assert(
    fc.asyncProperty(
      recordsOfAnySchema,
      ways,
      fc.option(changesOfFields),
      async ({ schema: json, pairs }, way, changes) => {
        const later = changes === null ? undefined : evolved(json, changes)
        const reader = parseAvroSchema(later?.schema ?? json, 'generated')
        const generated = avroContract(reader, 'generated')
        const toBytes = encoderOf(json)
        const encoded = pairs.map(([value]) => toBytes(value))
        const readerOf = (writer: AvroNode) => ({
          read: later === undefined ? avroReader(writer) : resolvingReader(writer, reader),
        })
        const containers = containerFormat({
          readerOf: (text) => readerOf(parseAvroSchema(JSON.parse(text.toString()), 'header')),
          codecs,
          recordsMax: 100,
          bytesMax: 1 << 24,
        })
        const [format, values] =
          way === 'bare'
            ? [avroFormat(unframedAvro(parseAvroSchema(json, 'generated'), readerOf)), encoded]
            : [containers, [containerOf(json, [encoded.slice(0, 2), encoded.slice(2)], way)]]
        const decoded = decodedRows(format, generated, rawOf(values))
        const rows = pairs
          .map(([, row]) => row as Record<string, unknown>)
          .map((row) => later?.rowOf(row) ?? row)
        assert.deepEqual(
          outcomesOfRows(decoded),
          rows.map((row) => ({ row })),
        )
        const { columns, length } = decoded.columns
        const batch = toRecordBatch(toArrowSchema(generated.schema), columns, length)
        const pieces: Uint8Array[] = []
        for await (const piece of encodeParquet([batch], { compression: 'zstd', rowGroupRows: 100 }))
          pieces.push(piece)
        const read = await askDuckdb(Buffer.concat(pieces), 'SELECT * FROM FILE')
        const names = generated.schema.fields.map(({ name }) => name)
        assert.deepEqual(
          read.map((found): Record<string, unknown> =>
            Object.fromEntries(names.map((name, i) => [name, plain(found[i] ?? null)])),
          ),
          rows,
        )
      },
    ),
    { seed, numRuns: 60 },
  )
})

const RECORD = (fields: readonly unknown[]): unknown => ({ type: 'record', name: 'R', fields })
const FIELD = (type: unknown): unknown => RECORD([{ name: 'f', type }])
for (const [what, json, pattern] of [
  ['A recursive schema', FIELD(['null', 'R']), /\/f: "R" is recursive, and a table column cannot be/],
  ['An undefined name', FIELD('Nope'), /\/f: "Nope" is not a known type/],
  [
    'Two fields that differ only in case',
    RECORD([
      { name: 'a', type: 'int' },
      { name: 'A', type: 'int' },
    ]),
    /\/A: cannot be a column/,
  ],
  [
    'A decimal of 39 digits',
    FIELD({ type: 'bytes', logicalType: 'decimal', precision: 39 }),
    /a decimal of 39 digits/,
  ],
  ['An array of nulls', FIELD({ type: 'array', items: 'null' }), /\/f: an array of nulls cannot be a column/],
  [
    'A name that occurs twice',
    RECORD([
      { name: 'a', type: 'int' },
      { name: 'a', type: 'int' },
    ]),
    /\/a: has its name twice/,
  ],
  ['A reserved name', RECORD([{ name: '__proto__', type: 'int' }]), /\/__proto__: cannot be a column/],
  [
    'A decimal of 1,001 digits',
    FIELD({ type: 'bytes', logicalType: 'decimal', precision: 1001 }),
    /a decimal of 1001 digits; at most 1000 can be read/,
  ],
  ['A union inside a union', FIELD(['null', ['int']]), /\/f: is a union inside a union/],
  [
    'Two branches of one type',
    FIELD(['int', { type: 'int', logicalType: 'date' }]),
    /\/f: has "int" twice in one union/,
  ],
  [
    'A type defined twice',
    RECORD([
      { name: 'a', type: { type: 'fixed', name: 'F', size: 1 } },
      { name: 'b', type: { type: 'fixed', name: 'F', size: 2 } },
    ]),
    /\/b: defines "F" twice/,
  ],
  ['A schema that is not a record', 'int', /a row is a record, got int/],
  ['JSON that is not a schema', 5, /expected a schema/],
] as const) {
  test(`${what} is refused with its location`, () => {
    assert.throws(
      () => avroContract(parseAvroSchema(json, 'schema.avsc'), 'schema.avsc'),
      (error) =>
        error instanceof PipelineError && error.code === 'KD_CONTRACT_INVALID' && pattern.test(error.message),
    )
  })
}

test('A logical type that does not fit its underlying type is ignored', () => {
  const contractOf = (type: unknown) =>
    avroContract(parseAvroSchema(FIELD(type), 'test'), 'test').schema.fields[0]?.type
  assert.equal(contractOf({ type: 'string', logicalType: 'date' }), 'string')
  assert.equal(contractOf({ type: 'bytes', logicalType: 'decimal' }), 'binary')
  assert.equal(contractOf({ type: 'long', logicalType: 'time-micros' }), 'long')
  assert.equal(contractOf({ type: { type: 'string' } }), 'string')
})

/** Reads a value of the schema as a whole row. */
const rowOf = (json: unknown, value: unknown): unknown =>
  avroReader(parseAvroSchema(json, 'test'))(new AvroCursor(encoderOf(json)(value)))

const EMPTY_RECORD = { type: 'record', name: 'E', fields: [] }
const NULLS = { type: 'record', name: 'N', fields: [{ name: 'n', type: 'null' }] }
for (const [what, type, value, row, column] of [
  ['A record without fields', EMPTY_RECORD, {}, true, 'boolean'],
  ['A record of nulls', NULLS, { n: null }, true, 'boolean'],
  ['A missing record without fields', ['null', EMPTY_RECORD], null, null, 'boolean'],
  ['A present one', ['null', EMPTY_RECORD], { E: {} }, true, 'boolean'],
  [
    'A list of records without fields',
    { type: 'array', items: EMPTY_RECORD },
    [{}, {}],
    [true, true],
    { type: 'array', elementType: 'boolean', containsNull: true },
  ],
] as const) {
  test(`${what} is a boolean`, () => {
    assert.deepEqual(rowOf(FIELD(type), { f: value }), { f: row })
    const { schema: columns } = avroContract(parseAvroSchema(FIELD(type), 'test'), 'test')
    assert.deepEqual(columns.fields[0]?.type, column)
  })
}

test('The field after a record whose only field is a union of null is read from its own bytes', () => {
  const nulls = { type: 'record', name: 'N', fields: [{ name: 'n', type: ['null'] }] }
  const json = RECORD([
    { name: 'f', type: nulls },
    { name: 'g', type: ['null', 'int'] },
  ])
  const bytes = Buffer.from('00020a', 'hex')
  assert.deepEqual(encoderOf(json)({ f: { n: null }, g: { int: 5 } }), bytes)
  assert.deepEqual(avroReader(parseAvroSchema(json, 'test'))(new AvroCursor(bytes)), { f: true, g: 5 })
})

test('What no column can hold is read all the same: recursion, 65 digits, nulls, names that differ in case', () => {
  const json = RECORD([
    { name: 'id', type: 'int' },
    { name: 'next', type: ['null', 'R'] },
    { name: 'big', type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 65, scale: 1 }] },
    { name: 'nulls', type: { type: 'array', items: 'null' } },
    { name: 'ID', type: 'int' },
    { name: '__proto__', type: 'int' },
  ])
  // The encoder cannot write a reserved name: its bytes are those of any other.
  const encodable = JSON.parse(JSON.stringify(json).replace('__proto__', 'reserved')) as unknown
  const value = (id: number, next: unknown): object => ({
    id,
    next,
    big: { bytes: Buffer.alloc(27, 0x7f) },
    nulls: [null, null],
    ID: 5,
    reserved: 6,
  })
  const bytes = encoderOf(encodable)(value(1, { R: value(2, null) }))
  const node = parseAvroSchema(json, 'test')
  const row = avroReader(node)(new AvroCursor(bytes)) as Record<string, unknown>
  assert.deepEqual(Object.keys(row).sort(), ['ID', '__proto__', 'big', 'id', 'next', 'nulls'])
  assert.equal(Object.getPrototypeOf(row), Object.prototype)
  assert.deepEqual([row['id'], row['ID'], (row['next'] as { id: number }).id], [1, 5, 2])
  assert.equal((row['big'] as ExactNumber).text.length, 66)
  const { columns, columnFaults = [] } = avroWriterSchema(node)
  assert.deepEqual(
    columns.fields.map(({ name }) => name),
    ['id'],
  )
  assert.deepEqual(
    columnFaults.map(({ path }) => path.join('.')),
    ['next', 'big', 'nulls', 'ID', '__proto__'],
  )
})

test('A recursive value may nest a thousand levels', () => {
  const json = RECORD([{ name: 'next', type: ['null', 'R'] }])
  const nested = (levels: number): Buffer => Buffer.concat([Buffer.alloc(levels, 2), Buffer.of(0)])
  const read = avroReader(parseAvroSchema(json, 'test'))
  assert.doesNotThrow(() => read(new AvroCursor(nested(1_000))))
  assert.throws(() => read(new AvroCursor(nested(1_001))), /expected at most 1000 nested levels, got more/)
  assert.throws(() => read(new AvroCursor(nested(100_000))), /expected at most 1000 nested levels, got more/)
})

test('Types that contain each other, and one that contains itself directly, have readers and columns that end', () => {
  const names = Array.from({ length: 30 }, (_, i) => `T${i}`)
  // Every type refers to every type, the later ones by their definition.
  const define = (at: number): object => ({
    type: 'record',
    name: `T${at}`,
    fields: [
      { name: 'x', type: 'int' },
      ...(at + 1 < names.length ? [{ name: 'inner', type: define(at + 1) }] : []),
      ...names.slice(0, at + 1).map((name, i) => ({ name: `f${i}`, type: ['null', name] })),
    ],
  })
  const node = parseAvroSchema(define(0), 'test')
  assert.equal(typeof avroReader(node), 'function')
  assert.equal(avroWriterSchema(node).columnFaults?.length, (30 * 31) / 2)
  const direct = parseAvroSchema(RECORD([{ name: 'again', type: 'R' }]), 'test')
  assert.throws(() => avroReader(direct)(new AvroCursor(Buffer.of(0))), /nested levels/)
  const list = parseAvroSchema(RECORD([{ name: 'more', type: { type: 'array', items: 'R' } }]), 'test')
  assert.deepEqual(avroReader(list)(new AvroCursor(Buffer.from('04040000000000', 'hex'))), {
    more: [{ more: [{ more: [] }, { more: [] }] }, { more: [] }],
  })
})

for (const number of [NaN, Infinity, -Infinity])
  for (const type of ['float', 'double'] as const)
    test(`A ${type} that is ${number} is refused at any depth, and skipped where nobody reads it`, () => {
      const bytes = Buffer.alloc(type === 'float' ? 4 : 8)
      if (type === 'float') bytes.writeFloatLE(number)
      else bytes.writeDoubleLE(number)
      const refused = new RegExp(`expected a finite number, got ${number}$`)
      for (const [json, value] of [
        [FIELD(type), bytes],
        [FIELD({ type: 'array', items: type }), Buffer.concat([Buffer.of(2), bytes, Buffer.of(0)])],
        [FIELD(['null', 'string', type]), Buffer.concat([Buffer.of(4), bytes])],
      ] as const)
        assert.throws(() => avroReader(parseAvroSchema(json, 'test'))(new AvroCursor(value)), refused)
      const writer = RECORD([
        { name: 'f', type },
        { name: 'id', type: 'int' },
      ])
      const reader = RECORD([{ name: 'id', type: 'int' }])
      const read = resolvingReader(parseAvroSchema(writer, 'test'), parseAvroSchema(reader, 'test'))
      assert.deepEqual(read(new AvroCursor(Buffer.concat([bytes, Buffer.of(2)]))), { id: 1 })
    })
