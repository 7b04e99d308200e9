import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { AvroCursor } from '../../../src/formats/avro/cursor.ts'
import { ingestReaderFactory } from '../../../src/formats/avro/kafka-delta-ingest.ts'
import { parseAvroSchema, type AvroNode } from '../../../src/formats/avro/schema.ts'
import { openAvro } from '../../../src/formats/avro/format.ts'
import { encoderOf } from '../../support/values/avro-values.ts'
import { rawBatch } from '../../support/flow/batches.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-plain-'))
after(() => rm(folder, { recursive: true, force: true }))

const SCHEMA = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
    { name: 'at', type: ['null', { type: 'long', logicalType: 'timestamp-millis' }] },
    { name: 'mixed', type: ['null', 'long', 'string'] },
    {
      name: 'list',
      type: {
        type: 'array',
        items: { type: 'record', name: 'Item', fields: [{ name: 'v', type: ['string', 'long'] }] },
      },
    },
    { name: 'map', type: { type: 'map', values: ['null', 'Item'] } },
  ],
}
const EVENT = {
  day: 19_000,
  at: { long: 1_700_000_000_000n },
  mixed: { string: 'x' },
  list: [{ v: { long: 5n } }, { v: { string: 'y' } }],
  map: { a: { Item: { v: { string: 'z' } } }, b: null },
}
const PLAIN = {
  day: 19_000,
  at: 1_700_000_000_000,
  mixed: 'x',
  list: [{ v: 5 }, { v: 'y' }],
  map: { a: { v: 'z' }, b: null },
}

/** Maps have no prototype. */
const same = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

function read(writer: object, value: object, reader?: object): unknown {
  const node = (json: object): AvroNode => parseAvroSchema(json, 'test')
  const bytes = encoderOf(writer)(value)
  return same(ingestReaderFactory(reader && node(reader))(node(writer)).read(new AvroCursor(bytes, 0)))
}

test('Times are numbers, and union values are not wrapped', () => {
  assert.deepEqual(read(SCHEMA, EVENT), PLAIN)
  assert.deepEqual(read(SCHEMA, { ...EVENT, at: null, mixed: null, list: [] }), {
    ...PLAIN,
    at: null,
    mixed: null,
    list: [],
  })
})

test('With a reader schema the result is the same, plus the fields that the writer lacks', () => {
  const reader = {
    ...SCHEMA,
    fields: [
      ...SCHEMA.fields.slice(0, 3),
      { name: 'since', type: { type: 'long', logicalType: 'timestamp-micros' }, default: 7 },
    ],
  }
  const { day, at, mixed } = PLAIN
  assert.deepEqual(read(SCHEMA, EVENT, reader), { day, at, mixed, since: 7 })
})

test('Single objects are decoded with one schema file, or with any file of a folder', async () => {
  const path = join(folder, 'event.json')
  await writeFile(path, JSON.stringify(SCHEMA))
  for (const schemas of [path, folder]) {
    const format = await openAvro({
      framing: 'single-object',
      avro: { schemas },
      subject: '',
      csv: { delimiter: ',', quote: '"', header: false, nullWords: [] },
      recordsPerMessageMax: 1,
      decompressedBytesMax: 1_000,
      compatibility: 'kafka-delta-ingest',
    })
    const { deadLetters } = format.decode(rawBatch(['no object']).payload)
    assert.match(deadLetters[0]?.message ?? '', /c301/)
  }
})

test('A recursive schema is read as well, and a record without fields stays an object', () => {
  const tree = {
    type: 'record',
    name: 'Tree',
    fields: [
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'either', type: ['null', 'int', 'Tree'] },
      { name: 'more', type: { type: 'array', items: 'Tree' } },
      { name: 'mark', type: { type: 'record', name: 'Mark', fields: [] } },
    ],
  }
  const leaf = { at: 1n, either: null, more: [], mark: {} }
  const value = { ...leaf, either: { Tree: { ...leaf, either: { int: 5 } } }, more: [leaf] }
  const row = { at: 1, either: null, more: [], mark: {} }
  assert.deepEqual(read(tree, value), { ...row, either: { ...row, either: 5 }, more: [row] })
})
