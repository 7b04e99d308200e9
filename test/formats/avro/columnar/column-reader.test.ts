import assert from 'node:assert/strict'
import { test } from 'node:test'
import { of } from 'rxjs'
import { decode } from '../../../../operators/decode.ts'
import { validate } from '../../../../operators/validate.ts'
import type { Rows } from '../../../../src/arrow/rows.ts'
import { contractOfTable } from '../../../../src/contract/table-contract.ts'
import type { DataType, StructType } from '../../../../src/core/schema.ts'
import type { SchemaEvolution } from '../../../../src/evolution/policy.ts'
import { RowColumns } from '../../../../src/evolution/row-columns.ts'
import { avroContract } from '../../../../src/formats/avro/columns.ts'
import { avroFormat, unframedAvro, writtenRecords } from '../../../../src/formats/avro/format.ts'
import { resolvingReader } from '../../../../src/formats/avro/resolve.ts'
import { parseAvroSchema } from '../../../../src/formats/avro/schema.ts'
import { openBlockCodecs } from '../../../../src/formats/avro/container.ts'
import { cacheReaders, containerFormat } from '../../../../src/formats/avro/container-format.ts'
import type { Format } from '../../../../src/formats/format.ts'
import { fieldOf, provenanceOf, rawOf, structOf } from '../../../support/flow/batches.ts'
import { shapeOf } from '../../../support/flow/layouts.ts'
import { outcomesOf, outcomesOfRows } from '../../../support/flow/outcomes.ts'
import { containerOf } from '../../../support/values/avro-containers.ts'
import { encoderOf } from '../../../support/values/avro-values.ts'

const nodeOf = (schema: unknown) => parseAvroSchema(schema, 'test')
const recordOf = (fields: Readonly<Record<string, unknown>>): object => ({
  type: 'record',
  name: 'R',
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
})

/** Bytes of a record with one field become the same with and without columns; returns what, and whether directly. */
function bothWays(
  type: unknown,
  column: DataType,
  bytes: Uint8Array,
): { readonly outcome: unknown; readonly isDirect: boolean } {
  const schema = nodeOf(recordOf({ f: type }))
  const contract = contractOfTable(structOf({ f: column }))
  const raw = rawOf([bytes])
  const fast = avroFormat(unframedAvro(schema), contract)
  const [outcome] = outcomesOf(fast, contract, raw)
  assert.deepEqual([outcome], outcomesOf(avroFormat(unframedAvro(schema)), contract, raw))
  return { outcome, isDirect: fast.decode(raw).validated?.records.length === 1 }
}

const LONG = (value: bigint | number): Buffer => {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}
const SIZED = (hex: string): Buffer => Buffer.concat([LONG(hex.length / 2), Buffer.from(hex, 'hex')])
const DOUBLE = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}
const DECIMAL = { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 2 }
const MICROS = { type: 'long', logicalType: 'timestamp-micros' }
const MILLIS = { type: 'long', logicalType: 'timestamp-millis' }
const DAYS = { type: 'int', logicalType: 'date' }

