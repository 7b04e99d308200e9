import { avroRecord, avroRow } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const logical = (type: string, logicalType: string, more: object = {}): object => ({
  type,
  logicalType,
  ...more,
})
const optional = (type: unknown): unknown[] => ['null', type]
const LOGICAL = avroRecord({
  day: logical('int', 'date'),
  ms: logical('long', 'timestamp-millis'),
  us: logical('long', 'timestamp-micros'),
  local_ms: logical('long', 'local-timestamp-millis'),
  local_us: logical('long', 'local-timestamp-micros'),
  time_ms: logical('int', 'time-millis'),
  time_us: logical('long', 'time-micros'),
  uuid: logical('string', 'uuid'),
  price: logical('bytes', 'decimal', { precision: 9, scale: 2 }),
})
const LOGICAL_VALUE = {
  day: 20_513,
  ms: 1_772_323_200_123n,
  us: 1_772_323_200_123_456n,
  local_ms: 1_772_323_200_123n,
  local_us: 1_772_323_200_123_456n,
  time_ms: 3_600_001,
  time_us: 3_600_000_001n,
  uuid: '2f1b0d4e-4b0a-4a8e-9d1d-0c8f8b9f3c11',
  price: Buffer.from([0x04, 0xd2]),
}
const MONEY = { type: 'fixed', name: 'Money', size: 8, logicalType: 'decimal', precision: 18, scale: 4 }
const AT = logical('long', 'timestamp-micros')
const TIME = logical('long', 'time-micros')
const UNIONS = avroRecord({ at: optional(AT), time: optional(TIME) })
const NESTED = avroRecord({
  one: avroRecord({ at: AT, price: logical('bytes', 'decimal', { precision: 4, scale: 1 }) }, 'One'),
  many: { type: 'array', items: avroRecord({ day: logical('int', 'date') }, 'Many') },
  byName: { type: 'map', values: optional(logical('long', 'timestamp-millis')) },
})
const ADDRESS = { city: 'string' }
const CONNECT_TYPE = {
  type: 'long',
  'connect.version': 1,
  'connect.name': 'org.apache.kafka.connect.data.Timestamp',
  logicalType: 'timestamp-millis',
}
const BESIDE = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'inside', type: logical('long', 'timestamp-millis') },
    { name: 'beside', type: 'long', logicalType: 'timestamp-millis' },
    { name: 'connect', type: CONNECT_TYPE },
    { name: 'length', type: logical('fixed', 'duration', { name: 'Length', size: 12 }) },
    { name: 'unknown', type: logical('string', 'phone-number') },
  ],
}

