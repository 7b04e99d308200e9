import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Headers, Raw } from '../../../src/core/raw.ts'
import { avroFormat, registryFramedAvro } from '../../../src/formats/avro/format.ts'
import type { Decoded, Format } from '../../../src/formats/format.ts'
import { withoutSchemaIds } from '../../../src/formats/framing/registry-framing.ts'
import { namedSchemaOf, schemaIdIn } from '../../../src/formats/framing/schema-id.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { detectingFormat } from '../../../src/formats/open/detect.ts'
import { candidatesOf } from '../../../src/formats/open/candidates.ts'
import { protobufFormat, registryFramedProto } from '../../../src/formats/protobuf/format.ts'
import {
  createSchemaRegistry,
  type RegisteredSchema,
  type SchemaRegistry,
} from '../../../src/registry/registry.ts'
import { VALUES } from '../../support/values/csv.ts'
import { rawOf } from '../../support/flow/batches.ts'

const GUID = '89791762-2336-4186-9674-299b90a802e2'
const guidHeader = Buffer.concat([Buffer.of(1), Buffer.from(GUID.replaceAll('-', ''), 'hex')])
const idHeader = (id: number): Buffer => Buffer.of(0, 0, 0, 0, id)

/** Returns a batch whose records have these headers. */
const withHeaders = (values: readonly Uint8Array[], headers: readonly (Headers | undefined)[]): Raw => ({
  ...rawOf(values),
  headers,
})
const named = (header: Uint8Array): Headers => ({ __value_schema_id: header })

const ROW = JSON.stringify({ type: 'record', name: 'Row', fields: [{ name: 'id', type: 'int' }] })
function registryOf(
  schemas: Readonly<Record<string, RegisteredSchema>>,
): SchemaRegistry & { asked: unknown[] } {
  const asked: unknown[] = []
  return {
    url: 'memory',
    asked,
    schema: (id) => (asked.push(id), Promise.resolve(schemas[id])),
    latest: () => Promise.resolve(undefined),
  }
}
const avro: RegisteredSchema = { type: 'AVRO', text: ROW, references: [] }

async function decode(format: Format, raw: Raw): Promise<Decoded> {
  await format.prepare?.(raw)
  return format.decode(raw)
}

test('Avro is read with the schema id or GUID in a header, and with the prefix where there is none', async () => {
  const registry = registryOf({ 7: avro, [GUID]: avro })
  const format = avroFormat(registryFramedAvro(registry))
  const raw = withHeaders(
    [Buffer.of(2), Buffer.of(4), Buffer.of(0, 0, 0, 0, 7, 6), Buffer.of(8)],
    [named(idHeader(7)), named(guidHeader), undefined, { __value_schema_id: [Buffer.of(9), idHeader(7)] }],
  )
  const { objects, deadLetters, writers } = await decode(format, raw)
  assert.deepEqual(objects, [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }])
  assert.deepEqual(deadLetters, [])
  assert.deepEqual(registry.asked, [7, GUID])
  assert.equal(writers?.[0], writers?.[3])
  assert.equal(format.prepare?.(raw), undefined)
})

test('A header that is cut or of another kind is a dead letter that shows it', async () => {
  const format = avroFormat(registryFramedAvro(registryOf({})))
  for (const header of [Buffer.of(), Buffer.of(0, 1), Buffer.of(1, 2, 3), Buffer.of(9, 0, 0, 0, 7)]) {
    const { deadLetters } = await decode(format, withHeaders([Buffer.of(2)], [named(header)]))
    assert.match(deadLetters[0]?.message ?? '', new RegExp(`__value_schema_id, got ${header.length} bytes`))
  }
  const unknown = await decode(format, withHeaders([Buffer.of(2)], [named(guidHeader)]))
  assert.match(unknown.deadLetters[0]?.message ?? '', new RegExp(`the registry knows, got ${GUID}`))
})

test('The indexes of a Protobuf message follow the id in the header, and the value is the message alone', async () => {
  const text =
    'syntax = "proto3"; message A { int32 a = 1; } message B { int32 b = 1; message C { int32 c = 1; } }'
  const schema: RegisteredSchema = { type: 'PROTOBUF', text, references: [] }
  const format = protobufFormat(registryFramedProto(registryOf({ 7: schema, [GUID]: schema })))
  const header = (...indexes: readonly number[]): Headers =>
    named(Buffer.concat([guidHeader, Buffer.from(indexes)]))
  const value = Buffer.of(8, 5)
  const raw = withHeaders(
    [value, value, value, value, Buffer.of(), value],
    [
      header(),
      header(0),
      header(2, 2),
      header(4, 2, 0),
      header(0),
      named(Buffer.concat([idHeader(7), Buffer.of(2, 2)])),
    ],
  )
  const { objects, deadLetters } = await decode(format, raw)
  assert.deepEqual(deadLetters, [])
  assert.deepEqual(objects, [{ a: 5 }, { a: 5 }, { b: 5 }, { c: 5 }, { a: 0 }, { b: 5 }])
})