for (const [what, type, column, bytes, value] of [
  ['The greatest long', 'long', 'long', LONG(2n ** 63n - 1n), 2n ** 63n - 1n],
  ['The least long', 'long', 'long', LONG(-(2n ** 63n)), -(2n ** 63n)],
  ['A long beyond 53 bits in a column of doubles', 'long', 'double', LONG(2n ** 53n + 1n), 2 ** 53],
  ['A negative zero', 'double', 'double', DOUBLE(-0), -0],
  ['A long in a narrow column', 'long', 'short', LONG(-32_768), -32_768],
  ['An int in a column of decimals', 'int', 'decimal(12,2)', LONG(-5), { text: '-5.00' }],
  ['A decimal of no bytes', DECIMAL, 'decimal(38,2)', SIZED(''), { text: '0.00' }],
  ['A decimal of one byte', DECIMAL, 'decimal(38,2)', SIZED('ff'), { text: '-0.01' }],
  [
    'A decimal that repeats its sign',
    DECIMAL,
    'decimal(38,2)',
    SIZED('ffffffffffffffffffffffffffffffffffffff85'),
    { text: '-1.23' },
  ],
  [
    'A decimal of 38 digits',
    DECIMAL,
    'decimal(38,2)',
    SIZED('4b3b4ca85a86c47a098a223fffffffff'),
    { text: `${'9'.repeat(36)}.99` },
  ],
  [
    'A negative decimal of 38 digits',
    DECIMAL,
    'decimal(38,2)',
    SIZED('b4c4b357a5793b85f675ddc000000001'),
    { text: `-${'9'.repeat(36)}.99` },
  ],
  ['A microsecond before 1970', MICROS, 'timestamp', LONG(-1), '1969-12-31T23:59:59.999999Z'],
  [
    'A millisecond of the year 9999',
    MILLIS,
    'timestamp',
    LONG(253_402_300_799_999n),
    '9999-12-31T23:59:59.999000Z',
  ],
  ['The first day of the year 0', DAYS, 'date', LONG(-719_528), '0000-01-01'],
  [
    'A UUID of sixteen bytes',
    { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' },
    'string',
    Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
    '00112233-4455-6677-8899-aabbccddeeff',
  ],
  ['An empty text', 'string', 'string', SIZED(''), ''],
  ['A text with a byte order mark', 'string', 'string', SIZED('efbbbf61'), '\ufeffa'],
  ['An empty fixed', { type: 'fixed', name: 'F', size: 0 }, 'binary', Buffer.alloc(0), undefined],
  ['The only symbol', { type: 'enum', name: 'E', symbols: ['A'] }, 'string', LONG(0), 'A'],
] as const)
  test(`${what} is read directly`, () => {
    const found = bothWays(type, column, bytes)
    if (value === undefined) return
    assert.ok(found.isDirect)
    const { f } = (found.outcome as { row: { f: unknown } }).row
    assert.deepEqual(typeof f === 'object' ? { ...f } : f, value)
  })

for (const [what, type, column, bytes] of [
  ['Text that is not UTF-8', 'string', 'string', SIZED('eda080')],
  ['A length beyond the bytes', 'string', 'string', Buffer.from('0661', 'hex')],
  ['A negative length', 'bytes', 'binary', Buffer.from('01', 'hex')],
  ['A number that is not finite', 'double', 'double', DOUBLE(NaN)],
  ['A double beyond a float', 'double', 'float', DOUBLE(1e39)],
  ['A number of more than 32 bits for an int', 'int', 'integer', LONG(2 ** 31)],
  ['A number beyond its column', 'long', 'byte', LONG(128)],
  ['A decimal of 39 digits', DECIMAL, 'decimal(38,2)', SIZED('4b3b4ca85a86c47a098a224000000000')],
  ['A negative decimal of 39 digits', DECIMAL, 'decimal(38,2)', SIZED('b4c4b357a5793b85f675ddc000000000')],
  ['A decimal of seventeen bytes', DECIMAL, 'decimal(38,2)', SIZED('0080000000000000000000000000000000')],
  ['A decimal of another scale', DECIMAL, 'decimal(38,4)', SIZED('01')],
  ['An instant after the year 9999', MICROS, 'timestamp', LONG(253_402_300_800_000_000n)],
  ['A day before the year 0', DAYS, 'date', LONG(-719_529)],
  ['A byte that is no boolean', 'boolean', 'boolean', Buffer.of(2)],
  ['A symbol that does not exist', { type: 'enum', name: 'E', symbols: ['A'] }, 'string', LONG(1)],
  ['A branch that does not exist', ['null', 'int'], 'integer', LONG(2)],
  ['Bytes after the record', 'int', 'integer', Buffer.of(2, 0)],
  ['An instant in a column of text', MILLIS, 'string', LONG(0)],
  [
    'A map with a key twice',
    { type: 'map', values: 'int' },
    { type: 'map', keyType: 'string', valueType: 'integer', valueContainsNull: true },
    Buffer.from('0402610202610400', 'hex'),
  ],
  [
    'A map whose keys an object would sort',
    { type: 'map', values: 'int' },
    { type: 'map', keyType: 'string', valueType: 'integer', valueContainsNull: true },
    Buffer.from('0402620202310400', 'hex'),
  ],
] as const)
  test(`${what} is left to the object reader`, () => {
    assert.ok(!bothWays(type, column, bytes).isDirect)
  })

/** Runs batches through a topic with these columns, with and without reading into columns; both must be equal. */
function runTopic(
  policy: SchemaEvolution,
  table: StructType,
  open: (options?: RowColumns) => Format,
  batches: readonly (readonly Uint8Array[])[],
): { readonly rows: readonly Rows[]; readonly slow: readonly unknown[]; readonly format: Format } {
  const run = (isFast: boolean) => {
    const contract = contractOfTable(table)
    const columns = new RowColumns({
      topic: 'events',
      contract,
      hasWrittenContract: false,
      table: { shape: shapeOf(table), uri: 'memory' },
      addedColumns: [],
      policy,
    })
    const format = isFast ? open(columns) : open()
    const slow: unknown[] = []
    const rows = batches.map((values) => {
      let made: Rows | undefined
      const counted: Format = {
        name: 'avro',
        decode(raw) {
          const decoded = format.decode(raw)
          slow.push(decoded.slow)
          return decoded
        },
      }
      of({ provenance: provenanceOf({ records: values.length }), payload: rawOf(values) })
        .pipe(decode(counted), validate(contract, columns))
        .subscribe((out) => (made = out.payload))
      assert.ok(made !== undefined)
      return made
    })
    return { rows, slow, format }
  }
  const fast = run(true)
  const expected = run(false)
  assert.deepEqual(fast.rows.map(outcomesOfRows), expected.rows.map(outcomesOfRows))
  assert.deepEqual(
    fast.rows.map(({ droppedFields }) => droppedFields),
    expected.rows.map(({ droppedFields }) => droppedFields),
  )
  return fast
}

const WRITER = recordOf({ id: 'long', note: ['null', 'string'], tags: { type: 'array', items: recordOf2() } })

function recordOf2(): object {
  return {
    type: 'record',
    name: 'Tag',
    fields: [
      { name: 'k', type: 'string' },
      { name: 'extra', type: 'int' },
    ],
  }
}

const record = encoderOf(WRITER)
const full = record({
  id: 1n,
  note: { string: 'x' },
  tags: [
    { k: 'a', extra: 1 },
    { k: 'b', extra: 2 },
  ],
})
const sparse = record({ id: 2n, note: null, tags: [] })
const open = (options?: RowColumns): Format => avroFormat(unframedAvro(nodeOf(WRITER)), options)

test('Columns of a new schema are added by its first batch, and the next one is read directly', () => {
  const { slow, rows } = runTopic('addNewColumns', structOf({ id: 'long' }), open, [
    [sparse, sparse],
    [full, sparse],
  ])
  assert.deepEqual(slow, [{ schema: 2 }, undefined])
  assert.deepEqual(
    rows[1]?.columns.schema.fields.map(({ name }) => name),
    ['id', 'note', 'tags'],
  )
})

test('Fields without a column are counted at any depth, with their names', () => {
  const table = structOf({
    id: 'long',
    tags: { type: 'array', elementType: structOf({ k: 'string' }), containsNull: true },
  })
  const { slow, rows } = runTopic('none', table, open, [[full, Buffer.concat([full, Buffer.of(0)]), sparse]])
  assert.deepEqual(slow, [{ value: 1 }])
  const [{ droppedFields, droppedPaths = [] } = {}] = rows
  assert.equal(droppedFields, 4)
  const paths = droppedPaths.flatMap((dropped) => [...dropped.paths])
  assert.deepEqual(paths.sort(), ['note', 'tags.element.extra'])
})

test('Bytes that a reader takes for text must be text, also without a column', () => {
  const schemas = {
    writer: nodeOf(recordOf({ id: 'long', note: 'bytes' })),
    reader: nodeOf(recordOf({ id: 'long', note: 'string' })),
    isIngest: false,
  }
  const reader = { read: resolvingReader(schemas.writer, schemas.reader), schemas }
  const openIt = (options?: RowColumns): Format =>
    avroFormat(
      unframedAvro(schemas.writer, () => reader),
      options,
    )
  const [text, noText] = [SIZED('c3a4'), SIZED('ff')].map((note) => Buffer.concat([LONG(1), note]))
  assert.ok(text !== undefined && noText !== undefined)
  const { rows, slow } = runTopic('none', structOf({ id: 'long' }), openIt, [[text, noText]])
  assert.deepEqual(slow, [{ value: 1 }])
  assert.deepEqual(
    rows[0]?.deadLetters.map(({ message }) => message),
    ['expected UTF-8, got invalid bytes'],
  )
})

test('Where unknown fields are refused, null alone needs no column', () => {
  const table = structOf({
    id: 'long',
    tags: { type: 'array', elementType: structOf({ k: 'string', extra: 'integer' }), containsNull: true },
  })
  const reader = {
    read: writtenRecords(nodeOf(WRITER)).read,
    schemas: { writer: nodeOf(WRITER), reader: nodeOf(WRITER), isIngest: false },
  }
  const { schemas } = reader
  const same = { ...reader, schemas: { ...schemas, reader: schemas.writer } }
  const untyped = (options?: RowColumns): Format =>
    avroFormat(
      unframedAvro(schemas.writer, () => same),
      options,
    )
  const { slow } = runTopic('rescue', table, untyped, [[sparse, full, sparse]])
  assert.deepEqual(slow, [{ field: 1 }])
})

test('A default of the table fills a missing column, and a missing column that is not nullable needs objects', () => {
  const own = structOf({ id: 'long', note: 'string' })
  const schema = nodeOf(recordOf({ id: 'long', note: ['null', 'string'] }))
  const given = encoderOf(recordOf({ id: 'long', note: ['null', 'string'] }))({ id: 5n, note: null })
  const openIt = (options?: RowColumns): Format => avroFormat(unframedAvro(schema), options)
  const withDefault = { ...fieldOf('level', 'long'), metadata: { CURRENT_DEFAULT: '42' } }
  const filled = runTopic('none', { ...own, fields: [...own.fields, withDefault] }, openIt, [[given]])
  assert.deepEqual(filled.slow, [undefined])
  assert.deepEqual(outcomesOfRows(filled.rows[0] as Rows), [{ row: { id: 5, note: null, level: 42 } }])
  const strict = { ...fieldOf('level', 'long'), nullable: false }
  const lacking = runTopic('none', { ...own, fields: [...own.fields, strict] }, openIt, [[given]])
  assert.deepEqual(lacking.slow, [{ path: 1 }])
  assert.deepEqual(lacking.format.objectReasons?.(), [
    { subject: 'columns.level', reason: 'records lack a column that is not nullable' },
  ])
})

test('A contract without a plain form makes objects, and says so', () => {
  const schema = nodeOf(recordOf({ id: 'long' }))
  const format = avroFormat(unframedAvro(schema), { schema: structOf({ id: 'long' }), plain: undefined })
  assert.deepEqual(format.decode(rawOf([LONG(1)])).slow, { path: 1 })
  assert.deepEqual(format.objectReasons?.(), [
    { subject: 'contract', reason: 'the contract has no plain form' },
  ])
})

test('A container that is refused at its end leaves no row, and a damaged block keeps the rows before it', async () => {
  const json = recordOf({ id: 'long' })
  const format = containerFormat({
    columns: avroContract(nodeOf(json), 'test'),
    readerOf: cacheReaders((text) => writtenRecords(nodeOf(JSON.parse(text)))),
    codecs: await openBlockCodecs(),
    recordsMax: 3,
    bytesMax: 1 << 20,
  })
  const many = containerOf(json, [
    [LONG(1), LONG(2)],
    [LONG(3), LONG(4)],
  ])
  const damaged = containerOf(json, [[LONG(5), Buffer.of(0x80)], [LONG(7)]])
  const { validated, deadLetters, objects, slow, raw } = format.decode(
    rawOf([many, damaged, containerOf(json, [[LONG(8)]])]),
  )
  assert.deepEqual(
    [...(validated?.columns.columns[0] as { values: Int32Array }).values].filter((_, i) => i % 2 === 0),
    [5, 7, 8],
  )
  assert.equal(objects.length, 0)
  assert.equal(deadLetters.length, 2)
  assert.deepEqual(slow, { value: 2 })
  assert.equal(raw.count, 5)
})
