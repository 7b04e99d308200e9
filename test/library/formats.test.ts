import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import avsc from 'avsc'
import protobufjs from 'protobufjs'
import { rowAt } from '../../src/arrow/values.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { Decoded } from '../../src/formats/format.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import {
  avro,
  bytes,
  csv,
  debezium,
  formatWithOwnSchema,
  json,
  protobuf,
  text,
} from '../../src/library/formats.ts'
import { customFormat, type TopicFormat } from '../../src/library/topic-format.ts'
import { columns, list, mapOf, nullable } from '../../src/rows/row-schema.ts'
import { rawOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'

const USER = columns({ id: 'long', name: 'string?' })

/** Decodes values as the format of a topic whose table has exactly the columns of the contract. */
async function decode(
  format: TopicFormat<object>,
  values: readonly (string | Uint8Array)[],
): Promise<{ readonly rows: readonly object[]; readonly decoded: Decoded }> {
  const { schema, plain } = format.contract
  const opened = await format.open({ schema, plain })
  const raw = rawOf(values)
  await opened.prepare?.(raw)
  const decoded = opened.decode(raw)
  const { validated, objects } = decoded
  const rows =
    validated === undefined ? [] : Array.from(validated.records, (_, i) => rowAt(validated.columns, i))
  return { rows: [...rows, ...objects.filter((row): row is object => typeof row === 'object')], decoded }
}

describe('A format with a schema as code', () => {
  let folder = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'formats-'))
  })

  after(async () => {
    await rm(folder, { recursive: true })
  })

  it('reads JSON, and leaves records without a value that must not be null to the contract', async () => {
    const format = json(USER)
    const { rows, decoded } = await decode(format, [
      '{"id":1,"name":"a"}',
      '{"id":2}',
      '{"name":"b"}',
      '{"id":null}',
    ])
    assert.deepEqual(rows.slice(0, 2), [
      { id: 1, name: 'a' },
      { id: 2, name: null },
    ])
    assert.deepEqual(decoded.records, [2, 3])
    assert.deepEqual(
      decoded.objects.map((row) => format.contract.check(row)),
      ['/id expected a value, got none', '/id expected a value, got null'],
    )
  })

  it('checks nulls in nested values that are read from bytes', async () => {
    const format = json(columns({ lines: list({ sku: 'string' }) }))
    const { decoded } = await decode(format, [
      '{"lines":[{"sku":"a"}]}',
      '{"lines":[{"sku":null}]}',
      '{"lines":[null]}',
    ])
    assert.deepEqual([...(decoded.validated?.records ?? [])], [0])
    assert.deepEqual(decoded.records, [1, 2])
  })

  it('reads lines of JSON', async () => {
    const { rows } = await decode(json(USER, { lines: true }), ['{"id":1}\n{"id":2}\n'])
    assert.deepEqual(rows, [
      { id: 1, name: null },
      { id: 2, name: null },
    ])
  })

  it('reads CSV in the order of the columns, or of its own', async () => {
    assert.deepEqual((await decode(csv(USER), ['1,a'])).rows, [{ id: 1, name: 'a' }])
    const other = csv(USER, { delimiter: ';', columns: ['name', 'id'], nullWords: ['-'] })
    assert.deepEqual((await decode(other, ['-;1'])).rows, [{ id: 1, name: null }])
  })

  it('reads text and bytes into one column', async () => {
    assert.deepEqual((await decode(text(), ['a b'])).rows, [{ value: 'a b' }])
    assert.deepEqual((await decode(bytes(), [Uint8Array.of(0, 255)])).rows, [{ value: 'AP8=' }])
  })

  it('reads Avro and Protobuf by the schema in a file, which also gives the columns if nothing else does', async () => {
    const avroSchema = {
      type: 'record',
      name: 'User',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'name', type: 'string' },
      ],
    }
    const avroPath = join(folder, 'user.avsc')
    await writeFile(avroPath, JSON.stringify(avroSchema))
    const value = avsc.Type.forSchema(avroSchema as avsc.Schema).toBuffer({ id: 1, name: 'a' })
    assert.deepEqual((await decode(avro(USER, { schema: avroPath }), [value])).rows, [{ id: 1, name: 'a' }])

    const proto = 'syntax = "proto3"; message User { int64 id = 1; string name = 2; }'
    const protoPath = join(folder, 'user.proto')
    await writeFile(protoPath, proto)
    const message = protobufjs.parse(proto).root.lookupType('User')
    const encoded = message.encode(message.create({ id: 1, name: 'a' })).finish()
    assert.deepEqual((await decode(protobuf(USER, { schema: protoPath }), [encoded])).rows, [
      { id: 1, name: 'a' },
    ])

    const own = await formatWithOwnSchema('avro', { schema: avroPath })
    assert.deepEqual((await decode(own, [value])).rows, [{ id: 1, name: 'a' }])
  })

  it('reads the rows in Debezium events, with columns of the events', async () => {
    const format = debezium(USER, { fields: ['op', 'source.ts_ms'] })
    assert.deepEqual(
      format.contract.schema.fields.map(({ name }) => name),
      ['id', 'name', '__op', '__source_ts_ms', '__deleted'],
    )
    const event = { before: null, after: { id: 1, name: 'a' }, source: { ts_ms: 7 }, op: 'c' }
    const { rows } = await decode(format, [JSON.stringify(event)])
    assert.deepEqual(rows, [{ id: 1, name: 'a', __op: 'c', __source_ts_ms: 7, __deleted: false }])
  })

  it('is opened by the function of a program', async () => {
    const format = customFormat(jsonFormat, USER, 'mine')
    assert.equal(format.name, 'mine')
    assert.deepEqual((await decode(format, ['{"id":1}'])).rows, [{ id: 1, name: null }])
  })
})

