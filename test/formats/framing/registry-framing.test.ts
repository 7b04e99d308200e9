import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { PipelineError } from '../../../src/core/errors.ts'
import { contractOfFormat } from '../../../src/formats/open/contract.ts'
import { openFormat, type FormatChoice } from '../../../src/formats/open/open.ts'
import { CSV } from '../../support/values/csv.ts'
import { SchemasById } from '../../../src/formats/framing/registry-framing.ts'
import { createRegistry, type Registry } from '../../../src/registry/registry.ts'
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
/** The client with which producers in JavaScript frame their messages. */
const producer = new SchemaRegistry({ host: shared.url, auth: LOGIN })

const PATIENCE = { attemptsMax: 3, pauseMsMin: 10, pauseMsMax: 20, requestMsMax: 2_000 }
const QUICK = { url: shared.url, ...LOGIN, patience: PATIENCE }

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

test('Avro that a producer’s client framed is read by the schemas it was written by, old and new', async () => {
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

test('A schema that refers to another subject is read with it', async () => {
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

test('JSON with a schema id in front is read, the contract taken from the registry, dead letters kept as they came', async () => {
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
  const [row, required, frame, text] = outcomesOf(format, contract, raw)
  assert.deepEqual(row, { row: { id: 1, name: 'é' } })
  assert.match(JSON.stringify(required), /"contract".*id/)
  assert.match(JSON.stringify(frame), /expected the zero byte/)
  assert.match(JSON.stringify(text), /expected JSON/)
  const cut = format.decode(raw).deadLetters.find(({ offset }) => offset === 3n)
  assert.equal(Buffer.from(cut?.value ?? []).toString('hex'), `${header.toString('hex')}7b`)
})

test('An id that the registry does not know is a dead letter, and is not asked for again at once', async () => {
  let asked = 0
  let now = 0
  const real = createRegistry(QUICK)
  const counting: Registry = {
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

test('A schema that no column can take makes its records dead letters that say so, and leaves the others alone', async () => {
  const good = await registered('tree-value', record([ID], 'Plain'))
  const tree = await registered(
    'trees-value',
    record([{ name: 'child', type: ['null', 'Tree'], default: null }], 'Tree'),
  )
  const settings = choice('avro', 'tree-value')
  const contract = await contractOfFormat(settings)
  assert.ok(contract !== undefined)
  const format = await openFormat(settings, contract)
  const raw = rawOf([await producer.encode(tree, { child: null }), await producer.encode(good, { id: 5 })])
  await format.prepare?.(raw)
  const [refused, row] = outcomesOf(format, contract, raw)
  assert.match(JSON.stringify(refused), /test\.Tree.* is recursive/)
  assert.deepEqual(row, { row: { id: 5 } })
})

test('Ids that somebody makes up are asked for up to a maximum', async () => {
  let asked = 0
  const registry: Registry = {
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

test('What a batch needs stays, however many schemas came before', async () => {
  const registry: Registry = {
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

/** The code of what a promise rejects with, and whether a retry may help. */
async function failureOf(promise: Promise<unknown>): Promise<[string, boolean, string]> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof PipelineError)
    return [error.code, error.retryable, error.message]
  }
  throw new assert.AssertionError({ message: 'expected a failure' })
}

test('A wrong password is refused at once; a registry that is down is worth a retry', async () => {
  const refused = await failureOf(createRegistry({ ...QUICK, password: 'wrong' }).schema(1))
  assert.deepEqual(refused.slice(0, 2), ['KD_REGISTRY_FAILED', false])
  assert.match(refused[2], /status 40[13]/)
  assert.ok(!refused[2].includes('wrong'))
  const down = await failureOf(createRegistry({ ...QUICK, url: 'http://127.0.0.1:1' }).schema(1))
  assert.deepEqual(down.slice(0, 2), ['KD_REGISTRY_FAILED', true])
})

test('A registry that comes back while we wait is asked again', async () => {
  const first = await started()
  const { port, url } = first
  await first.stop()
  const patience = { attemptsMax: 100, pauseMsMin: 50, pauseMsMax: 100, requestMsMax: 2_000 }
  const answer = createRegistry({ url, patience }).latest('nothing')
  await started({ port })
  assert.equal(await answer, undefined)
})

test('A subject without a schema leaves the columns to the table', async () => {
  assert.equal(await contractOfFormat(choice('avro', 'nobody-value')), undefined)
})
