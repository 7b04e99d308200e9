import { changeOf, describedChange, SOURCE } from '../support/changes.ts'
import { avroSchema, contractOf, framedAvro } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const TOPIC = { envelope: 'debezium', debezium: { fields: ['op'] } }
const connect = (type: string, name: string, more: object = {}): object => ({
  type,
  'connect.version': 1,
  'connect.name': name,
  ...more,
})
const VARIABLE = {
  type: 'record',
  name: 'VariableScaleDecimal',
  namespace: 'io.debezium.data',
  'connect.name': 'io.debezium.data.VariableScaleDecimal',
  fields: [
    { name: 'scale', type: 'int' },
    { name: 'value', type: 'bytes' },
  ],
}
const GEOMETRY = {
  type: 'record',
  name: 'Geometry',
  namespace: 'io.debezium.data.geometry',
  fields: [
    { name: 'wkb', type: 'bytes' },
    { name: 'srid', type: ['null', 'int'], default: null },
  ],
}
const AVRO_ROW = {
  type: 'record',
  name: 'Value',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'us', type: ['null', connect('long', 'io.debezium.time.MicroTimestamp')], default: null },
    { name: 'ns', type: connect('long', 'io.debezium.time.NanoTimestamp') },
    { name: 'zoned', type: connect('string', 'io.debezium.time.ZonedTimestamp') },
    { name: 'day', type: ['null', connect('int', 'io.debezium.time.Date')] },
    { name: 'time', type: connect('long', 'io.debezium.time.MicroTime') },
    {
      name: 'price',
      type: {
        type: 'bytes',
        scale: 2,
        precision: 10,
        'connect.name': 'org.apache.kafka.connect.data.Decimal',
        logicalType: 'decimal',
      },
    },
    { name: 'loose', type: VARIABLE },
    { name: 'place', type: ['null', GEOMETRY] },
    { name: 'flags', type: connect('bytes', 'io.debezium.data.Bits') },
    { name: 'state', type: connect('string', 'io.debezium.data.Enum') },
  ],
}
const AVRO_EVENT = {
  type: 'record',
  name: 'Envelope',
  namespace: 'shop',
  fields: [
    { name: 'before', type: ['null', AVRO_ROW], default: null },
    { name: 'after', type: ['null', 'Value'], default: null },
    { name: 'op', type: 'string' },
  ],
}
const json = JSON.stringify