test('Random messages become rows without objects only if the contract accepts them, and the others are left to it', async (t) => {
  const chance = chanceOf(t)
  const schema = columns({
    id: 'long',
    note: 'string?',
    place: nullable({ city: 'string', zip: 'integer?' }),
    lines: list({ sku: 'string', price: 'decimal(10,2)?' }),
    gaps: nullable(list('date?')),
    tags: mapOf('string', 'boolean'),
  })
  const spoiled = (value: unknown): unknown => {
    if (!chance.once(12)) return value
    return chance.once(2) ? null : undefined
  }
  const messages = Array.from({ length: 2_000 }, () => ({
    id: spoiled(chance.int(1_000)),
    note: spoiled('text'),
    place: spoiled({ city: spoiled('Ulm'), zip: spoiled(chance.int(100)) }),
    lines: spoiled([{ sku: spoiled('a'), price: spoiled(1.25) }, spoiled({ sku: 'b' })]),
    gaps: spoiled([spoiled('2024-02-29'), null]),
    tags: spoiled({ a: spoiled(true) }),
  }))
  const format = json(schema)
  const texts = messages.map((message) => JSON.stringify(message))
  const { decoded } = await decode(format, texts)
  const read = new Set(decoded.validated?.records)
  const faults = texts.map((text) => format.contract.check(JSON.parse(text)))
  assert.ok(read.size > 200 && read.size < 1_800, `${read.size} rows`)
  for (const [record, fault] of faults.entries())
    assert.equal(fault === undefined, read.has(record), `${texts[record] ?? ''}: ${fault ?? 'no fault'}`)
})

test('Settings that do not say how values are read are refused', async () => {
  const isInvalid = (error: unknown): boolean =>
    error instanceof PipelineError && error.code === 'KD_CONFIG_INVALID'
  assert.throws(() => protobuf(USER, {}), isInvalid)
  assert.throws(() => json(USER, { subject: 'users-value' }), isInvalid)
  await assert.rejects(formatWithOwnSchema('avro', {}), isInvalid)
})

test('Settings that are not given are those of the service', () => {
  const { choice } = avro(USER, { schemaRegistry: { url: 'http://registry' }, subject: 'users-value' })
  assert.deepEqual(choice, {
    format: 'avro',
    framing: 'registry',
    subject: 'users-value',
    avro: {},
    csv: { delimiter: ',', quote: '"', header: false, nullWords: [] },
    decompress: 'none',
    decompressedBytesMax: 16_777_216,
    recordsPerMessageMax: 100_000,
    schemaRegistry: { url: 'http://registry' },
  })
})
