// Goal: columns have the types of the schemas that messages name, in the sample, while the topic runs, and after a restart.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { DataType } from '../../../src/core/schema.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { arrayOf, mapOf, structOf } from '../../support/flow/batches.ts'
import { scriptedServer, type ScriptedServer } from '../../support/network/scripted-http.ts'
import { carryRecords, type Carried } from '../../support/service.ts'
import { encoderOf } from '../../support/values/avro-values.ts'

const record = (name: string, fields: Readonly<Record<string, unknown>>): object => ({
  type: 'record',
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
})

const SCHEMAS = [
  record('Order', { id: 'int' }),
  record('Order', {
    id: 'int',
    price: 'double',
    total: { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 10 },
    at: { type: 'long', logicalType: 'timestamp-micros' },
    tags: { type: 'map', values: 'long' },
    raw: 'bytes',
    lines: { type: 'array', items: record('Line', { qty: 'float', never: ['null', 'int'] }) },
  }),
  record('Person', { id: 'int', born: { type: 'int', logicalType: 'date' } }),
  { type: 'object', properties: { id: { type: 'integer' } }, additionalProperties: false },
  {
    type: 'object',
    properties: {
      id: { type: 'integer' },
      price: { type: 'number' },
      at: { type: 'string', format: 'date-time' },
      never: { type: ['boolean', 'null'] },
    },
    additionalProperties: false,
  },
]
const order = (id: number): Buffer => framed(1, { id })
const newOrder = (id: number, price = 2): Buffer =>
  framed(2, {
    id,
    price,
    total: Buffer.from('112210f47de98115', 'hex'),
    at: 0n,
    tags: { a: 1n },
    raw: Buffer.of(1),
    lines: [{ qty: 1, never: null }],
  })
const person = (id: number): Buffer => framed(3, { id, born: 1 })

function framed(schema: number, value: unknown): Buffer {
  return Buffer.concat([Buffer.of(0, 0, 0, 0, schema), encoderOf(SCHEMAS[schema - 1])(value)])
}

const TYPES: Readonly<Record<string, DataType>> = {
  id: 'integer',
  price: 'double',
  total: 'decimal(38,10)',
  at: 'timestamp',
  tags: mapOf('long'),
  raw: 'binary',
  lines: arrayOf(structOf({ qty: 'float', never: 'integer' })),
}

let folder: string
let uri: string
let registry: ScriptedServer
/** The newest schema of the subject `events-value`; there is no such subject where undefined. */
let latest: number | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'writers-'))
  uri = join(folder, 'table')
  latest = undefined
  registry = await scriptedServer(({ url }) => {
    const id =
      url === '/subjects/events-value/versions/latest'
        ? latest
        : Number(/^\/schemas\/ids\/(\d+)/.exec(url)?.[1])
    const schema = id === undefined ? undefined : SCHEMAS[id - 1]
    const headers = { 'content-type': 'application/json' }
    if (schema === undefined) return { status: 404, headers, body: '{"error_code":40401,"message":"none"}' }
    const kind = Object.hasOwn(schema, 'name') ? {} : { schemaType: 'JSON' }
    return { status: 200, headers, body: JSON.stringify({ id, ...kind, schema: JSON.stringify(schema) }) }
  })
})
afterEach(async () => {
  await registry.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Carries the first `count` of the records and returns what the run says at its start. */
async function carry(
  records: readonly Buffer[],
  more: object = {},
): Promise<Carried & { readonly said: string }> {
  const said: string[] = []
  const log = createLogger({
    level: 'info',
    pretty: false,
    destination: { write: (line) => said.push(line) },
  })
  const framing = { format: 'avro', framing: 'registry', ...more }
  const carried = await carryRecords(records, { uri, registry: registry.endpoint, log, more: framing })
  return { ...carried, said: said.join('') }
}

async function columnsOf(): Promise<Readonly<Record<string, unknown>>> {
  const { schema } = await openTableWriter(await openStore(uri))
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, type]))
}

test('A version that is registered while the topic runs adds columns of its types, and the next start takes them', async () => {
  latest = 1
  const records = [order(0), newOrder(1), order(2), newOrder(3, 2.5)]
  const first = await carry(records.slice(0, 3))
  assert.deepEqual(first.deadLetters, [])
  assert.deepEqual(await columnsOf(), TYPES)
  // The newest version is the contract of the next start.
  latest = 2
  const next = await carry(records)
  assert.deepEqual(next.deadLetters, [])
  assert.deepEqual(await columnsOf(), TYPES)
  assert.doesNotMatch(next.said, /has no schema of subject/)
})