/** Rows of Debezium for MySQL, Oracle, SQL Server and MongoDB, and in Avro. */
export const DEBEZIUM_OTHERS: readonly CompatibilityRow[] = [
  {
    id: 'debezium-mysql-time-of-day-as-text',
    ...contractOf({ at: { type: 'string' }, ms: { type: 'string' } }, TOPIC),
    batches: [
      [
        describedChange(
          [
            ['at', 'int64', 'io.debezium.time.MicroTime'],
            ['ms', 'int32', 'io.debezium.time.Time'],
          ],
          { at: 3_723_000_004, ms: 3_723_004 },
        ),
      ],
    ],
    expected: {
      columns: { at: 'string', ms: 'string', __op: 'string', __deleted: 'boolean' },
      rows: ['{"at":"01:02:03.000004","ms":"01:02:03.004000","__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-mysql-unsigned-bigint-as-long',
    topic: TOPIC,
    batches: [[describedChange([['n', 'int64']], { n: -1 })]],
    expected: {
      columns: { n: 'long', __op: 'string', __deleted: 'boolean' },
      rows: ['{"n":-1,"__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-mysql-unsigned-bigint-precise',
    ...contractOf({ n: { type: 'number', 'x-delta-type': 'decimal(20,0)' } }, TOPIC),
    batches: [
      [
        describedChange(
          [
            [
              'n',
              'bytes',
              'org.apache.kafka.connect.data.Decimal',
              { parameters: { scale: '0', 'connect.decimal.precision': '20' } },
            ],
          ],
          { n: 'AP//////////' },
        ),
      ],
    ],
    expected: {
      columns: { n: 'decimal(20,0)', __op: 'string', __deleted: 'boolean' },
      rows: ['{"n":18446744073709551615,"__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-schema-change-topic',
    topic: TOPIC,
    batches: [
      [
        json({ source: SOURCE, databaseName: 'shop', ddl: 'ALTER TABLE t ADD c INT', tableChanges: [] }),
        json(changeOf('c', null, { id: 1 })),
      ],
    ],
    expected: {
      columns: { id: 'long', __op: 'string', __deleted: 'boolean' },
      rows: ['{"id":1,"__op":"c","__deleted":false}'],
      filtered: 1,
    },
  },
  {
    id: 'debezium-mongodb-document',
    ...contractOf({ _id: { type: 'string' } }, TOPIC),
    batches: [
      [
        json(
          changeOf(
            'c',
            null,
            '{"_id": {"$oid": "596e275826f08b2730779e1f"},"name": "Ada","n": {"$numberLong": "9007199254740993"}}',
          ),
        ),
        json({
          ...changeOf('u', null, '{"_id": 1,"name": "Eve"}'),
          updateDescription: { removedFields: null, updatedFields: '{"name": "Eve"}', truncatedArrays: null },
        }),
        json(changeOf('d', null, null)),
      ],
    ],
    expected: {
      columns: { _id: 'string', __op: 'string', __deleted: 'boolean' },
      rows: [],
      letters: [
        'decode: expected the row in after of an event with op c, got "{\\"_id\\": {\\"$oid\\": \\"596e275826f08b2730779e1f\\"},\\"name\\": \\"Ada\\",\\"n\\": {\\"$numberLong\\": \\"900',
        'decode: expected the row in after of an event with op u, got "{\\"_id\\": 1,\\"name\\": \\"Eve\\"}"',
        'decode: expected the row in before of an event with op d, got null',
      ],
    },
  },
  {
    id: 'debezium-mongodb-by-transforms',
    topic: {
      transforms: {
        id: { expr: 'parse_json(after)._id."$oid"', type: 'string' },
        name: { expr: 'parse_json(after).name', type: 'string' },
        op: 'op',
      },
      drop: ['before', 'after', 'source', 'ts_ms', 'transaction'],
    },
    batches: [
      [
        json(changeOf('c', null, '{"_id": {"$oid": "596e275826f08b2730779e1f"},"name": "Ada"}')),
        json(changeOf('d', null, null)),
      ],
    ],
    expected: {
      columns: { op: 'string', id: 'string', name: 'string' },
      rows: ['{"op":"c","id":"596e275826f08b2730779e1f","name":"Ada"}', '{"op":"d","id":null,"name":null}'],
    },
  },
  {
    id: 'debezium-avro-types',
    topic: { format: 'avro', framing: 'registry', envelope: 'debezium', debezium: { fields: ['op'] } },
    registry: { ids: { 1: avroSchema(AVRO_EVENT) }, subjects: { 'events-value': 1 } },
    batches: [
      [
        framedAvro(1, AVRO_EVENT, {
          before: null,
          after: {
            'shop.Value': {
              id: 1,
              us: { long: 1_772_323_200_123_456n },
              ns: 1_772_323_200_123_456_789n,
              zoned: '2026-03-01T00:00:00Z',
              day: { int: 20_513 },
              time: 3_600_000_001n,
              price: Buffer.from('04d2', 'hex'),
              loose: { scale: 3, value: Buffer.from('2134', 'hex') },
              place: {
                'io.debezium.data.geometry.Geometry': { wkb: Buffer.from('AQE=', 'base64'), srid: null },
              },
              flags: Buffer.from([42]),
              state: 'PAID',
            },
          },
          op: 'c',
        }),
      ],
    ],
    expected: {
      columns: {
        id: 'integer',
        us: 'timestamp',
        ns: 'long',
        zoned: 'string',
        day: 'date',
        time: 'long',
        price: 'decimal(10,2)',
        loose: 'struct<scale: integer, value: binary>',
        place: 'struct<wkb: binary, srid: integer>',
        flags: 'binary',
        state: 'string',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: [
        '{"id":1,"us":"2026-03-01T00:00:00.123456Z","ns":1772323200123456789,"zoned":"2026-03-01T00:00:00Z","day":"2026-03-01","time":3600000001,"price":12.34,"loose":{"scale":3,"value":"ITQ="},"place":{"wkb":"AQE=","srid":null},"flags":"Kg==","state":"PAID","__op":"c","__deleted":false}',
      ],
    },
  },
]
