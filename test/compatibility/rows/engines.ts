import { contractOf } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const json = JSON.stringify

/** Rows of Spark, Flink, Kafka Connect and users of kafka-delta-ingest. */
export const ENGINES: readonly CompatibilityRow[] = [
  {
    id: 'spark-to-json',
    topic: { inference: { timestamps: true } },
    batches: [
      [
        '{"id":1,"price":12.30,"at":"2026-03-01T10:00:00.123Z","day":"2026-03-01","raw":"AP8=","s":{"a":1},"m":{"k":1}}',
        '{"id":2}',
        '{}',
      ],
    ],
    expected: {
      columns: {
        id: 'long',
        price: 'double',
        at: 'timestamp',
        day: 'date',
        raw: 'string',
        s: 'struct<a: long>',
        m: 'struct<k: long>',
      },
      rows: [
        '{"id":1,"price":12.3,"at":"2026-03-01T10:00:00.123000Z","day":"2026-03-01","raw":"AP8=","s":{"a":1},"m":{"k":1}}',
        '{"id":2,"price":null,"at":null,"day":null,"raw":null,"s":null,"m":null}',
        '{"id":null,"price":null,"at":null,"day":null,"raw":null,"s":null,"m":null}',
      ],
    },
  },
  {
    id: 'spark-to-json-into-a-contract',
    ...contractOf({
      price: { type: 'number', 'x-delta-type': 'decimal(10,2)' },
      at: { type: 'string', format: 'date-time' },
      raw: { type: 'string', contentEncoding: 'base64' },
      m: { type: 'object', additionalProperties: { type: 'integer', 'x-delta-type': 'integer' } },
    }),
    batches: [['{"price":12.30,"at":"2026-03-01T10:00:00.123+01:00","raw":"AP8=","m":{"k":1}}']],
    expected: {
      columns: { price: 'decimal(10,2)', at: 'timestamp', raw: 'binary', m: 'map<string, integer>' },
      rows: ['{"price":12.30,"at":"2026-03-01T09:00:00.123000Z","raw":"AP8=","m":{"k":1}}'],
    },
  },
  {
    id: 'spark-to-avro',
    topic: { format: 'avro', avro: { schema: 'file:event.avsc' } },
    files: {
      'event.avsc': json({
        type: 'record',
        name: 'topLevelRecord',
        fields: [
          { name: 'id', type: ['long', 'null'] },
          { name: 'at', type: [{ type: 'long', logicalType: 'timestamp-micros' }, 'null'] },
          {
            name: 'price',
            type: [
              {
                type: 'fixed',
                name: 'fixed',
                namespace: 'topLevelRecord.price',
                size: 5,
                logicalType: 'decimal',
                precision: 10,
                scale: 2,
              },
              'null',
            ],
          },
        ],
      }),
    },
    batches: [
      [
        Buffer.from('0002' + '00' + '02' + '00' + '00000004ce', 'hex'),
        Buffer.from('020202', 'hex'),
        Buffer.from('0002', 'hex'),
      ],
    ],
    expected: {
      columns: { id: 'long', at: 'timestamp', price: 'decimal(10,2)' },
      rows: [
        '{"id":1,"at":"1970-01-01T00:00:00.000001Z","price":12.30}',
        '{"id":null,"at":null,"price":null}',
      ],
      letters: ['decode: expected a number, got the end'],
    },
  },
  {
    id: 'flink-json-sql-timestamps',
    ...contractOf({
      at: { type: 'string', 'x-delta-type': 'timestamp_ntz' },
      ltz: { type: 'string', 'x-delta-type': 'timestamp' },
      t: { type: 'string' },
    }),
    batches: [[json({ at: '2026-03-01 10:00:00.123', ltz: '2026-03-01 10:00:00.123Z', t: '10:00:00' })]],
    expected: {
      columns: { at: 'timestamp_ntz', ltz: 'timestamp', t: 'string' },
      rows: ['{"at":"2026-03-01T10:00:00.123000","ltz":"2026-03-01T10:00:00.123000Z","t":"10:00:00"}'],
    },
  },
  {
    id: 'flink-avro-confluent',
    topic: { format: 'avro', framing: 'registry' },
    registry: {
      ids: {
        1: {
          schema: json({
            type: 'record',
            name: 'record',
            namespace: 'org.apache.flink.avro.generated',
            fields: [
              { name: 'id', type: ['null', 'long'], default: null },
              {
                name: 'at',
                type: ['null', { type: 'long', logicalType: 'timestamp-millis' }],
                default: null,
              },
              {
                name: 'row',
                type: [
                  'null',
                  {
                    type: 'record',
                    name: 'record_row',
                    fields: [{ name: 'a', type: ['null', 'int'], default: null }],
                  },
                ],
                default: null,
              },
            ],
          }),
        },
      },
      subjects: { 'events-value': 1 },
    },
    batches: [[Buffer.from('0000000001' + '0202' + '0200' + '020206', 'hex')]],
    expected: {
      columns: { id: 'long', at: 'timestamp', row: 'struct<a: integer>' },
      rows: ['{"id":1,"at":"1970-01-01T00:00:00.000000Z","row":{"a":3}}'],
    },
  },
  {
    id: 'kafka-delta-ingest-transforms',
    ...contractOf(
      {
        status: { type: 'integer' },
        url: { type: 'string' },
        meta: {
          type: 'object',
          properties: {
            producer: { type: 'object', properties: { timestamp: { type: 'string', format: 'date-time' } } },
          },
        },
      },
      {
        transforms: {
          date: { expr: 'substr(meta.producer.timestamp, `0`, `10`)', type: 'date' },
          'meta.kafka.offset': 'kafka.offset',
          'meta.kafka.topic': 'kafka.topic',
        },
        table: { partitionColumns: ['date'] },
      },
    ),
    batches: [
      [
        json({ status: 200, url: '/', meta: { producer: { timestamp: '2026-03-01T10:00:00.000Z' } } }),
        json({ status: 200, url: '/' }),
      ],
    ],
    expected: {
      columns: {
        status: 'long',
        url: 'string',
        meta: 'struct<producer: struct<timestamp: timestamp>, kafka: struct<offset: long, topic: string>>',
        date: 'date',
      },
      rows: [
        '{"status":200,"url":"/","meta":{"producer":{"timestamp":"2026-03-01T10:00:00.000000Z"},"kafka":{"offset":0,"topic":"events"}},"date":"2026-03-01"}',
      ],
      letters: [
        'transform: date (substr(meta.producer.timestamp, `0`, `10`)): substr() expected text as argument 1, got null',
      ],
    },
  },
  {
    id: 'json-with-unknown-fields-dropped',
    ...contractOf({ id: { type: 'integer' } }, { table: { schemaEvolution: 'none' } }),
    batches: [['{"id":1,"more":{"a":1},"other":2}', '{"id":2}']],
    expected: { columns: { id: 'long' }, rows: ['{"id":1}', '{"id":2}'], droppedFields: 2 },
  },
  {
    id: 'json-with-unknown-fields-stopped',
    ...contractOf({ id: { type: 'integer' } }, { table: { schemaEvolution: 'failOnNewColumns' } }),
    batches: [['{"id":1}', '{"id":2,"more":1}']],
    expected: {
      error:
        'KD_SCHEMA_CHANGED: Messages contain fields that the table has no column for: neither the contract nor the table has more, and table.schemaEvolution is failOnNewColumns (topic events, partition 0, offset 1)',
    },
  },
  {
    id: 'json-beside-avro-and-text',
    topic: { formats: ['json', 'csv'], csv: { delimiter: ';' }, contract: 'file:contract.json' },
    files: {
      'contract.json': json({
        type: 'object',
        properties: { id: { type: 'integer' }, name: { type: 'string' } },
      }),
    },
    batches: [['{"id":1,"name":"Ada"}', '2;Eve', '{"id":3', 'x']],
    expected: {
      columns: { id: 'long', name: 'string' },
      rows: ['{"id":1,"name":"Ada"}', '{"id":2,"name":"Eve"}'],
      letters: [
        'decode: expected JSON: ',
        'decode: no format matches: csv: expected 2 fields, got 1; json: expected a brace first',
      ],
    },
  },
  {
    id: 'connect-schema-and-payload',
    batches: [
      [
        json({
          schema: {
            type: 'struct',
            optional: false,
            name: 'user',
            fields: [{ field: 'id', type: 'int32', optional: false }],
          },
          payload: { id: 1 },
        }),
      ],
    ],
    expected: {
      columns: {
        schema:
          'struct<type: string, optional: boolean, name: string, fields: array<struct<field: string, type: string, optional: boolean>>>',
        payload: 'struct<id: long>',
      },
      rows: [
        '{"schema":{"type":"struct","optional":false,"name":"user","fields":[{"field":"id","type":"int32","optional":false}]},"payload":{"id":1}}',
      ],
    },
  },
  {
    id: 'connect-string-converter',
    topic: { transforms: { id: { expr: 'parse_json(value).id', type: 'long' } }, format: 'text' },
    batches: [['{"id":1}', 'no json']],
    expected: {
      columns: { value: 'string', id: 'long' },
      rows: ['{"value":"{\\"id\\":1}","id":1}'],
      letters: ['transform: id (parse_json(value).id): '],
    },
  },
]