test('JSON with its id in a header keeps all its bytes, in rows and in dead letters', () => {
  const format = withoutSchemaIds(jsonFormat({ schema: { type: 'struct', fields: [] }, plain: undefined }))
  const raw = withHeaders(
    [Buffer.from('{"id":1}'), Buffer.from('{'), Buffer.from('\0\0\0\0\x07{"id":2}')],
    [named(guidHeader), named(guidHeader), undefined],
  )
  const { objects, deadLetters } = format.decode(raw)
  assert.deepEqual(objects, [{ id: 1 }, { id: 2 }])
  assert.equal(Buffer.from(deadLetters[0]?.value ?? []).toString(), '{')
})

test('In a list of formats a header decides before the magic bytes', async () => {
  const settings = { ...VALUES, format: 'avro', framing: 'none', schemaRegistry: { url: 'memory' } } as const
  const [container, framed] = candidatesOf('avro', settings)
  assert.ok(container !== undefined && framed !== undefined)
  const reader = avroFormat(registryFramedAvro(registryOf({ 7: avro })))
  const [json] = candidatesOf('json', { ...VALUES, framing: 'none' })
  assert.ok(json !== undefined)
  const plain = jsonFormat({ schema: { type: 'struct', fields: [] }, plain: undefined })
  const format = detectingFormat([
    { ...json, reader: plain },
    { ...framed, reader },
  ])
  // The number of this record is written with an opening brace.
  const raw = withHeaders([Buffer.of(0x7b), Buffer.from('{"id":2}')], [named(idHeader(7)), undefined])
  const { objects, writers } = await decode(format, raw)
  assert.deepEqual(objects, [{ id: -62 }, { id: 2 }])
  assert.deepEqual(
    writers?.map((writer) => writer?.columns.fields.length),
    [1, undefined],
  )
})

test('Framings of Apicurio and AWS Glue are named in the dead letter', () => {
  const glue = Buffer.concat([Buffer.of(3, 0), Buffer.alloc(16), Buffer.of(2)])
  assert.throws(
    () => namedSchemaOf(glue, rawOf([glue]), 0),
    /AWS Glue's schema registry, which is not supported/,
  )
  const value = Buffer.of(2)
  const raw = withHeaders([value], [{ 'apicurio.value.globalId': Buffer.alloc(8) }])
  assert.throws(
    () => namedSchemaOf(value, raw, 0),
    /apicurio\.value\.globalId of Apicurio, which is not supported/,
  )
  assert.equal(schemaIdIn(value, raw, 0), undefined)
  assert.throws(() => namedSchemaOf(value, rawOf([value]), 0), /expected the zero byte .* got none/)
})

test('An id of eight bytes is named in the dead letter', async () => {
  const format = avroFormat(registryFramedAvro(registryOf({})))
  const { deadLetters } = await decode(format, rawOf([Buffer.of(0, 0, 0, 0, 0, 0, 0, 0, 7, 2)]))
  assert.match(deadLetters[0]?.message ?? '', /got 0 \(ids of eight bytes, as Apicurio writes them/)
})

test('A schema is asked for by GUID; a registry without that is an error and not an unknown schema', async () => {
  const answers: Readonly<Record<string, readonly [number, object]>> = {
    [GUID]: [200, { schema: ROW, guid: GUID }],
    unknown: [404, { error_code: 40403, message: 'Schema not found' }],
  }
  let path: string | undefined
  const server = createServer((request, response) => {
    path = request.url
    const [status, body] = answers[path?.replace('/schemas/guids/', '') ?? ''] ?? [
      404,
      { message: 'HTTP 404 Not Found' },
    ]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const registry = createSchemaRegistry({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  try {
    assert.deepEqual(await registry.schema(GUID), avro)
    assert.equal(path, `/schemas/guids/${GUID}`)
    assert.equal(await registry.schema('unknown'), undefined)
    await assert.rejects(registry.schema('elsewhere'), {
      code: 'KD_REGISTRY_FAILED',
      retryable: false,
      message: /cannot look up schemas by GUID; let producers write numeric ids/,
    })
  } finally {
    registry.close()
    server.close()
  }
})
