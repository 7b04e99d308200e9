import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SchemaRegistry as ConfluentSchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { PipelineError } from '../../../src/core/errors.ts'
import { contractOfFormat, findContract } from '../../../src/formats/open/contract.ts'
import { openFormat, type FormatChoice } from '../../../src/formats/open/open.ts'
import { CSV } from '../../support/values/csv.ts'
import { SchemasById } from '../../../src/formats/framing/registry-framing.ts'
import { createSchemaRegistry, type SchemaRegistry } from '../../../src/registry/registry.ts'
import { startRegistry, type RegistryServer } from '../../support/servers/registry.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'

const LOGIN = { username: 'ada', password: 'correct horse' }
const servers: RegistryServer[] = []
after(() => Promise.all(servers.map((server) => server.stop())))
async function started(options: Parameters<typeof startRegistry>[0] = {}): Promise<RegistryServer> {
  const server = await startRegistry(options)
  servers.push(server)
  return server
}
const shared = await started({ login: LOGIN })
/** The client that JavaScript producers use to frame their messages. */
const producer = new ConfluentSchemaRegistry({ host: shared.url, auth: LOGIN })

const RETRY_POLICY = { attemptsMax: 3, minBackoffMs: 10, maxBackoffMs: 20, requestMsMax: 2_000 }
const QUICK = { url: shared.url, ...LOGIN, retryPolicy: RETRY_POLICY }

function choice(format: 'avro' | 'json', subject: string): FormatChoice {
  return {
    format,
    framing: 'registry',
    subject,
    avro: {},
    csv: CSV,
    schemaRegistry: QUICK,
    decompress: 'none',
    recordsPerMessageMax: 1000,
    decompressedBytesMax: 1000,
  }
}

async function registered(subject: string, schema: object, type = SchemaType.AVRO): Promise<number> {
  const text = JSON.stringify(schema)
  const { id } = await producer.register({ type, schema: text } as Parameters<typeof producer.register>[0], {
    subject,
  })
  return id
}

const record = (fields: readonly object[], name = 'Event'): object => ({
  type: 'record',
  name,
  namespace: 'test',
  fields,
})
const ID = { name: 'id', type: 'long' }
const NAME = { name: 'name', type: ['null', 'string'], default: null }

test('Avro framed by a producer’s client is decoded with the schemas it was written with, old and new', async () => {
  const old = await registered('events-value', record([ID]))
  const now = await registered('events-value', record([ID, NAME]))
  const values = await Promise.all([
    producer.encode(old, { id: 1 }),
    producer.encode(now, { id: 2, name: 'Ada' }),
    producer.encode(old, { id: 3 }),
  ])
  const settings = choice('avro', 'events-value')
  const contract = await contractOfFormat(settings)
  assert.ok(contract !== undefined)
  const format = await openFormat(settings, contract)
  const raw = rawOf([
    ...values,
    null,
    Buffer.from('no frame'),
    Buffer.of(0, 0),
    Buffer.concat([values[0], Buffer.of(1)]),
  ])
  await format.prepare?.(raw)
  assert.equal(format.prepare?.(raw), undefined, 'what is known is not asked for again')
  assert.deepEqual(outcomesOf(format, contract, raw), [
    { row: { id: 1, name: null } },
    { row: { id: 2, name: 'Ada' } },
    { row: { id: 3, name: null } },
    'tombstone',
    { reason: 'decode', message: 'expected the zero byte in front of a schema id, got none' },
    { reason: 'decode', message: 'expected a schema id of four bytes, got the end' },
    { reason: 'decode', message: 'expected the end of the record, got 1 more bytes' },
  ])
})

