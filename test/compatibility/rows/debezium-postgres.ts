import { changeOf, describedChange, SOURCE } from '../support/changes.ts'
import { contractOf } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const TOPIC = { envelope: 'debezium', debezium: { fields: ['op'] } }
const UNAVAILABLE = '__debezium_unavailable_value'
const json = JSON.stringify

/** Rows of Debezium for PostgreSQL. */
export const DEBEZIUM_POSTGRES: readonly CompatibilityRow[] = [
  {
    id: 'debezium-instants-without-schema',
    topic: TOPIC,
    batches: [[json(changeOf('c', null, { us: 1_772_323_200_123_456, ms: 1_772_323_200_123, day: 20_513 }))]],
    expected: {
      columns: { us: 'long', ms: 'long', day: 'long', __op: 'string', __deleted: 'boolean' },
      rows: ['{"us":1772323200123456,"ms":1772323200123,"day":20513,"__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-instants-into-a-contract',
    ...contractOf(
      {
        us: { type: 'string', format: 'date-time' },
        ns: { type: 'string', format: 'date-time' },
        day: { type: 'string', format: 'date' },
        raw: { type: 'integer' },
      },
      TOPIC,
    ),
    batches: [
      [
        describedChange(
          [
            ['us', 'int64', 'io.debezium.time.MicroTimestamp'],
            ['ns', 'int64', 'io.debezium.time.NanoTimestamp'],
            ['day', 'int32', 'io.debezium.time.Date'],
            ['raw', 'int64', 'io.debezium.time.MicroTimestamp'],
          ],
          { us: -1, ns: 1_500, day: -719_162, raw: 1_772_323_200_123_456 },
        ),
        describedChange([['day', 'int32', 'io.debezium.time.Date']], { day: 2_932_896 }),
        describedChange([['day', 'int32', 'io.debezium.time.Date']], { day: 2_932_897 }),
      ],
    ],
    expected: {
      columns: {
        us: 'timestamp',
        ns: 'timestamp',
        day: 'date',
        raw: 'long',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: [
        '{"us":"1969-12-31T23:59:59.999999Z","ns":"1970-01-01T00:00:00.000001Z","day":"0001-01-01","raw":1772323200123456,"__op":"c","__deleted":false}',
        '{"us":null,"ns":null,"day":"9999-12-31","raw":null,"__op":"c","__deleted":false}',
      ],
      letters: ['decode: expected days since 1970 within the years 0 to 9999, got 2932897'],
    },
  },
  {
    id: 'debezium-decimal-base64',
    ...contractOf({ price: { type: 'number', 'x-delta-type': 'decimal(10,3)' } }, TOPIC),
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
          ],
          { price: 'ITQ=' },
        ),
      ],
    ],
    expected: {
      columns: { price: 'decimal(10,3)', __op: 'string', __deleted: 'boolean' },
      rows: ['{"price":8.500,"__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-decimal-base64-without-schema',
    topic: TOPIC,
    batches: [[json(changeOf('c', null, { id: 1, price: 'Dzw=' }))]],
    expected: {
      columns: { id: 'long', price: 'string', __op: 'string', __deleted: 'boolean' },
      rows: ['{"id":1,"price":"Dzw=","__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-decimal-as-text',
    ...contractOf({ price: { type: 'string', 'x-delta-type': 'decimal(10,2)' } }, TOPIC),
    batches: [[json(changeOf('c', null, { price: '12.30' })), json(changeOf('c', null, { price: '1.234' }))]],
    expected: {
      columns: { price: 'decimal(10,2)', __op: 'string', __deleted: 'boolean' },
      rows: ['{"price":12.30,"__op":"c","__deleted":false}'],
      letters: ['type: /price expected a number that decimal(10,2) holds exactly, got "1.234"'],
    },
  },
  {
    id: 'debezium-variable-scale-decimal',
    ...contractOf(
      { amount: { type: 'number', 'x-delta-type': 'decimal(38,9)' }, text: { type: 'string' } },
      TOPIC,
    ),
    batches: [
      [
        describedChange(
          [
            [
              'amount',
              'struct',
              'io.debezium.data.VariableScaleDecimal',
              {
                fields: [
                  { field: 'scale', type: 'int32' },
                  { field: 'value', type: 'bytes' },
                ],
              },
            ],
            ['text', 'struct', 'io.debezium.data.VariableScaleDecimal', { fields: [] }],
          ],
          { amount: { scale: 3, value: 'ITQ=' }, text: { scale: 0, value: '/w==' } },
        ),
      ],
    ],
    expected: {
      columns: { amount: 'decimal(38,9)', text: 'string', __op: 'string', __deleted: 'boolean' },
      rows: ['{"amount":8.500000000,"text":"-1","__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-unavailable-value',
    topic: TOPIC,
    batches: [
      [
        json(changeOf('c', null, { id: 1, note: 'long text', tags: ['a'], raw: 'AQI=' })),
        json(
          changeOf('u', null, {
            id: 1,
            note: UNAVAILABLE,
            tags: [UNAVAILABLE],
            raw: Buffer.from(UNAVAILABLE).toString('base64'),
          }),
        ),
      ],
    ],
    expected: {
      columns: {
        id: 'long',
        note: 'string',
        tags: 'array<string>',
        raw: 'string',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: [
        '{"id":1,"note":"long text","tags":["a"],"raw":"AQI=","__op":"c","__deleted":false}',
        '{"id":1,"note":"__debezium_unavailable_value","tags":["__debezium_unavailable_value"],"raw":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==","__op":"u","__deleted":false}',
      ],
    },
  },
  {
    id: 'debezium-uuid-json-interval',
    topic: TOPIC,
    batches: [
      [
        describedChange(
          [
            ['id', 'string', 'io.debezium.data.Uuid'],
            ['doc', 'string', 'io.debezium.data.Json'],
            ['xml', 'string', 'io.debezium.data.Xml'],
            ['length', 'int64', 'io.debezium.time.MicroDuration'],
            ['tree', 'string', 'io.debezium.data.Ltree'],
            ['tags', 'array', undefined, { items: { type: 'string', optional: true } }],
          ],
          {
            id: '2f1b0d4e-4b0a-4a8e-9d1d-0c8f8b9f3c11',
            doc: '{"a": 1}',
            xml: '<a/>',
            length: 3_600_000_000,
            tree: 'a.b',
            tags: ['x', null],
          },
        ),
      ],
    ],
    expected: {
      columns: {
        id: 'string',
        doc: 'string',
        xml: 'string',
        length: 'long',
        tree: 'string',
        tags: 'array<string>',
        __op: 'string',
        __deleted: 'boolean',
      },
      rows: [
        '{"id":"2f1b0d4e-4b0a-4a8e-9d1d-0c8f8b9f3c11","doc":"{\\"a\\": 1}","xml":"<a/>","length":3600000000,"tree":"a.b","tags":["x",null],"__op":"c","__deleted":false}',
      ],
    },
  },
  {
    id: 'debezium-parameters-of-source-columns',
    topic: TOPIC,
    batches: [
      [
        describedChange(
          [
            [
              'id',
              'int64',
              undefined,
              {
                parameters: {
                  '__debezium.source.column.type': 'INT8',
                  '__debezium.source.column.length': '19',
                },
              },
            ],
          ],
          { id: 9_007_199_254_740_991 },
        ),
      ],
    ],
    expected: {
      columns: { id: 'long', __op: 'string', __deleted: 'boolean' },
      rows: ['{"id":9007199254740991,"__op":"c","__deleted":false}'],
    },
  },
  {
    id: 'debezium-update-and-delete',
    topic: { envelope: 'debezium', debezium: { fields: ['op', 'table', 'source.ts_ms', 'lsn'] } },
    batches: [
      [
        json(changeOf('r', null, { id: 1, name: 'Ada' })),
        json(
          changeOf(
            'u',
            { id: 1, name: 'Ada' },
            { id: 1, name: 'Eve' },
            { source: { ...SOURCE, lsn: 24_023_128 } },
          ),
        ),
        json(changeOf('d', { id: 1, name: 'Eve' }, null)),
        { value: null, key: '{"id":1}' },
        json(changeOf('d', null, null)),
      ],
    ],
    expected: {
      columns: {
        id: 'long',
        name: 'string',
        __op: 'string',
        __table: 'string',
        __source_ts_ms: 'long',
        __deleted: 'boolean',
        __lsn: 'long',
      },
      rows: [
        '{"id":1,"name":"Ada","__op":"r","__table":"orders","__source_ts_ms":1772323200000,"__deleted":false,"__lsn":null}',
        '{"id":1,"name":"Eve","__op":"u","__table":"orders","__source_ts_ms":1772323200000,"__deleted":false,"__lsn":24023128}',
        '{"id":1,"name":"Eve","__op":"d","__table":"orders","__source_ts_ms":1772323200000,"__deleted":true,"__lsn":null}',
      ],
      letters: ['decode: expected the row in before of an event with op d, got null'],
      tombstones: 1,
    },
  },
  {
    id: 'debezium-messages-without-a-row',
    topic: TOPIC,
    batches: [
      [
        json({ ts_ms: 1_772_323_200_000 }),
        json({ status: 'BEGIN', id: '571', ts_ms: 1, event_count: null, data_collections: null }),
        json(changeOf('t', null, null)),
        json({ op: 'm', ts_ms: 1, source: SOURCE, message: { prefix: 'p', content: 'aGk=' } }),
        json(changeOf('c', null, { id: 1 })),
      ],
    ],
    expected: {
      columns: { id: 'long', __op: 'string', __deleted: 'boolean' },
      rows: ['{"id":1,"__op":"c","__deleted":false}'],
      filtered: 4,
    },
  },
  {
    id: 'debezium-column-added-while-running',
    topic: { ...TOPIC, inference: { records: 1 } },
    batches: [
      [json(changeOf('c', null, { id: 1 }))],
      [json(changeOf('c', null, { id: 2, address: { city: 'Oslo' } }))],
      [json(changeOf('c', null, { id: 3, address: { city: 'Oslo', zip: '0150' } }))],
    ],
    expected: {
      columns: {
        id: 'long',
        __op: 'string',
        __deleted: 'boolean',
        address: 'struct<city: string, zip: string>',
      },
      rows: [
        '{"id":1,"__op":"c","__deleted":false,"address":null}',
        '{"id":2,"__op":"c","__deleted":false,"address":{"city":"Oslo","zip":null}}',
        '{"id":3,"__op":"c","__deleted":false,"address":{"city":"Oslo","zip":"0150"}}',
      ],
    },
  },
  {
    id: 'debezium-flattened',
    batches: [
      [
        json({ id: 1, name: 'Ada', __deleted: 'false', __op: 'c', __source_ts_ms: 1_772_323_200_000 }),
        json({ id: 1, name: 'Ada', __deleted: 'true', __op: 'd', __source_ts_ms: 1_772_323_201_000 }),
        { value: null, key: '{"id":1}' },
      ],
    ],
    expected: {
      columns: { id: 'long', name: 'string', __deleted: 'string', __op: 'string', __source_ts_ms: 'long' },
      rows: [
        '{"id":1,"name":"Ada","__deleted":"false","__op":"c","__source_ts_ms":1772323200000}',
        '{"id":1,"name":"Ada","__deleted":"true","__op":"d","__source_ts_ms":1772323201000}',
      ],
      tombstones: 1,
    },
  },
  {
    id: 'debezium-flattened-with-schema',
    topic: { transforms: { id: 'payload.id', name: 'payload.name' }, drop: ['schema', 'payload'] },
    batches: [
      [
        json({
          schema: {
            type: 'struct',
            fields: [
              { field: 'id', type: 'int32' },
              { field: 'name', type: 'string' },
            ],
          },
          payload: { id: 1, name: 'Ada' },
        }),
      ],
    ],
    expected: { columns: { id: 'long', name: 'string' }, rows: ['{"id":1,"name":"Ada"}'] },
  },
  {
    id: 'debezium-infinity',
    ...contractOf({ at: { type: 'string', format: 'date-time' }, raw: { type: 'integer' } }, TOPIC),
    batches: [
      [
        describedChange([['at', 'int64', 'io.debezium.time.MicroTimestamp']], {
          at: 9_223_372_036_825_200_000n,
        }),
        describedChange([['raw', 'int64', 'io.debezium.time.MicroTimestamp']], {
          raw: 9_223_372_036_825_200_000n,
        }),
      ],
    ],
    expected: {
      columns: { at: 'timestamp', raw: 'long', __op: 'string', __deleted: 'boolean' },
      rows: ['{"at":null,"raw":9223372036825200000,"__op":"c","__deleted":false}'],
      letters: ['decode: expected an instant within the years 0 to 9999, got 9223372036825200000'],
    },
  },
]
