import { describedChange } from '../support/changes.ts'
import type { CompatibilityRow } from '../support/row.ts'

const TOPIC = { envelope: 'debezium', debezium: { fields: ['op'] } }

/** Rows of Debezium in JSON with the schema beside the payload, by which columns get their types. */
export const DEBEZIUM_SCHEMAS: readonly CompatibilityRow[] = [
  {
    id: 'debezium-instants',
    topic: { ...TOPIC, inference: { timestamps: true } },
    batches: [
      [
        describedChange(
          [
            ['id', 'int32'],
            ['ms', 'int64', 'io.debezium.time.Timestamp'],
            ['us', 'int64', 'io.debezium.time.MicroTimestamp'],
            ['zoned', 'string', 'io.debezium.time.ZonedTimestamp'],
            ['connect', 'int64', 'org.apache.kafka.connect.data.Timestamp'],
            ['day', 'int32', 'io.debezium.time.Date'],
          ],
          {
            id: 1,
            ms: 1_772_323_200_123,
            us: 1_772_323_200_123_456,
            zoned: '2026-03-01T00:00:00.123456Z',
            connect: 1_772_323_200_123,
            day: 20_513,
          },
        ),
      ],
    ],
    expected: {
      columns: {
        id: 'integer',
        ms: 'timestamp',
        us: 'timestamp',
        zoned: 'string',
        connect: 'timestamp',
        day: 'date',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: [
        '{"id":1,"ms":"2026-03-01T00:00:00.123000Z","us":"2026-03-01T00:00:00.123456Z","zoned":"2026-03-01T00:00:00.123456Z","connect":"2026-03-01T00:00:00.123000Z","day":"2026-03-01","__op":"c","__deleted":false}',
      ],
    },
  },
  {
    id: 'debezium-geometry',
    topic: TOPIC,
    batches: [
      [
        describedChange(
          [
            [
              'place',
              'struct',
              'io.debezium.data.geometry.Geometry',
              {
                fields: [
                  { field: 'wkb', type: 'bytes' },
                  { field: 'srid', type: 'int32' },
                ],
              },
            ],
          ],
          { place: { wkb: 'AQEAAAAAAAAAAADwPwAAAAAAAPA/', srid: 4326 } },
        ),
      ],
    ],
    expected: {
      columns: { place: 'struct<wkb: binary, srid: integer>', __op: 'string', __deleted: 'boolean' },
      rows: ['{"place":{"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAPA/","srid":4326},"__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-bits',
    topic: TOPIC,
    batches: [
      [
        describedChange([['flags', 'bytes', 'io.debezium.data.Bits', { parameters: { length: '8' } }]], {
          flags: 'Kg==',
        }),
      ],
    ],
    expected: {
      columns: { flags: 'binary', __op: 'string', __deleted: 'boolean' },
      rows: ['{"flags":"Kg==","__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-mysql-types',
    topic: TOPIC,
    batches: [
      [
        describedChange(
          [
            ['state', 'string', 'io.debezium.data.Enum', { parameters: { allowed: 'NEW,PAID' } }],
            ['flags', 'string', 'io.debezium.data.EnumSet', { parameters: { allowed: 'a,b' } }],
            ['year', 'int32', 'io.debezium.time.Year'],
            ['doc', 'string', 'io.debezium.data.Json'],
            ['at', 'int64', 'io.debezium.time.MicroTime'],
            ['active', 'int16'],
            ['raw', 'bytes'],
          ],
          {
            state: 'PAID',
            flags: 'a,b',
            year: 2026,
            doc: '{"a":1}',
            at: 3_600_000_001,
            active: 1,
            raw: 'AP8=',
          },
        ),
      ],
    ],
    expected: {
      columns: {
        state: 'string',
        flags: 'string',
        year: 'integer',
        doc: 'string',
        at: 'long',
        active: 'short',
        raw: 'binary',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: [
        '{"state":"PAID","flags":"a,b","year":2026,"doc":"{\\"a\\":1}","at":3600000001,"active":1,"raw":"AP8=","__op":"c","__deleted":false}',
      ],
    },
  },
  {
    id: 'debezium-mysql-zero-date',
    topic: { ...TOPIC, inference: { timestamps: true, records: 1 } },
    batches: [
      [
        describedChange(
          [
            ['day', 'int32', 'io.debezium.time.Date'],
            ['at', 'string', 'io.debezium.time.ZonedTimestamp'],
          ],
          { day: 20_513, at: '2026-03-01T00:00:00Z' },
        ),
      ],
      [
        describedChange(
          [
            ['day', 'int32', 'io.debezium.time.Date'],
            ['at', 'string', 'io.debezium.time.ZonedTimestamp'],
          ],
          { day: null, at: '1970-01-01T00:00:00Z' },
        ),
      ],
    ],
    expected: {
      columns: { day: 'date', at: 'string', __op: 'string', __deleted: 'boolean' },
      rows: [
        '{"day":"2026-03-01","at":"2026-03-01T00:00:00Z","__op":"c","__deleted":false}',
        '{"day":null,"at":"1970-01-01T00:00:00Z","__op":"c","__deleted":false}',
      ],
    },
  },
  {
    id: 'debezium-oracle-types',
    topic: TOPIC,
    batches: [
      [
        describedChange(
          [
            ['ID', 'struct', 'io.debezium.data.VariableScaleDecimal', { fields: [] }],
            ['NAME', 'string'],
            ['CREATED', 'int64', 'io.debezium.time.Timestamp'],
            ['SPAN', 'int64', 'io.debezium.time.MicroDuration'],
            ['RATE', 'double'],
          ],
          {
            ID: { scale: 0, value: 'ITQ=' },
            NAME: 'Ada',
            CREATED: 1_772_323_200_000,
            SPAN: 86_400_000_000,
            RATE: 0.1,
          },
        ),
      ],
    ],
    expected: {
      columns: {
        ID: 'string',
        NAME: 'string',
        CREATED: 'timestamp',
        SPAN: 'long',
        RATE: 'double',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: [
        '{"ID":"8500","NAME":"Ada","CREATED":"2026-03-01T00:00:00.000000Z","SPAN":86400000000,"RATE":0.1,"__op":"c","__deleted":false}',
      ],
    },
  },
  {
    id: 'debezium-sqlserver-types',
    topic: TOPIC,
    batches: [
      [
        describedChange(
          [
            ['at', 'int64', 'io.debezium.time.NanoTimestamp'],
            ['zoned', 'string', 'io.debezium.time.ZonedTimestamp'],
            ['bit', 'boolean'],
            ['id', 'string'],
          ],
          {
            at: 1_772_323_200_123_456_700,
            zoned: '2026-03-01T01:00:00.1234567+01:00',
            bit: true,
            id: '6F9619FF-8B86-D011-B42D-00C04FC964FF',
          },
        ),
      ],
    ],
    expected: {
      columns: {
        at: 'timestamp',
        zoned: 'string',
        bit: 'boolean',
        id: 'string',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: [
        '{"at":"2026-03-01T00:00:00.123456Z","zoned":"2026-03-01T01:00:00.1234567+01:00","bit":true,"id":"6F9619FF-8B86-D011-B42D-00C04FC964FF","__op":"c","__deleted":false}',
      ],
    },
  },
  {
    id: 'debezium-decimal-from-its-schema',
    topic: TOPIC,
    batches: [
      [
        describedChange(
          [
            [
              'price',
              'bytes',
              'org.apache.kafka.connect.data.Decimal',
              { parameters: { scale: '3', 'connect.decimal.precision': '10' } },
            ],
            ['wide', 'bytes', 'org.apache.kafka.connect.data.Decimal', { parameters: { scale: '0' } }],
            ['n', 'int64'],
          ],
          { price: 'ITQ=', wide: 'AP//////////', n: 1 },
        ),
      ],
    ],
    expected: {
      columns: {
        price: 'decimal(10,3)',
        wide: 'decimal(38,0)',
        n: 'long',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: ['{"price":8.500,"wide":18446744073709551615,"n":1,"__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-column-added-by-its-schema',
    topic: { ...TOPIC, inference: { records: 1 } },
    batches: [
      [describedChange([['id', 'int32']], { id: 1 })],
      [
        describedChange(
          [
            ['id', 'int32'],
            ['rate', 'double'],
            ['note', 'string'],
          ],
          { id: 2, rate: 2, note: null },
        ),
      ],
    ],
    expected: {
      columns: { id: 'integer', __op: 'string', __deleted: 'boolean', rate: 'double', note: 'string' },
      rows: [
        '{"id":1,"__op":"c","__deleted":false,"rate":null,"note":null}',
        '{"id":2,"__op":"c","__deleted":false,"rate":2,"note":null}',
      ],
    },
  },
]
