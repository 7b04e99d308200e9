import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import { AvroCursor } from '../../../src/formats/avro/cursor.ts'
import { checkDefaults, resolvingReader } from '../../../src/formats/avro/resolve.ts'
import { parseAvroSchema } from '../../../src/formats/avro/schema.ts'
import { contractOfFormat } from '../../../src/formats/open/contract.ts'
import { openFormat } from '../../../src/formats/open/open.ts'
import { containerOf } from '../../support/values/avro-containers.ts'
import { encoderOf } from '../../support/values/avro-values.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { VALUES } from '../../support/values/csv.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'

const record = (fields: readonly unknown[], more: object = {}): object => ({
  type: 'record',
  name: 'R',
  fields,
  ...more,
})
const field = (type: unknown, more: object = {}): object => record([{ name: 'f', type, ...more }])
const TIME = {
  millis: { type: 'long', logicalType: 'timestamp-millis' },
  micros: { type: 'long', logicalType: 'timestamp-micros' },
}
const decimal = (precision: number, scale: number): object => ({
  type: 'bytes',
  logicalType: 'decimal',
  precision,
  scale,
})
const words = (symbols: readonly string[], more: object = {}): object => ({
  type: 'enum',
  name: 'E',
  symbols,
  ...more,
})

/** Returns a value of the writer as the reader sees it. */
function read(writer: unknown, reader: unknown, value: unknown): unknown {
  const resolved = resolvingReader(parseAvroSchema(writer, 'writer'), parseAvroSchema(reader, 'reader'))
  return resolved(new AvroCursor(encoderOf(writer)(value)))
}

for (const [what, writer, reader, value, row] of [
  ['int to long', 'int', 'long', 7, 7],
  ['int to float', 'int', 'float', 16_777_217, 16_777_216],
  ['int to double', 'int', 'double', 7, 7],
  ['long to float', 'long', 'float', 5n, 5],
  ['long to double', 'long', 'double', 2n ** 60n, 2 ** 60],
  ['float to double', 'float', 'double', 0.5, 0.5],
  ['string to bytes', 'string', 'bytes', 'é', Buffer.from('é').toString('base64')],
  ['bytes to string', 'bytes', 'string', Buffer.from('é'), 'é'],
  ['a value into a nullable one', 'int', ['null', 'long'], 7, 7],
  ['a value into a union of several', 'string', ['null', 'int', 'string'], 'x', { member1: 'x' }],
  ['the same branch before the first that fits', 'int', ['null', 'double', 'int'], 5, { member1: 5 }],
  ['a nullable value that is present into a required one', ['null', 'int'], 'long', { int: 3 }, 3],
  ['a union into a wider one', ['null', 'int'], ['string', 'null', 'double'], { int: 3 }, { member1: 3 }],
  [
    'a symbol that the reader does not have',
    words(['A', 'B']),
    words(['A', 'Z'], { default: 'Z' }),
    'B',
    'Z',
  ],
  ['items', { type: 'array', items: 'int' }, { type: 'array', items: ['null', 'long'] }, [1, 2], [1, 2]],
  ['entries', { type: 'map', values: 'int' }, { type: 'map', values: 'double' }, { a: 1 }, { a: 1 }],
  [
    'milliseconds to microseconds',
    TIME.millis,
    TIME.micros,
    1_700_000_000_123n,
    '2023-11-14T22:13:20.123000Z',
  ],
  [
    'microseconds to milliseconds',
    TIME.micros,
    TIME.millis,
    1_700_000_000_123_000n,
    '2023-11-14T22:13:20.123000Z',
  ],
  ['a number to a time', 'long', TIME.millis, 0n, '1970-01-01T00:00:00.000000Z'],
  ['a time to a number', TIME.millis, 'long', 5n, 5],
  [
    'a decimal of another scale',
    decimal(10, 2),
    decimal(12, 4),
    Buffer.from('04d2', 'hex'),
    new ExactNumber('12.34'),
  ],
] as const) {
  test(`Resolution: ${what}`, () => {
    const found = read(field(writer), field(reader), { f: value }) as { f: unknown }
    assert.deepEqual(JSON.parse(JSON.stringify(found.f)), JSON.parse(JSON.stringify(row)))
  })
}

test('Fields are found by name or alias, in any order; fields that the reader lacks are skipped', () => {
  const writer = record([
    { name: 'gone', type: { type: 'array', items: 'string' } },
    { name: 'old', type: 'int' },
    { name: 'kept', type: 'string' },
  ])
  const reader = record([
    { name: 'kept', type: 'string' },
    { name: 'renamed', type: 'long', aliases: ['old'] },
  ])
  assert.deepEqual(read(writer, reader, { gone: ['x', 'y'], old: 5, kept: 'k' }), { kept: 'k', renamed: 5 })
})