test('Without a subject, the first messages give the types of their schemas, and the start says what is missing', async () => {
  const { deadLetters, said } = await carry([newOrder(1), newOrder(2)])
  assert.deepEqual(deadLetters, [])
  assert.deepEqual(await columnsOf(), TYPES)
  assert.match(said, /has no schema of subject events-value/)
  assert.match(said, /\+ total decimal\(38,10\)/)
  const next = await carry([newOrder(1), newOrder(2), person(3), order(4)])
  assert.deepEqual(next.deadLetters, [])
  assert.deepEqual(await columnsOf(), { ...TYPES, born: 'date' })
  assert.match(next.said, /has no schema of subject events-value/)
})

test('Records of several types among the first messages make the columns of all', async () => {
  const { deadLetters } = await carry([person(1), order(2), newOrder(3)])
  assert.deepEqual(deadLetters, [])
  assert.deepEqual(await columnsOf(), { id: 'integer', born: 'date', ...TYPES })
})

test('Transforms change the columns of a new version as they change its messages', async () => {
  const more = { drop: ['raw'], rename: { total: 'sum' }, transforms: { twice: 'price' } }
  const records = [order(0), newOrder(1)]
  await carry(records.slice(0, 1), { ...more, transforms: {} })
  const { deadLetters } = await carry(records, more)
  assert.deepEqual(deadLetters, [])
  const { raw, total, ...rest } = TYPES
  assert.equal(raw, 'binary')
  const columns = await columnsOf()
  assert.deepEqual({ ...columns, twice: undefined }, { ...rest, sum: total, twice: undefined })
})

test('When nothing can be inferred, the error names the subject and the options', async () => {
  await assert.rejects(carry([]), {
    code: 'KD_CONFIG_INVALID',
    message:
      /the topic is empty; the schema registry has no schema of subject events-value \(options subject and contract\)/,
  })
})

test('A value in JSON is checked by the version that it names, and its new fields have the types of that version', async () => {
  latest = 4
  const value = (schema: number, json: object): Buffer =>
    Buffer.concat([Buffer.of(0, 0, 0, 0, schema), Buffer.from(JSON.stringify(json))])
  const more = { format: 'json' }
  const records = [
    value(4, { id: 1 }),
    value(5, { id: 2, price: 2, at: '2026-01-01T00:00:00Z' }),
    value(4, { id: 3, price: 2 }),
    value(5, { id: 4, price: 2.5 }),
    value(5, { id: 5, price: 'x' }),
  ]
  const { deadLetters } = await carry(records, more)
  assert.deepEqual(await columnsOf(), { id: 'long', price: 'double', at: 'timestamp', never: 'boolean' })
  assert.deepEqual(
    deadLetters.map(({ offset, reason }) => [offset, reason]),
    [
      [2n, 'contract'],
      [4n, 'contract'],
    ],
  )
  latest = 5
  const next = await carry([...records, value(5, { id: 6, price: 1e3, never: null })], more)
  assert.deepEqual(next.deadLetters, [])
})

test("Debezium's events in JSON have the types of the schema beside them, old and new in one batch", async () => {
  const field = (name: string, schema: object): object => ({ field: name, optional: true, ...schema })
  const decimal = {
    type: 'bytes',
    name: 'org.apache.kafka.connect.data.Decimal',
    parameters: { scale: '10', 'connect.decimal.precision': '38' },
  }
  const event = (fields: readonly object[], after: object): object => {
    const row = { type: 'struct', fields, field: 'after', optional: true }
    const schema = { type: 'struct', fields: [row, field('op', { type: 'string' })] }
    return { schema, payload: { after, op: 'c' } }
  }
  const id = field('id', { type: 'int32' })
  const fields = [
    id,
    field('price', { type: 'double' }),
    field('total', decimal),
    field('raw', { type: 'bytes' }),
  ]
  const old = event([id], { id: 1 })
  const added = event(fields, { id: 2, price: 2, total: 'ESIQ9H3pgRU=', raw: 'AQ==' })
  const settings = { uri, more: { format: 'json', envelope: 'debezium' } }
  await carryRecords([old], settings)
  const { deadLetters } = await carryRecords([old, added, old, added], settings)
  assert.deepEqual(deadLetters, [])
  const { id: first, price, total, raw } = await columnsOf()
  assert.deepEqual([first, price, total, raw], ['integer', 'double', 'decimal(38,10)', 'binary'])
})