/** Rows of the types that Avro schemas have. */
export const AVRO_TYPES: readonly CompatibilityRow[] = [
  avroRow('avro-logical-types', LOGICAL, [LOGICAL_VALUE], {
    columns: {
      day: 'date',
      ms: 'timestamp',
      us: 'timestamp',
      local_ms: 'timestamp_ntz',
      local_us: 'timestamp_ntz',
      time_ms: 'integer',
      time_us: 'long',
      uuid: 'string',
      price: 'decimal(9,2)',
    },
    rows: [
      '{"day":"2026-03-01","ms":"2026-03-01T00:00:00.123000Z","us":"2026-03-01T00:00:00.123456Z","local_ms":"2026-03-01T00:00:00.123000","local_us":"2026-03-01T00:00:00.123456","time_ms":3600001,"time_us":3600000001,"uuid":"2f1b0d4e-4b0a-4a8e-9d1d-0c8f8b9f3c11","price":12.34}',
    ],
  }),
  avroRow(
    'avro-logical-types-nested',
    NESTED,
    [
      {
        one: { at: -1n, price: Buffer.from([0xff]) },
        many: [{ day: 0 }, { day: -719_162 }],
        byName: { a: { long: 1_772_323_200_000n }, b: null },
      },
    ],
    {
      columns: {
        one: 'struct<at: timestamp, price: decimal(4,1)>',
        many: 'array<struct<day: date>>',
        byName: 'map<string, timestamp>',
      },
      rows: [
        '{"one":{"at":"1969-12-31T23:59:59.999999Z","price":-0.1},"many":[{"day":"1970-01-01"},{"day":"0001-01-01"}],"byName":{"a":"2026-03-01T00:00:00.000000Z","b":null}}',
      ],
    },
  ),
  avroRow(
    'avro-logical-type-beside',
    BESIDE,
    [
      {
        inside: 1_772_323_200_000n,
        beside: 1_772_323_200_000n,
        connect: 1_772_323_200_000n,
        length: Buffer.from('010000000200000003000000', 'hex'),
        unknown: '+49 30 1',
      },
    ],
    {
      columns: {
        inside: 'timestamp',
        beside: 'long',
        connect: 'timestamp',
        length: 'binary',
        unknown: 'string',
      },
      rows: [
        '{"inside":"2026-03-01T00:00:00.000000Z","beside":1772323200000,"connect":"2026-03-01T00:00:00.000000Z","length":"AQAAAAIAAAADAAAA","unknown":"+49 30 1"}',
      ],
    },
  ),
  avroRow(
    'avro-union-of-logical-types',
    UNIONS,
    [
      { at: null, time: null },
      { at: { long: -62_135_596_800_000_000n }, time: { long: 0n } },
      { at: { long: 253_402_300_799_999_999n }, time: { long: 86_399_999_999n } },
      { at: { long: 9_223_372_036_854_775_807n }, time: null },
    ],
    {
      columns: { at: 'timestamp', time: 'long' },
      rows: [
        '{"at":null,"time":null}',
        '{"at":"0001-01-01T00:00:00.000000Z","time":0}',
        '{"at":"9999-12-31T23:59:59.999999Z","time":86399999999}',
      ],
      letters: [
        'type: /at expected an ISO 8601 date and time with zone, got "294247-01-10T04:00:54.775807Z"',
      ],
    },
  ),
  avroRow(
    'avro-nanoseconds',
    avroRecord({ at: logical('long', 'timestamp-nanos') }),
    [{ at: 1_772_323_200_123_456_789n }],
    { columns: { at: 'long' }, rows: ['{"at":1772323200123456789}'] },
  ),
  avroRow(
    'avro-single-branch-union',
    avroRecord({ id: ['long'], tags: { type: 'array', items: ['string'] }, at: [AT] }),
    [{ id: { long: 1n }, tags: [{ string: 'a' }], at: { long: 0n } }],
    {
      columns: { id: 'long', tags: 'array<string>', at: 'timestamp' },
      rows: ['{"id":1,"tags":["a"],"at":"1970-01-01T00:00:00.000000Z"}'],
    },
  ),
  avroRow(
    'avro-decimal-fixed',
    avroRecord({ price: optional(MONEY), exact: { ...MONEY, name: 'Exact' } }),
    [
      {
        price: { 'shop.Money': Buffer.from('ffffffffffffff85', 'hex') },
        exact: Buffer.from('0de0b6b3a763ffff', 'hex'),
      },
      { price: null, exact: Buffer.alloc(8) },
    ],
    {
      columns: { price: 'decimal(18,4)', exact: 'decimal(18,4)' },
      rows: ['{"price":-0.0123,"exact":99999999999999.9999}', '{"price":null,"exact":0.0000}'],
    },
  ),
  avroRow(
    'avro-decimal-19-0',
    avroRecord({ id: optional(logical('bytes', 'decimal', { precision: 19, scale: 0 })) }),
    [{ id: { bytes: Buffer.from('008ac7230489e7ffff', 'hex') } }, { id: null }],
    { columns: { id: 'decimal(19,0)' }, rows: ['{"id":9999999999999999999}', '{"id":null}'] },
  ),
  avroRow(
    'avro-decimal-64-digits',
    avroRecord({ id: 'long', wide: logical('bytes', 'decimal', { precision: 64, scale: 2 }) }),
    [{ id: 1n, wide: Buffer.of(1) }],
    {
      error:
        'KD_CONTRACT_INVALID: The contract cannot be used: /wide: a decimal of 64 digits; columns hold 38 at most',
    },
  ),
  avroRow(
    'avro-long-beyond-double',
    avroRecord({ id: 'long', list: { type: 'array', items: 'long' } }),
    [{ id: 9_007_199_254_740_993n, list: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n] }],
    {
      columns: { id: 'long', list: 'array<long>' },
      rows: ['{"id":9007199254740993,"list":[-9223372036854775808,9223372036854775807]}'],
    },
  ),
  avroRow(
    'avro-null-type',
    avroRecord({ id: 'long', nothing: 'null', never: optional('string') }),
    [{ id: 1n, nothing: null, never: null }],
    { columns: { id: 'long', never: 'string' }, rows: ['{"id":1,"never":null}'] },
  ),
  avroRow(
    'avro-bytes',
    avroRecord({ raw: 'bytes', hash: { type: 'fixed', name: 'Hash', size: 2 } }),
    [{ raw: Buffer.from([0, 255]), hash: Buffer.from('ab') }],
    { columns: { raw: 'binary', hash: 'binary' }, rows: ['{"raw":"AP8=","hash":"YWI="}'] },
  ),
  avroRow(
    'avro-map-of-unbounded-keys',
    avroRecord({
      labels: { type: 'map', values: 'string' },
      byId: { type: 'map', values: avroRecord(ADDRESS, 'Address') },
    }),
    [{ labels: { 'a.b': '1', 'A B': '2', '': '3' }, byId: { 7: { city: 'Oslo' } } }],
    {
      columns: { labels: 'map<string, string>', byId: 'map<string, struct<city: string>>' },
      rows: ['{"labels":{"a.b":"1","A B":"2","":"3"},"byId":{"7":{"city":"Oslo"}}}'],
    },
  ),
  avroRow(
    'avro-union-of-many',
    avroRecord({ value: ['null', 'long', 'string', 'double'] }),
    [{ value: { long: 1n } }, { value: { string: 'a' } }, { value: null }],
    {
      columns: { value: 'struct<member0: long, member1: string, member2: double>' },
      rows: [
        '{"value":{"member0":1,"member1":null,"member2":null}}',
        '{"value":{"member0":null,"member1":"a","member2":null}}',
        '{"value":null}',
      ],
    },
  ),
  avroRow(
    'avro-float-not-a-number',
    avroRecord({ id: 'long', d: 'double', f: optional('float') }),
    [
      { id: 1n, d: 0.1, f: { float: 0.5 } },
      { id: 2n, d: NaN, f: null },
      { id: 3n, d: -Infinity, f: null },
    ],
    {
      columns: { id: 'long', d: 'double', f: 'float' },
      rows: ['{"id":1,"d":0.1,"f":0.5}'],
      letters: [
        'decode: expected a finite number, got NaN',
        'decode: expected a finite number, got -Infinity',
      ],
    },
  ),
]