test('Records match by the last part of their names or by an alias', () => {
  const writer = field('int')
  assert.deepEqual(read({ ...writer, namespace: 'a' }, { ...writer, namespace: 'b' }, { f: 1 }), { f: 1 })
  assert.deepEqual(read(writer, { ...writer, name: 'S', aliases: ['x.R'] }, { f: 1 }), { f: 1 })
  assert.throws(() => read(writer, { ...writer, name: 'S' }, { f: 1 }), /expected record S, got record R/)
})

test('Missing fields take their defaults, for every type', () => {
  const fields: readonly (readonly [unknown, unknown, unknown])[] = [
    ['null', null, null],
    ['boolean', true, true],
    ['int', -1, -1],
    ['long', 5, 5],
    ['double', 1.5, 1.5],
    ['float', 0.1, Math.fround(0.1)],
    ['string', 'x', 'x'],
    ['bytes', '\u00ff\0', '/wA='],
    [{ type: 'fixed', name: 'F', size: 2 }, '\u0001\u0002', 'AQI='],
    [words(['A', 'B']), 'B', 'B'],
    [['null', 'int'], null, null],
    [['int', 'string'], 4, { member0: 4 }],
    [{ type: 'array', items: 'int' }, [1, 2], [1, 2]],
    [{ type: 'map', values: 'string' }, { a: 'b' }, { a: 'b' }],
    [{ type: 'int', logicalType: 'date' }, 1, '1970-01-02'],
    [TIME.millis, 1, '1970-01-01T00:00:00.001000Z'],
    [decimal(4, 2), '\u0004\u00d2', new ExactNumber('12.34')],
    [{ ...field('int', { default: 9 }), name: 'Inner' }, {}, { f: 9 }],
  ]
  const reader = record([
    { name: 'there', type: 'int' },
    ...fields.map(([type, absent], i) => ({ name: `f${i}`, type, default: absent })),
  ])
  const row = read(record([{ name: 'there', type: 'int' }]), reader, { there: 1 })
  assert.deepEqual(row, { there: 1, ...Object.fromEntries(fields.map(([, , value], i) => [`f${i}`, value])) })
})

for (const [what, writer, reader, pattern] of [
  ['A long to an int', 'long', 'int', /\/f: expected int, got long/],
  ['A string to a long', 'string', 'long', /\/f: expected long, got string/],
  [
    'A date to a timestamp',
    { type: 'int', logicalType: 'date' },
    TIME.micros,
    /expected timestamp-micros, got date/,
  ],
  [
    'An instant to a local time',
    TIME.micros,
    { type: 'long', logicalType: 'local-timestamp-micros' },
    /got timestamp-micros/,
  ],
  [
    'Bytes of another length',
    { type: 'fixed', name: 'F', size: 2 },
    { type: 'fixed', name: 'F', size: 3 },
    /expected fixed F of 3 bytes, got fixed F of 2 bytes/,
  ],
  ['A union without a matching branch', ['boolean', 'string'], 'int', /expected int, got boolean/],
  [
    'A value into a union without a matching branch',
    'string',
    ['null', 'int', 'boolean'],
    /expected one of null, int, boolean, got string/,
  ],
] as const) {
  test(`${what} is refused with its location`, () => {
    assert.throws(
      () => read(field(writer), field(reader), undefined),
      (error) =>
        error instanceof PipelineError && error.code === 'KD_CONTRACT_INVALID' && pattern.test(error.message),
    )
  })
}

test('A missing field without a default is refused at once, an unknown branch or symbol only in a value that has it', () => {
  assert.throws(
    () => read(record([]), field('int'), {}),
    /\/f: expected in the writer's R, or with a default/,
  )
  assert.throws(() => read(field(['null', 'int']), field('int'), { f: null }), /expected int, got null/)
  assert.throws(
    () => read(field(words(['A', 'B'])), field(words(['A'])), { f: 'B' }),
    /expected one of 2 symbols/,
  )
})

test('A default that does not fit its type is refused with the field', () => {
  const schema = parseAvroSchema(
    field(['null', { type: 'array', items: { ...field('int', { default: 'x' }), name: 'S' } }]),
    'test',
  )
  assert.throws(
    () => checkDefaults(schema, 'reader.avsc'),
    /\/f\/1\/items\/f: its default: expected a number of 32 bits/,
  )
})

