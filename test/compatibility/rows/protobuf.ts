import { protoEncoderOf } from '../../support/values/proto-values.ts'
import { framed } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const TOPIC = { format: 'protobuf', framing: 'registry' }
const FIRST = Buffer.of(0)
const PROTO3 = 'syntax = "proto3"; package shop;'

/** Returns a row of messages of the first message type of a schema. */
function protoRow(
  id: string,
  schema: string,
  values: readonly object[],
  expected: CompatibilityRow['expected'],
): CompatibilityRow {
  const encode = protoEncoderOf(schema, 'shop.Event')
  return {
    id,
    topic: TOPIC,
    registry: { ids: { 1: { schemaType: 'PROTOBUF', schema } }, subjects: { 'events-value': 1 } },
    batches: [values.map((value) => framed(1, encode(value), FIRST))],
    expected,
  }
}

const TWO = `${PROTO3}
message Event { int64 id = 1; message Inner { string name = 1; } }
message Other { string name = 1; message Deep { double x = 1; } }`
const PRESENCE = `${PROTO3}
import "google/protobuf/wrappers.proto";
message Event {
  int32 plain = 1; optional int32 maybe = 2; google.protobuf.Int32Value wrapped = 3;
  string text = 4; optional string maybe_text = 5; repeated int32 list = 6; Part part = 7;
}
message Part { int32 n = 1; }`
const ONEOF = `${PROTO3}
message Event { oneof choice { int32 number = 1; string text = 2; bool flag = 3; } }`
const WELL_KNOWN = `${PROTO3}
import "google/protobuf/struct.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/any.proto";
message Event {
  google.protobuf.Struct doc = 1; google.protobuf.Empty nothing = 2; Marker marker = 3;
  google.protobuf.Timestamp at = 4; google.protobuf.Duration took = 5; google.protobuf.Any details = 6;
}
message Marker {}`
const RECURSIVE = `${PROTO3} message Event { int64 id = 1; Event next = 2; }`
const NUMBERS = `${PROTO3}
message Event { uint32 u32 = 1; uint64 u64 = 2; sint64 s64 = 3; fixed64 f64 = 4; float f = 5; State state = 6;
  map<int32, string> names = 7; bytes raw = 8; }
enum State { UNKNOWN = 0; PAID = 1; }`

