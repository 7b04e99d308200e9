// Goal: rows of Debezium events in Avro come from bytes as they come from objects.
// Method: a batch of events is decoded in both ways; the counts of slow records show which way each record went.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contractOfTable } from '../../../src/contract/table-contract.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { plainContractOf } from '../../../src/evolution/plain.ts'
import { avroFormat, registryFramedAvro, unframedAvro } from '../../../src/formats/avro/format.ts'
import { parseAvroSchema } from '../../../src/formats/avro/schema.ts'
import { debeziumColumns } from '../../../src/formats/debezium/columns.ts'
import { debeziumFormat } from '../../../src/formats/debezium/format.ts'
import type { Decoded, Format } from '../../../src/formats/format.ts'
import type { SchemaRegistry } from '../../../src/registry/registry.ts'
import { rawOf, structOf } from '../../support/flow/batches.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'
import { encoderOf } from '../../support/values/avro-values.ts'

const FIELDS = ['op', 'table', 'source.ts_ms', 'lsn', 'ts_ms']
const OWN = structOf({ id: 'long', name: 'string', price: 'decimal(10,2)' })
const SCHEMA: StructType = { type: 'struct', fields: [...OWN.fields, ...debeziumColumns(FIELDS)] }
const OPTIONS = { schema: SCHEMA, plain: plainContractOf(SCHEMA, undefined), unknownFields: 'leave' } as const

function envelopeOf(further: readonly object[] = [], op: unknown = 'string'): object {
  const fields = [
    { name: 'id', type: 'long' },
    { name: 'name', type: ['null', 'string'] },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } },
    ...further,
  ]
  return {
    type: 'record',
    name: 'Envelope',
    fields: [
      { name: 'before', type: ['null', { type: 'record', name: 'Value', fields }] },
      { name: 'after', type: ['null', 'Value'] },
      {
        name: 'source',
        type: {
          type: 'record',
          name: 'Source',
          fields: [
            { name: 'table', type: 'string' },
            { name: 'ts_ms', type: 'long' },
            { name: 'lsn', type: ['null', 'long'] },
          ],
        },
      },
      { name: 'op', type: op },
      { name: 'ts_ms', type: ['null', 'long'] },
    ],
  }
}

const state = (id: number, more: object = {}): object => ({
  Value: { id: BigInt(id), name: { string: `name ${id}` }, price: Buffer.of(id), ...more },
})
const event = (op: string, before: object | null, after: object | null): object => ({
  before,
  after,
  source: { table: 'orders', ts_ms: 1_700_000_000_000n, lsn: null },
  op,
  ts_ms: { long: 5n },
})

function formatsOf(envelope: object): { fast: Format; slow: Format } {
  const avro = unframedAvro(parseAvroSchema(envelope, 'test'))
  const events = (): Format => avroFormat(avro)
  return {
    fast: debeziumFormat(events(), { fields: FIELDS }, { schema: SCHEMA }, { columns: OPTIONS, avro }),
    slow: debeziumFormat(events(), { fields: FIELDS }, { schema: SCHEMA }),
  }
}

/** Asserts that both ways give the same; returns how records went the slow way. */
function decodeBoth(values: readonly (Uint8Array | null)[], envelope: object): Decoded['slow'] {
  const { fast, slow } = formatsOf(envelope)
  const raw = rawOf(values)
  const contract = contractOfTable(SCHEMA)
  assert.deepEqual(outcomesOf(fast, contract, raw), outcomesOf(slow, contract, raw))
  return fast.decode(raw).slow
}

test('All operations with a row, and tombstones, stay on columns', () => {
  const encode = encoderOf(envelopeOf())
  const events = [
    event('c', null, state(1)),
    event('u', state(1), state(2, { name: null })),
    event('r', null, state(3)),
    event('d', state(2), null),
  ]
  assert.equal(decodeBoth([...events.map(encode), null], envelopeOf()), undefined)
})

test('An event that is unusual goes the slow way alone', () => {
  const encode = encoderOf(envelopeOf())
  const usual = Array.from({ length: 20 }, (_, id) => encode(event('c', null, state(id))))
  const whole = encode(event('c', null, state(1)))
  const unusual = [
    encode(event('x', null, state(1))),
    encode(event('c', null, null)),
    whole.subarray(0, -1),
    Buffer.concat([whole, Buffer.of(0)]),
    Buffer.alloc(0),
    encode(event('c', null, state(1, { price: Buffer.alloc(20, 0x7f) }))),
  ]
  for (const value of unusual)
    assert.deepEqual(decodeBoth([...usual, value, ...usual], envelopeOf()), { value: 1 })
})

test('A schema whose columns are not there yet is learnt from objects', () => {
  const envelope = envelopeOf([{ name: 'added', type: 'string' }])
  const value = encoderOf(envelope)(event('c', null, state(1, { added: 'x' })))
  assert.deepEqual(decodeBoth([value, value], envelope), { schema: 2 })
})

test('What needs objects is said, and every event then is one', () => {
  const symbols = { type: 'enum', name: 'Op', symbols: ['c', 'u'] }
  const envelope = envelopeOf([], symbols)
  const value = encoderOf(envelope)(event('c', null, state(1)))
  assert.deepEqual(decodeBoth([value], envelope), { path: 1 })
  assert.deepEqual(formatsOf(envelope).fast.objectReasons?.(), [
    { subject: 'envelope', reason: 'op is not text' },
  ])
  assert.deepEqual(formatsOf(envelopeOf()).fast.objectReasons?.(), [])
})

test('Schemas of a registry are fetched once for both ways', async () => {
  const asked: unknown[] = []
  const registry: SchemaRegistry = {
    url: 'memory',
    schema: (id) => {
      asked.push(id)
      return Promise.resolve({ type: 'AVRO', text: JSON.stringify(envelopeOf()), references: [] })
    },
    latest: () => Promise.resolve(undefined),
  }
  const avro = registryFramedAvro(registry)
  const format = debeziumFormat(
    avroFormat(avro),
    { fields: FIELDS },
    { schema: SCHEMA },
    { columns: OPTIONS, avro },
  )
  const encode = encoderOf(envelopeOf())
  const framed = (each: object): Buffer => Buffer.concat([Buffer.of(0, 0, 0, 0, 7), encode(each)])
  const raw = rawOf([framed(event('c', null, state(1))), framed(event('x', null, state(2)))])
  await format.prepare?.(raw)
  const { validated, deadLetters, slow } = format.decode(raw)
  assert.deepEqual([validated?.records, deadLetters.length, slow], [Int32Array.of(0), 1, { value: 1 }])
  assert.deepEqual(asked, [7])
})