test('Containers with any schema give rows of the reader schema; a schema that cannot be resolved makes a dead letter', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-reader-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'reader.avsc')
  const v1 = record([{ name: 'id', type: 'int' }])
  const v2 = record([
    { name: 'id', type: 'long' },
    { name: 'tag', type: 'string' },
  ])
  const v3 = record([{ name: 'id', type: 'string' }])
  await writeFile(
    path,
    JSON.stringify(
      record([
        { name: 'id', type: 'long' },
        { name: 'label', type: ['null', 'string'], default: null, aliases: ['tag'] },
      ]),
    ),
  )
  const settings = {
    ...VALUES,
    format: 'avro',
    framing: 'container',
    decompress: 'none',
    avro: { readerSchema: path },
  } as const
  const contract = await contractOfFormat(settings)
  assert.ok(contract !== undefined, 'the reader schema is the contract')
  const format = await openFormat(settings, contract)
  const values = [
    containerOf(v1, [[encoderOf(v1)({ id: 1 })]]),
    containerOf(v2, [[encoderOf(v2)({ id: 2n, tag: 'x' })]]),
    containerOf(v3, [[encoderOf(v3)({ id: '3' })]]),
  ]
  const [one, two, three] = outcomesOf(format, contract, rawOf(values))
  assert.deepEqual([one, two], [{ row: { id: 1, label: null } }, { row: { id: 2, label: 'x' } }])
  assert.match(JSON.stringify(three), /does not fit avro.readerSchema: \/id: expected long, got string/)
})

test('The only schema of a folder is the contract; for kafka-delta-ingest its file may have any name', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'user'), JSON.stringify(record([{ name: 'id', type: 'long' }])))
  const settings = {
    ...VALUES,
    format: 'avro',
    framing: 'single-object',
    decompress: 'none',
    avro: { schemas: folder },
  } as const
  await assert.rejects(contractOfFormat(settings), { code: 'KD_CONTRACT_INVALID' })
  for (const schemas of [folder, join(folder, 'user')]) {
    const contract = await contractOfFormat({
      ...settings,
      avro: { schemas },
      compatibility: 'kafka-delta-ingest',
    })
    assert.deepEqual(
      contract?.schema.fields.map(({ name }) => name),
      ['id'],
    )
  }
})

const fields = (...list: readonly (readonly [string, unknown, object?])[]): object => ({
  type: 'record',
  name: 'R',
  fields: list.map(([name, type, more]) => ({ name, type, ...more })),
})
const ID_ONLY = fields(['id', 'long'])

test('What the reader leaves out may be anything that no column can hold', () => {
  const big = { type: 'bytes', logicalType: 'decimal', precision: 65 }
  for (const [what, type, value] of [
    ['a recursive type', ['null', 'R'], { R: { id: 2, x: null } }],
    ['65 digits', big, Buffer.alloc(27, 1)],
    ['a list of nulls', { type: 'array', items: 'null' }, [null, null]],
    ['a record without fields', { type: 'record', name: 'E', fields: [] }, {}],
    ['a map of recursive records', { type: 'map', values: 'R' }, { a: { id: 2, x: {} } }],
  ] as const) {
    const writer = fields(['id', 'int'], ['x', type])
    assert.deepEqual(read(writer, ID_ONLY, { id: 1, x: value }), { id: 1 }, what)
  }
})

test('A recursive type is resolved to a recursive one, with defaults at every level', () => {
  const writer = fields(['id', 'int'], ['next', ['null', 'R']], ['old', 'string'])
  const reader = fields(['next', ['null', 'R']], ['id', 'long'], ['since', 'int', { default: 7 }])
  const value = { id: 1, next: { R: { id: 2, next: null, old: 'b' } }, old: 'a' }
  assert.deepEqual(read(writer, reader, value), {
    id: 1,
    since: 7,
    next: { id: 2, since: 7, next: null },
  })
})

test('A recursive type that cannot be resolved is refused', () => {
  const writer = fields(['id', 'int'], ['next', ['null', 'R']])
  for (const reader of [
    fields(['id', 'string'], ['next', ['null', 'R']]),
    fields(['id', 'int'], ['next', ['null', 'R']], ['lacking', 'int']),
  ])
    assert.throws(() => read(writer, reader, { id: 1, next: null }), { code: 'KD_CONTRACT_INVALID' })
})

test('A record of which the reader takes no field is true, and so is a default of that type', () => {
  const inner = (...list: readonly object[]): object => ({ type: 'record', name: 'E', fields: list })
  const writer = fields(['e', inner({ name: 'a', type: 'int' })], ['id', 'int'])
  const reader = fields(['e', inner()], ['id', 'int'], ['more', 'E', { default: {} }])
  assert.deepEqual(read(writer, reader, { e: { a: 5 }, id: 1 }), { e: true, id: 1, more: true })
})

test('A default that never ends is refused', () => {
  const endless = parseAvroSchema(fields(['next', ['R', 'null'], { default: {} }]), 'test')
  assert.throws(() => checkDefaults(endless, 'test'), /its default: expected at most 200 nested levels/)
})