const OPTIONS = `${PROTO3}
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { string pii = 50001; }
message Event { int64 id = 1 [(pii) = "yes", deprecated = true]; reserved 5, 7 to 9; }`
const GOOGLE = `${PROTO3}
import "google/type/date.proto";
import "google/type/money.proto";
message Event { int64 id = 1; google.type.Date day = 2; google.type.Money price = 3; }`
/** Rows of producers that write Protobuf. */
export const PROTOBUF: readonly CompatibilityRow[] = [
  {
    id: 'protobuf-message-indexes',
    topic: TOPIC,
    registry: { ids: { 1: { schemaType: 'PROTOBUF', schema: TWO } }, subjects: { 'events-value': 1 } },
    batches: [
      [
        framed(1, protoEncoderOf(TWO, 'shop.Event')({ id: 7 }), FIRST),
        framed(1, protoEncoderOf(TWO, 'shop.Event')({ id: 8 }), Buffer.of(2, 0)),
        framed(1, protoEncoderOf(TWO, 'shop.Event')({ id: 9 })),
        framed(1, protoEncoderOf(TWO, 'shop.Other')({ name: 'x' }), Buffer.of(2, 2)),
        framed(1, protoEncoderOf(TWO, 'shop.Other.Deep')({ x: 0.5 }), Buffer.of(4, 2, 0)),
        framed(1, protoEncoderOf(TWO, 'shop.Event')({ id: 10 }), Buffer.of(2, 198, 1)),
      ],
    ],
    expected: {
      columns: { id: 'long', name: 'string', x: 'double' },
      rows: [
        '{"id":7,"name":null,"x":null}',
        '{"id":8,"name":null,"x":null}',
        '{"id":9,"name":null,"x":null}',
        '{"id":null,"name":"x","x":null}',
        '{"id":null,"name":null,"x":0.5}',
      ],
      letters: ['decode: expected the indexes of a message, got 99'],
    },
  },
  {
    id: 'protobuf-one-message-type',
    topic: { ...TOPIC, protobuf: { message: 'shop.Event' } },
    registry: { ids: { 1: { schemaType: 'PROTOBUF', schema: TWO } }, subjects: { 'events-value': 1 } },
    batches: [
      [
        framed(1, protoEncoderOf(TWO, 'shop.Event')({ id: 7 }), FIRST),
        framed(1, protoEncoderOf(TWO, 'shop.Other')({ name: 'x' }), Buffer.of(2, 2)),
      ],
    ],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":7}'],
      letters: ['decode: expected the message shop.Event, got shop.Other'],
    },
  },
  protoRow(
    'protobuf-presence',
    PRESENCE,
    [
      {},
      {
        plain: 0,
        maybe: 0,
        wrapped: { value: 0 },
        text: '',
        maybeText: '',
        maybe_text: '',
        list: [0],
        part: {},
      },
    ],
    {
      columns: {
        plain: 'integer',
        maybe: 'integer',
        wrapped: 'integer',
        text: 'string',
        maybe_text: 'string',
        list: 'array<integer>',
        part: 'struct<n: integer>',
      },
      rows: [
        '{"plain":0,"maybe":null,"wrapped":null,"text":"","maybe_text":null,"list":[],"part":null}',
        '{"plain":0,"maybe":0,"wrapped":0,"text":"","maybe_text":"","list":[0],"part":{"n":0}}',
      ],
    },
  ),
  protoRow('protobuf-oneof-set-to-its-default', ONEOF, [{ number: 0 }, { text: '' }, { flag: false }, {}], {
    columns: { number: 'integer', text: 'string', flag: 'boolean' },
    rows: [
      '{"number":0,"text":null,"flag":null}',
      '{"number":null,"text":"","flag":null}',
      '{"number":null,"text":null,"flag":false}',
      '{"number":null,"text":null,"flag":null}',
    ],
  }),
  protoRow(
    'protobuf-well-known-types',
    WELL_KNOWN,
    [
      {
        doc: { fields: { a: { numberValue: 1 }, b: { listValue: { values: [{ nullValue: 0 }] } } } },
        nothing: {},
        marker: {},
        at: { seconds: 1_772_323_200, nanos: 123_456_789 },
        took: { seconds: 1, nanos: 500_000_000 },
        details: { type_url: 'type.googleapis.com/shop.Marker', value: Buffer.from('') },
      },
      {},
    ],
    {
      columns: {
        doc: 'string',
        nothing: 'boolean',
        marker: 'boolean',
        at: 'timestamp',
        took: 'decimal(21,9)',
        details: 'struct<type_url: string, value: binary>',
      },
      rows: [
        '{"doc":"{\\"a\\":1,\\"b\\":[null]}","nothing":true,"marker":true,"at":"2026-03-01T00:00:00.123456Z","took":1.500000000,"details":{"type_url":"type.googleapis.com/shop.Marker","value":""}}',
        '{"doc":null,"nothing":null,"marker":null,"at":null,"took":null,"details":null}',
      ],
    },
  ),
  protoRow('protobuf-recursive', RECURSIVE, [{ id: 1 }], {
    error: 'KD_CONTRACT_INVALID: The contract cannot be used: shop.Event',
  }),
  protoRow(
    'protobuf-numbers-enums-maps',
    NUMBERS,
    [
      {
        u32: 4_294_967_295,
        u64: '18446744073709551615',
        s64: '-9223372036854775808',
        f64: '18446744073709551615',
        f: 0.5,
        state: 1,
        names: { 7: 'seven' },
        raw: Buffer.from([0, 255]),
      },
      { state: 9 },
    ],
    {
      columns: {
        u32: 'long',
        u64: 'decimal(20,0)',
        s64: 'long',
        f64: 'decimal(20,0)',
        f: 'float',
        state: 'string',
        names: 'map<string, string>',
        raw: 'binary',
      },
      rows: [
        '{"u32":4294967295,"u64":18446744073709551615,"s64":-9223372036854775808,"f64":18446744073709551615,"f":0.5,"state":"PAID","names":{"7":"seven"},"raw":"AP8="}',
        '{"u32":0,"u64":0,"s64":0,"f64":0,"f":0,"state":"9","names":{},"raw":""}',
      ],
    },
  ),
  {
    id: 'protobuf-without-frame',
    topic: { format: 'protobuf', protobuf: { schema: 'file:event.proto', message: 'shop.Event' } },
    files: { 'event.proto': TWO },
    batches: [[protoEncoderOf(TWO, 'shop.Event')({ id: 7 }), Buffer.from('08', 'hex')]],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":7}'],
      letters: ['decode: expected a number, got the end'],
    },
  },
  {
    id: 'protobuf-field-added-while-running',
    topic: { ...TOPIC, protobuf: { message: 'shop.Event' } },
    registry: {
      ids: {
        1: { schemaType: 'PROTOBUF', schema: `${PROTO3} message Event { int64 id = 1; }` },
        2: { schemaType: 'PROTOBUF', schema: `${PROTO3} message Event { int64 id = 1; string name = 2; }` },
      },
      subjects: { 'events-value': 1 },
    },
    batches: [
      [framed(1, Buffer.of(8, 1), FIRST)],
      [framed(2, Buffer.from('08021a03416461'.replace('1a', '12'), 'hex'), FIRST)],
    ],
    expected: {
      columns: { id: 'long', name: 'string' },
      rows: ['{"id":1,"name":null}', '{"id":2,"name":"Ada"}'],
    },
  },
  {
    id: 'protobuf-custom-options',
    topic: TOPIC,
    registry: { ids: { 1: { schemaType: 'PROTOBUF', schema: OPTIONS } }, subjects: { 'events-value': 1 } },
    batches: [[framed(1, Buffer.of(8, 1), FIRST)]],
    expected: { columns: { id: 'long' }, rows: ['{"id":1}'] },
  },
  {
    id: 'protobuf-google-types',
    topic: TOPIC,
    registry: { ids: { 1: { schemaType: 'PROTOBUF', schema: GOOGLE } }, subjects: { 'events-value': 1 } },
    batches: [
      [
        framed(
          1,
          Buffer.from('0801' + '120708ea0f10031801' + '1a0d0a0345555210081880cab5ee01', 'hex'),
          FIRST,
        ),
        framed(1, Buffer.of(8, 2), FIRST),
      ],
    ],
    expected: {
      columns: {
        id: 'long',
        day: 'struct<year: integer, month: integer, day: integer>',
        price: 'struct<currency_code: string, units: long, nanos: integer>',
      },
      rows: [
        '{"id":1,"day":{"year":2026,"month":3,"day":1},"price":{"currency_code":"EUR","units":8,"nanos":500000000}}',
        '{"id":2,"day":null,"price":null}',
      ],
    },
  },
]