test('A schema that refers to another subject is loaded together with it', async () => {
  await registered('address', record([{ name: 'city', type: 'string' }], 'Address'))
  const body = {
    schema: JSON.stringify(record([ID, { name: 'home', type: 'test.Address' }], 'Person')),
    references: [{ name: 'test.Address', subject: 'address', version: 1 }],
  }
  const response = await fetch(`${shared.url}/subjects/people-value/versions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/vnd.schemaregistry.v1+json',
      authorization: `Basic ${Buffer.from('ada:correct horse').toString('base64')}`,
    },
    body: JSON.stringify(body),
  })
  const { id } = (await response.json()) as { id: number }
  const settings = choice('avro', 'people-value')
  const contract = await contractOfFormat(settings)
  assert.ok(contract !== undefined)
  const format = await openFormat(settings, contract)
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  const raw = rawOf([Buffer.concat([header, Buffer.from('0e0852696761', 'hex')])])
  await format.prepare?.(raw)
  assert.deepEqual(outcomesOf(format, contract, raw), [{ row: { id: 7, home: { city: 'Riga' } } }])
})

test('JSON with a schema id is decoded with the contract from the registry; dead letters keep the original value', async () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { id: { type: 'integer' }, name: { type: 'string' } },
    required: ['id'],
  }
  const id = await registered('json-value', schema, SchemaType.JSON)
  const settings = choice('json', 'json-value')
  const contract = await contractOfFormat(settings)
  assert.ok(contract !== undefined)
  const format = await openFormat(settings, contract)
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  const wrong = Buffer.concat([header, Buffer.from('{"name":"x"}')])
  const raw = rawOf([
    await producer.encode(id, { id: 1, name: 'é' }),
    wrong,
    Buffer.from('{"id":1}'),
    Buffer.concat([header, Buffer.from('{')]),
  ])
  await format.prepare?.(raw)
  const [row, required, frame, text] = outcomesOf(format, contract, raw)
  assert.deepEqual(row, { row: { id: 1, name: 'é' } })
  assert.match(JSON.stringify(required), /"contract".*id/)
  assert.match(JSON.stringify(frame), /expected the zero byte/)
  assert.match(JSON.stringify(text), /expected JSON/)
  const cut = format.decode(raw).deadLetters.find(({ offset }) => offset === 3n)
  assert.equal(Buffer.from(cut?.value ?? []).toString('hex'), `${header.toString('hex')}7b`)
})

test('A value with an unknown schema id is a dead letter, and the id is not requested again at once', async () => {
  let asked = 0
  let now = 0
  const real = createSchemaRegistry(QUICK)
  const counting: SchemaRegistry = {
    ...real,
    url: 'u',
    latest: () => Promise.resolve(undefined),
    schema: (id) => (asked++, real.schema(id)),
  }
  const schemas = new SchemasById(
    counting,
    () => 'made',
    () => now,
  )
  const raw = rawOf([Buffer.of(0, 0, 99, 99, 99, 1), Buffer.of(0, 0, 99, 99, 99, 2)])
  await schemas.prepare(raw)
  assert.equal(schemas.prepare(raw), undefined)
  assert.throws(() => schemas.get(6_513_507), /expected a schema id that the registry knows, got 6513507/)
  now = 60_000
  await schemas.prepare(raw)
  assert.equal(asked, 2)
})

test('A schema that is no row makes dead letters with the reason, and does not affect other records', async () => {
  const good = await registered('tree-value', record([ID], 'Plain'))
  const tree = await registered('trees-value', {
    type: 'enum',
    name: 'Tree',
    symbols: ['OAK'],
  })
  const settings = choice('avro', 'tree-value')
  const contract = await contractOfFormat(settings)
  assert.ok(contract !== undefined)
  const format = await openFormat(settings, contract)
  const raw = rawOf([await producer.encode(tree, 'OAK'), await producer.encode(good, { id: 5 })])
  await format.prepare?.(raw)
  const [refused, row] = outcomesOf(format, contract, raw)
  assert.match(JSON.stringify(refused), /a row is a record, got enum/)
  assert.deepEqual(row, { row: { id: 5 } })
})

test('Forged ids are requested only up to a maximum', async () => {
  let asked = 0
  const registry: SchemaRegistry = {
    url: 'u',
    latest: () => Promise.resolve(undefined),
    schema: () => (asked++, Promise.resolve(undefined)),
  }
  const schemas = new SchemasById(registry, () => 'made')
  await schemas.prepare(
    rawOf(Array.from({ length: 3_000 }, (_, i) => Buffer.of(0, 0, 0, i >> 8, i & 0xff, 1))),
  )
  assert.equal(asked, 1_000)
  assert.throws(() => schemas.get(2_999), /at most 1000 new schema ids in one batch/)
})

test('Schemas that a batch needs are not evicted, however many are cached', async () => {
  const registry: SchemaRegistry = {
    url: 'u',
    latest: () => Promise.resolve(undefined),
    schema: (id) => Promise.resolve({ type: 'AVRO', text: String(id), references: [] }),
  }
  const schemas = new SchemasById(registry, ({ text }) => text)
  const value = (id: number): Uint8Array => Buffer.of(0, 0, 0, id >> 8, id & 0xff, 1)
  await schemas.prepare(rawOf(Array.from({ length: 1_000 }, (_, i) => value(i))))
  await schemas.prepare(rawOf([value(0), value(5_000)]))
  assert.deepEqual([schemas.get(0), schemas.get(5_000)], ['0', '5000'])
  assert.throws(() => schemas.get(1))
})

/** Returns the error code of a rejected promise, and whether a retry may help. */
async function failureOf(promise: Promise<unknown>): Promise<[string, boolean, string]> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof PipelineError)
    return [error.code, error.retryable, error.message]
  }
  throw new assert.AssertionError({ message: 'expected a failure' })
}

test('A wrong password fails at once; a registry that is down is retryable', async () => {
  const refused = await failureOf(createSchemaRegistry({ ...QUICK, password: 'wrong' }).schema(1))
  assert.deepEqual(refused.slice(0, 2), ['KD_REGISTRY_FAILED', false])
  assert.match(refused[2], /status 40[13]/)
  assert.ok(!refused[2].includes('wrong'))
  const down = await failureOf(createSchemaRegistry({ ...QUICK, url: 'http://127.0.0.1:1' }).schema(1))
  assert.deepEqual(down.slice(0, 2), ['KD_REGISTRY_FAILED', true])
})

test('A registry that recovers during the retries is requested again', async () => {
  const first = await started()
  const { port, url } = first
  await first.stop()
  const retryPolicy = { attemptsMax: 100, minBackoffMs: 50, maxBackoffMs: 100, requestMsMax: 2_000 }
  const answer = createSchemaRegistry({ url, retryPolicy }).latest('nothing')
  await started({ port })
  assert.equal(await answer, undefined)
})

test('A subject without a schema implies no contract, so the table defines the columns', async () => {
  const settings = choice('avro', 'nobody-value')
  assert.equal(await contractOfFormat(settings), undefined)
  assert.deepEqual(await findContract(settings), { missingSubject: 'nobody-value' })
  const listed = { ...settings, framing: 'none', formats: ['json', 'avro'] } as const
  assert.deepEqual(await findContract(listed), { missingSubject: 'nobody-value' })
  // Text has columns of its own, so that no subject is missing.
  const { missingSubject, contract } = await findContract({ ...listed, formats: ['json', 'text'] })
  assert.deepEqual([missingSubject, contract?.schema.fields.length], [undefined, 1])
})
