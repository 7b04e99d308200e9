import avsc from 'avsc'
import protobuf from 'protobufjs'
import { CHANGED_ROW } from './json-shapes.ts'
import { idOf, numbered, scattered, timeOf, type Shape } from './shape.ts'

const AVRO_ID = 101
const CHANGE_ID = 102

const EVENT_SCHEMA = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'user', type: 'long' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['view', 'cart', 'order'] } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 } },
    { name: 'score', type: 'double' },
    { name: 'country', type: ['null', 'string'] },
    {
      name: 'page',
      type: {
        type: 'record',
        name: 'Page',
        fields: [
          { name: 'path', type: 'string' },
          { name: 'position', type: 'int' },
        ],
      },
    },
    { name: 'first', type: 'boolean' },
  ],
}

/** An instant as Debezium registers it. */
const MICRO_TIMESTAMP = {
  type: 'long',
  'connect.version': 1,
  'connect.name': 'io.debezium.time.MicroTimestamp',
}

const CHANGE_SCHEMA = {
  type: 'record',
  name: 'Envelope',
  fields: [
    {
      name: 'before',
      type: [
        'null',
        {
          type: 'record',
          name: 'Value',
          fields: [
            { name: 'id', type: 'long' },
            { name: 'customer', type: 'string' },
            { name: 'amount', type: 'double' },
            { name: 'updated_at', type: MICRO_TIMESTAMP },
            { name: 'open', type: 'boolean' },
          ],
        },
      ],
    },
    { name: 'after', type: ['null', 'Value'] },
    { name: 'op', type: 'string' },
    { name: 'ts_ms', type: ['null', 'long'] },
  ],
}

/** Encodes with the header of the schema registry. */
function framing(id: number, schema: object): (value: object) => Buffer {
  const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: true })
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return (value) => Buffer.concat([header, type.toBuffer(value)])
}

const AVRO: Shape = {
  name: 'avro',
  title: 'Avro, nine fields with a decimal, a timestamp, an enum, a union and a record',
  topic: { format: 'avro', framing: 'registry' },
  registry: { [AVRO_ID]: EVENT_SCHEMA },
  records: (count) => {
    const encode = framing(AVRO_ID, EVENT_SCHEMA)
    const amount = Buffer.alloc(4)
    return numbered(count, (sink, number) => {
      const value = scattered(number)
      amount.writeInt32BE(value >>> 1)
      sink.raw(
        encode({
          ...{ id: idOf(number), user: value % 1_000_000, kind: ['view', 'cart', 'order'][value % 3] },
          ...{ at: timeOf(number) * 1_000, amount, score: value / 7, first: value % 2 === 0 },
          country: value % 5 === 0 ? null : { string: 'DE' },
          page: { path: `/p/${value % 1_000}`, position: value % 50 },
        }),
      )
    })
  },
}

const DEBEZIUM_AVRO: Shape = {
  name: 'debezium-avro',
  title: 'Debezium changes in Avro, the row after the change',
  contract: CHANGED_ROW,
  topic: { format: 'avro', framing: 'registry', envelope: 'debezium' },
  registry: { [CHANGE_ID]: CHANGE_SCHEMA },
  records: (count) => {
    const encode = framing(CHANGE_ID, CHANGE_SCHEMA)
    return numbered(count, (sink, number) => {
      const row = {
        ...{ id: number, customer: `customer ${number % 5_000}`, amount: (number % 900) + 0.5 },
        ...{ updated_at: timeOf(number) * 1_000, open: number % 2 === 0 },
      }
      sink.raw(encode({ before: null, after: { Value: row }, op: 'c', ts_ms: { long: timeOf(number) } }))
    })
  },
}

const PROTO = `syntax = "proto3";
message Order {
  message Line {
    string sku = 1;
    int32 quantity = 2;
  }
  string id = 1;
  int64 customer = 2;
  double total = 3;
  bool gift = 4;
  int64 at_ms = 5;
  repeated Line lines = 6;
  optional string note = 7;
}
`
const PROTOBUF: Shape = {
  name: 'protobuf',
  title: 'Protobuf, seven fields with a list of messages',
  topic: { format: 'protobuf', protobuf: { schema: 'file:order.proto', message: 'Order' } },
  files: { 'order.proto': PROTO },
  records: (count) => {
    const type = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('Order')
    return numbered(count, (sink, number) => {
      const value = scattered(number)
      const lines = [{ sku: `SKU-${value % 9_000}`, quantity: 1 + (value % 9) }]
      if (number % 2 === 0) lines.push({ sku: 'SKU-1', quantity: 1 })
      const order = {
        ...{
          id: idOf(number),
          customer: value % 100_000,
          total: value / 100,
          gift: value % 9 === 0,
          at_ms: timeOf(number),
        },
        ...(value % 4 === 0 ? { note: 'leave it at the door' } : {}),
      }
      sink.raw(type.encode({ ...order, lines }).finish())
    })
  },
}

const CSV_COLUMNS = ['id', 'user_id', 'at', 'amount', 'country', 'first', 'comment']
const CSV: Shape = {
  name: 'csv',
  title: 'CSV, seven fields',
  topic: { format: 'csv', csv: { columns: CSV_COLUMNS } },
  contract: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      user_id: { type: 'integer' },
      at: { type: 'string', format: 'date-time' },
      amount: { type: ['number', 'null'] },
      country: { type: 'string' },
      first: { type: 'boolean' },
      comment: { type: ['string', 'null'] },
    },
    required: ['id'],
  },
  records: (count) =>
    numbered(count, (sink, number) => {
      const value = scattered(number)
      const comment = value % 10 === 0 ? '"with a comma, and ""quotes"""' : 'short'
      sink.text(
        `${idOf(number)},${value % 1_000_000},${new Date(timeOf(number)).toISOString()},${value % 500}.25,DE,${value % 2 === 0},${comment}`,
      )
    }),
}

/** The shapes whose values are not JSON. */
export const BINARY_SHAPES: readonly Shape[] = [AVRO, DEBEZIUM_AVRO, PROTOBUF, CSV]
