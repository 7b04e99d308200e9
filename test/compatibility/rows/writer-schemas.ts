import {
  avroRecord,
  avroRow,
  avroSchema,
  contractOf,
  framed,
  framedAvro,
  jsonSchemaRow,
  registryOf,
  REGISTRY_AVRO,
} from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const json = JSON.stringify
const GUID = '2f1b0d4e-4b0a-4a8e-9d1d-0c8f8b9f3c11'
const OLD = avroRecord({ id: 'long' })
const ORDER = avroRecord({ order_id: 'long', total: 'double', note: ['null', 'string'] }, 'OrderPlaced')
const REFUND = avroRecord({ order_id: 'long', cents: 'int', note: ['null', 'string'] }, 'OrderRefunded')
const nested = (fields: object, more: object = {}): object => {
  const type = (name: string): object => avroRecord(fields as Readonly<Record<string, unknown>>, name)
  return avroRecord({
    s: type('S'),
    list: { type: 'array', items: type('L') },
    map: { type: 'map', values: type('M') },
    ...more,
  })
}
const NARROW = nested({ a: 'int' })
const WIDE = nested(
  { a: 'int', b: 'float' },
  { at: ['null', { type: 'long', logicalType: 'timestamp-micros' }], n: ['null', 'int'] },
)
const PROTO = 'syntax = "proto3"; message Event { int32 id = 1; bytes raw = 2; }'

