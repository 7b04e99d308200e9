import { contractOf } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const json = JSON.stringify

/** Rows of tables that readers such as DuckDB and delta-rs have had trouble with. */
export const READ_TABLES: readonly CompatibilityRow[] = [
  {
    id: 'readers-column-names',
    batches: [
      [
        json({
          filename: 'a',
          file_row_number: 1,
          order: 2,
          'a.b': 3,
          größe: 4,
          日本: 5,
          'with-dash': 6,
          'it"s': 7,
          "o'clock": 8,
          '`tick`': 9,
          '100%': 10,
          'a/b': 11,
          'a\\b': 12,
        }),
      ],
    ],
    expected: {
      columns: {
        filename: 'string',
        file_row_number: 'long',
        order: 'long',
        'a.b': 'long',
        größe: 'long',
        日本: 'long',
        'with-dash': 'long',
        'it"s': 'long',
        "o'clock": 'long',
        '`tick`': 'long',
        '100%': 'long',
        'a/b': 'long',
        'a\\b': 'long',
      },
      rows: [
        '{"filename":"a","file_row_number":1,"order":2,"a.b":3,"größe":4,"日本":5,"with-dash":6,"it\\"s":7,"o\'clock":8,"`tick`":9,"100%":10,"a/b":11,"a\\\\b":12}',
      ],
    },
  },
  {
    id: 'readers-partition-values',
    topic: { table: { partitionColumns: ['place', 'day', 'flag'] }, inference: { timestamps: true } },
    batches: [
      [
        json({ id: 1, place: 'Zürich / "A" % = : #?', day: '2026-03-01', flag: true }),
        json({ id: 2, place: '', day: null, flag: false }),
        json({ id: 3, place: null, day: '0001-01-01', flag: null }),
        json({ id: 4, place: 'line\nline \\ {x} 日本', day: '9999-12-31', flag: true }),
        json({ id: 5, place: '__HIVE_DEFAULT_PARTITION__', day: '2026-03-01', flag: true }),
        json({ id: 6, place: ' lead and trail ', day: '2026-03-01', flag: true }),
      ],
    ],
    expected: {
      columns: { id: 'long', place: 'string', day: 'date', flag: 'boolean' },
      rows: [
        '{"id":1,"place":"Zürich / \\"A\\" % = : #?","day":"2026-03-01","flag":true}',
        '{"id":2,"place":null,"day":null,"flag":false}',
        '{"id":3,"place":null,"day":"0001-01-01","flag":null}',
        '{"id":4,"place":"line\\nline \\\\ {x} 日本","day":"9999-12-31","flag":true}',
        '{"id":5,"place":"__HIVE_DEFAULT_PARTITION__","day":"2026-03-01","flag":true}',
        '{"id":6,"place":" lead and trail ","day":"2026-03-01","flag":true}',
      ],
    },
  },
  {
    id: 'readers-instants',
    ...contractOf({
      at: { type: 'string', format: 'date-time' },
      local: { type: 'string', 'x-delta-type': 'timestamp_ntz' },
      day: { type: 'string', format: 'date' },
    }),
    batches: [
      [
        json({ at: '2026-03-01T10:00:00.123456Z', local: '2026-03-01T10:00:00.123456', day: '2026-03-01' }),
        json({ at: '1969-12-31T23:59:59.999999Z', local: '1969-12-31T23:59:59.999999', day: '1969-12-31' }),
        json({ at: '0001-01-01T00:00:00Z', local: '0001-01-01T00:00:00', day: '0001-01-01' }),
        json({ at: '9999-12-31T23:59:59.999999Z', local: '9999-12-31T23:59:59.999999', day: '9999-12-31' }),
      ],
    ],
    expected: {
      columns: { at: 'timestamp', local: 'timestamp_ntz', day: 'date' },
      rows: [
        '{"at":"2026-03-01T10:00:00.123456Z","local":"2026-03-01T10:00:00.123456","day":"2026-03-01"}',
        '{"at":"1969-12-31T23:59:59.999999Z","local":"1969-12-31T23:59:59.999999","day":"1969-12-31"}',
        '{"at":"0001-01-01T00:00:00.000000Z","local":"0001-01-01T00:00:00.000000","day":"0001-01-01"}',
        '{"at":"9999-12-31T23:59:59.999999Z","local":"9999-12-31T23:59:59.999999","day":"9999-12-31"}',
      ],
    },
  },
  {
    id: 'readers-nested-nulls',
    ...contractOf({
      s: {
        type: 'object',
        properties: { a: { type: 'integer' }, t: { type: 'object', properties: { b: { type: 'string' } } } },
      },
      list: { type: 'array', items: { type: ['object', 'null'], properties: { c: { type: 'integer' } } } },
      map: { type: 'object', additionalProperties: { type: ['string', 'null'] } },
      lists: { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
    }),
    batches: [
      [
        json({}),
        json({ s: {}, list: [], map: {}, lists: [] }),
        json({
          s: { a: 1, t: {} },
          list: [null, {}, { c: 1 }],
          map: { '': 'empty', k: null },
          lists: [[], [1, 2]],
        }),
      ],
    ],
    expected: {
      columns: {
        s: 'struct<a: long, t: struct<b: string>>',
        list: 'array<struct<c: long>>',
        map: 'map<string, string>',
        lists: 'array<array<long>>',
      },
      rows: [
        '{"s":null,"list":null,"map":null,"lists":null}',
        '{"s":{"a":null,"t":null},"list":[],"map":{},"lists":[]}',
        '{"s":{"a":1,"t":{"b":null}},"list":[null,{"c":null},{"c":1}],"map":{"":"empty","k":null},"lists":[[],[1,2]]}',
      ],
    },
  },
  {
    id: 'readers-numbers-at-their-bounds',
    ...contractOf({
      d38: { type: 'number', 'x-delta-type': 'decimal(38,10)' },
      l: { type: 'integer' },
      i: { type: 'integer', 'x-delta-type': 'integer' },
      s: { type: 'integer', 'x-delta-type': 'short' },
      b: { type: 'integer', 'x-delta-type': 'byte' },
      f: { type: 'number', 'x-delta-type': 'float' },
      d: { type: 'number' },
    }),
    batches: [
      [
        '{"d38":9999999999999999999999999999.9999999999,"l":9223372036854775807,"i":2147483647,"s":32767,"b":127,"f":0.5,"d":1.7976931348623157e308}',
        '{"d38":-0.0000000001,"l":-9223372036854775808,"i":-2147483648,"s":-32768,"b":-128,"f":-0.25,"d":-0.0}',
        '{"l":9223372036854775808}',
      ],
    ],
    expected: {
      columns: {
        d38: 'decimal(38,10)',
        l: 'long',
        i: 'integer',
        s: 'short',
        b: 'byte',
        f: 'float',
        d: 'double',
      },
      rows: [
        '{"d38":9999999999999999999999999999.9999999999,"l":9223372036854775807,"i":2147483647,"s":32767,"b":127,"f":0.5,"d":1.7976931348623157e+308}',
        '{"d38":-0.0000000001,"l":-9223372036854775808,"i":-2147483648,"s":-32768,"b":-128,"f":-0.25,"d":-0.0}',
      ],
      letters: ['type: /l expected an integer of 64 bits (long), got 9223372036854775808'],
    },
  },
  {
    id: 'readers-texts',
    batches: [
      [
        json({ t: 'tab\t quote" back\\ nul\u0000 line\u2028 emoji😀 rtl\u05d0', long: 'x'.repeat(100) }),
        json({ t: '', long: 'ü'.repeat(50) }),
      ],
    ],
    expected: {
      columns: { t: 'string', long: 'string' },
      rows: [
        '{"t":"tab\\t quote\\" back\\\\ nul\\u0000 line  emoji😀 rtlא","long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}',
        '{"t":"","long":"üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü"}',
      ],
    },
  },
  {
    id: 'readers-columns-added-by-commits',
    topic: { inference: { records: 1 }, table: { checkpointInterval: 2 } },
    batches: [
      [json({ id: 1, s: { a: 1 } })],
      [json({ id: 2, s: { b: 'x' } })],
      [json({ id: 3, l: [{ c: 1 }] })],
      [json({ id: 4, l: [{ d: true }] })],
      [json({ id: 5 })],
    ],
    expected: {
      columns: { id: 'long', s: 'struct<a: long, b: string>', l: 'array<struct<c: long, d: boolean>>' },
      rows: [
        '{"id":1,"s":{"a":1,"b":null},"l":null}',
        '{"id":2,"s":{"a":null,"b":"x"},"l":null}',
        '{"id":3,"s":null,"l":[{"c":1,"d":null}]}',
        '{"id":4,"s":null,"l":[{"c":null,"d":true}]}',
        '{"id":5,"s":null,"l":null}',
      ],
    },
  },
]