/** Rows of values that name a schema of the registry, by which new columns get their types. */
export const WRITER_SCHEMAS: readonly CompatibilityRow[] = [
  {
    id: 'avro-id-in-a-header',
    topic: REGISTRY_AVRO,
    registry: { ...registryOf(OLD), guids: { [GUID]: 1 } },
    batches: [
      [
        {
          value: framedAvro(1, OLD, { id: 1n }).subarray(5),
          headers: { __value_schema_id: Buffer.from(`01${GUID.replaceAll('-', '')}`, 'hex') },
        },
        {
          value: framedAvro(1, OLD, { id: 2n }).subarray(5),
          headers: { __value_schema_id: Buffer.from('0000000001', 'hex') },
        },
        framedAvro(1, OLD, { id: 3n }),
        {
          value: framedAvro(1, OLD, { id: 4n }).subarray(5),
          headers: { __value_schema_id: Buffer.from('02', 'hex') },
        },
      ],
    ],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":1}', '{"id":2}', '{"id":3}'],
      letters: [
        'decode: expected a schema id (00 and 4 bytes) or a GUID (01 and 16 bytes) in the header __value_schema_id, got 1 bytes 02',
      ],
    },
  },
  {
    id: 'avro-ids-of-apicurio',
    topic: REGISTRY_AVRO,
    registry: registryOf(OLD),
    batches: [
      [
        {
          value: framedAvro(1, OLD, { id: 1n }).subarray(5),
          headers: { 'apicurio.value.globalId': Buffer.from('0000000000000001', 'hex') },
        },
        Buffer.concat([Buffer.from('000000000000000001', 'hex'), Buffer.of(2)]),
      ],
    ],
    expected: {
      columns: { id: 'long' },
      rows: [],
      letters: [
        'decode: expected the zero byte in front of a schema id, got the header apicurio.value.globalId of Apicurio, which is not supported',
        'decode: expected a schema id that the registry knows, got 0',
      ],
    },
  },
  {
    id: 'avro-ids-of-glue',
    topic: REGISTRY_AVRO,
    registry: registryOf(OLD),
    batches: [[Buffer.concat([Buffer.of(3, 0), Buffer.from(GUID.replaceAll('-', ''), 'hex'), Buffer.of(2)])]],
    expected: {
      columns: { id: 'long' },
      rows: [],
      letters: [
        "decode: expected the zero byte in front of a schema id, got the prefix of AWS Glue's schema registry, which is not supported",
      ],
    },
  },
  {
    id: 'avro-several-records-without-a-subject',
    topic: REGISTRY_AVRO,
    registry: { ids: { 1: avroSchema(ORDER), 2: avroSchema(REFUND) }, subjects: { 'shop.OrderPlaced': 1 } },
    batches: [
      [framedAvro(1, ORDER, { order_id: 1n, total: 2, note: null })],
      [framedAvro(2, REFUND, { order_id: 1n, cents: 7, note: { string: 'late' } })],
    ],
    expected: {
      columns: { order_id: 'long', total: 'double', note: 'string', cents: 'integer' },
      rows: [
        '{"order_id":1,"total":2,"note":null,"cents":null}',
        '{"order_id":1,"total":null,"note":"late","cents":7}',
      ],
    },
  },
  {
    id: 'avro-record-added-while-running',
    topic: { ...REGISTRY_AVRO, inference: { records: 1 } },
    registry: { ids: { 1: avroSchema(ORDER), 2: avroSchema(REFUND) } },
    batches: [
      [framedAvro(1, ORDER, { order_id: 1n, total: 2, note: null })],
      [framedAvro(2, REFUND, { order_id: 1n, cents: 7, note: { string: 'late' } })],
    ],
    expected: {
      columns: { order_id: 'long', total: 'double', note: 'string', cents: 'integer' },
      rows: [
        '{"order_id":1,"total":2,"note":null,"cents":null}',
        '{"order_id":1,"total":null,"note":"late","cents":7}',
      ],
    },
  },
  {
    id: 'avro-nested-fields-added-while-running',
    topic: REGISTRY_AVRO,
    registry: { ids: { 1: avroSchema(NARROW), 2: avroSchema(WIDE) }, subjects: { 'events-value': 1 } },
    batches: [
      [framedAvro(1, NARROW, { s: { a: 1 }, list: [{ a: 1 }], map: { k: { a: 1 } } })],
      [
        framedAvro(2, WIDE, {
          s: { a: 2, b: 2 },
          list: [{ a: 2, b: 2 }],
          map: { k: { a: 2, b: 2 } },
          at: null,
          n: null,
        }),
      ],
    ],
    // It casts no map whose values have got a field more.
    notRead: { 'delta-rs': /Cannot cast column 'map'/ },
    expected: {
      columns: {
        s: 'struct<a: integer, b: float>',
        list: 'array<struct<a: integer, b: float>>',
        map: 'map<string, struct<a: integer, b: float>>',
        at: 'timestamp',
        n: 'integer',
      },
      rows: [
        '{"s":{"a":1,"b":null},"list":[{"a":1,"b":null}],"map":{"k":{"a":1,"b":null}},"at":null,"n":null}',
        '{"s":{"a":2,"b":2},"list":[{"a":2,"b":2}],"map":{"k":{"a":2,"b":2}},"at":null,"n":null}',
      ],
    },
  },
  avroRow(
    'avro-empty-record',
    avroRecord({ id: 'long', marker: avroRecord({}, 'Marker') }),
    [{ id: 1n, marker: {} }],
    { columns: { id: 'long', marker: 'boolean' }, rows: ['{"id":1,"marker":true}'] },
  ),
  {
    id: 'avro-decimal-64-digits-beside-a-contract',
    ...contractOf({ id: { type: 'integer' } }, { ...REGISTRY_AVRO, table: { schemaEvolution: 'none' } }),
    registry: registryOf(
      avroRecord({ id: 'long', wide: { type: 'bytes', logicalType: 'decimal', precision: 64, scale: 2 } }),
    ),
    batches: [[framed(1, Buffer.of(2, 2, 1))]],
    expected: { columns: { id: 'long' }, rows: ['{"id":1}'], droppedFields: 1 },
  },
  {
    id: 'protobuf-without-a-subject',
    topic: { format: 'protobuf', framing: 'registry' },
    registry: { ids: { 1: { schemaType: 'PROTOBUF', schema: PROTO } } },
    batches: [[framed(1, Buffer.of(8, 1, 18, 4, 1, 2, 3, 4), Buffer.of(0))]],
    expected: { columns: { id: 'integer', raw: 'binary' }, rows: ['{"id":1,"raw":"AQIDBA=="}'] },
  },
  {
    id: 'json-schema-number-added-while-running',
    topic: { format: 'json', framing: 'registry' },
    registry: {
      ids: {
        1: { schemaType: 'JSON', schema: json({ type: 'object', properties: { id: { type: 'integer' } } }) },
        2: {
          schemaType: 'JSON',
          schema: json({
            type: 'object',
            properties: {
              id: { type: 'integer' },
              rate: { type: 'number' },
              at: { type: 'string', format: 'date-time' },
            },
          }),
        },
      },
      subjects: { 'events-value': 1 },
    },
    batches: [
      [framed(1, json({ id: 1 }))],
      [framed(2, json({ id: 2, rate: 2, at: '2026-03-01T10:00:00Z' }))],
    ],
    expected: {
      columns: { id: 'long', rate: 'double', at: 'timestamp' },
      rows: ['{"id":1,"rate":null,"at":null}', '{"id":2,"rate":2,"at":"2026-03-01T10:00:00.000000Z"}'],
    },
  },
  jsonSchemaRow(
    'json-schema-one-of-objects-as-text',
    {
      type: 'object',
      properties: {
        id: { type: 'integer' },
        payment: {
          'x-delta-type': 'string',
          oneOf: [
            { type: 'object', required: ['card'], properties: { card: { type: 'string' } } },
            { type: 'object', required: ['iban'], properties: { iban: { type: 'string' } } },
          ],
        },
      },
    },
    [
      { id: 1, payment: { card: '4711' } },
      { id: 2, payment: {} },
    ],
    {
      columns: { id: 'long', payment: 'string' },
      rows: ['{"id":1,"payment":"{\\"card\\":\\"4711\\"}"}'],
      letters: ["contract: /payment must have required property 'card', got {}"],
    },
  ),
]
