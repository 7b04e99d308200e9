import { gzipSync } from 'node:zlib'
import { contractOf } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const json = JSON.stringify

/** Rows of producers in Python, Java, Go, JavaScript and .NET that write JSON without a schema. */
export const PLAIN_JSON: readonly CompatibilityRow[] = [
  {
    id: 'json-python-nan',
    batches: [['{"x": 1.5}', '{"x": NaN}', '{"x": Infinity}', '{"x": -Infinity}']],
    expected: {
      columns: { x: 'double' },
      rows: ['{"x":1.5}'],
      letters: ['decode: expected JSON: ', 'decode: expected JSON: ', 'decode: expected JSON: '],
    },
  },
  {
    id: 'json-python-datetime',
    ...contractOf({
      at: { type: 'string', 'x-delta-type': 'timestamp' },
      local: { type: 'string', 'x-delta-type': 'timestamp_ntz' },
      day: { type: 'string', format: 'date' },
    }),
    batches: [
      [
        json({
          at: '2026-03-01T10:00:00.123456+00:00',
          local: '2026-03-01T10:00:00.123456',
          day: '2026-03-01',
        }),
        json({ at: '2026-03-01 10:00:00+01:00', local: '2026-03-01 10:00:00' }),
        json({ at: '2026-03-01T10:00:00' }),
      ],
    ],
    expected: {
      columns: { at: 'timestamp', local: 'timestamp_ntz', day: 'date' },
      rows: [
        '{"at":"2026-03-01T10:00:00.123456Z","local":"2026-03-01T10:00:00.123456","day":"2026-03-01"}',
        '{"at":"2026-03-01T09:00:00.000000Z","local":"2026-03-01T10:00:00.000000","day":null}',
      ],
      letters: ['type: /at expected an ISO 8601 date and time with zone, got "2026-03-01T10:00:00"'],
    },
  },
  {
    id: 'json-python-datetime-inferred',
    topic: { inference: { timestamps: true } },
    batches: [
      [
        json({
          utc: '2026-03-01T10:00:00.123456+00:00',
          naive: '2026-03-01T10:00:00.123456',
          day: '2026-03-01',
        }),
      ],
    ],
    expected: {
      columns: { utc: 'timestamp', naive: 'string', day: 'date' },
      rows: ['{"utc":"2026-03-01T10:00:00.123456Z","naive":"2026-03-01T10:00:00.123456","day":"2026-03-01"}'],
    },
  },
  {
    id: 'json-python-decimal-as-text',
    batches: [[json({ price: '12.30' })]],
    expected: { columns: { price: 'string' }, rows: ['{"price":"12.30"}'] },
  },
  {
    id: 'json-java-array-dates',
    batches: [[json({ at: [2026, 3, 1, 10, 0, 0, 123_000_000], day: [2026, 3, 1] })]],
    expected: {
      columns: { at: 'array<long>', day: 'array<long>' },
      rows: ['{"at":[2026,3,1,10,0,0,123000000],"day":[2026,3,1]}'],
    },
  },
  {
    id: 'json-java-epoch-decimals',
    ...contractOf({ at: { type: 'number', 'x-delta-type': 'decimal(20,9)' } }),
    batches: [['{"at":1772323200.123456789}']],
    expected: { columns: { at: 'decimal(20,9)' }, rows: ['{"at":1772323200.123456789}'] },
  },
  {
    id: 'json-java-big-numbers',
    batches: [['{"id":9007199254740993,"big":92233720368547758080,"price":0.1234567890123456789}']],
    expected: {
      columns: { id: 'long', big: 'string', price: 'double' },
      rows: ['{"id":9007199254740993,"big":"92233720368547758080","price":0.12345678901234568}'],
    },
  },
  {
    id: 'json-java-big-decimal',
    ...contractOf({ price: { type: 'number', 'x-delta-type': 'decimal(18,2)' } }),
    batches: [['{"price":100.0}', '{"price":100}', '{"price":1E+2}', '{"price":0.10}', '{"price":0.101}']],
    expected: {
      columns: { price: 'decimal(18,2)' },
      rows: ['{"price":100.00}', '{"price":100.00}', '{"price":100.00}', '{"price":0.10}'],
      letters: ['type: /price expected a number that decimal(18,2) holds exactly, got 0.101'],
    },
  },
  {
    id: 'json-go-time-and-bytes',
    ...contractOf({
      at: { type: 'string', format: 'date-time' },
      raw: { type: ['string', 'null'], contentEncoding: 'base64' },
    }),
    batches: [
      [
        json({ at: '2026-03-01T10:00:00.123456789+01:00', raw: 'AP8=' }),
        json({ at: '0001-01-01T00:00:00Z', raw: null }),
      ],
    ],
    expected: {
      columns: { at: 'timestamp', raw: 'binary' },
      rows: [
        '{"at":"2026-03-01T09:00:00.123456Z","raw":"AP8="}',
        '{"at":"0001-01-01T00:00:00.000000Z","raw":null}',
      ],
    },
  },
  {
    id: 'json-go-nil-slices',
    batches: [[json({ id: 1, tags: null, map: null }), json({ id: 2, tags: ['a'], map: { a: 1 } })]],
    expected: {
      columns: { id: 'long', tags: 'array<string>', map: 'struct<a: long>' },
      rows: ['{"id":1,"tags":null,"map":null}', '{"id":2,"tags":["a"],"map":{"a":1}}'],
    },
  },
  {
    id: 'json-javascript-values',
    batches: [
      [
        json({
          at: new Date(1_772_323_200_123),
          missing: undefined,
          nan: NaN,
          big: String(2n ** 63n),
          buffer: Buffer.from('ab'),
        }),
      ],
    ],
    expected: {
      columns: { at: 'string', big: 'string', buffer: 'struct<type: string, data: array<long>>' },
      rows: [
        '{"at":"2026-03-01T00:00:00.123Z","big":"9223372036854775808","buffer":{"type":"Buffer","data":[97,98]}}',
      ],
    },
  },
  {
    id: 'json-dotnet-dates',
    topic: { inference: { timestamps: true } },
    batches: [
      [
        json({
          At: '2026-03-01T10:00:00.1234567+01:00',
          Old: '/Date(1772323200000)/',
          Span: '01:02:03.0040000',
        }),
      ],
    ],
    expected: {
      columns: { At: 'timestamp', Old: 'string', Span: 'string' },
      rows: ['{"At":"2026-03-01T09:00:00.123456Z","Old":"/Date(1772323200000)/","Span":"01:02:03.0040000"}'],
    },
  },
  {
    id: 'json-utf-16',
    batches: [['{"id":1}', Buffer.from('{"id":2}', 'utf16le')]],
    expected: { columns: { id: 'long' }, rows: ['{"id":1}'], letters: ['decode: expected JSON: '] },
  },
  {
    id: 'json-latin-1',
    batches: [['{"name":"é"}', Buffer.from('{"name":"é"}', 'latin1')]],
    expected: {
      columns: { name: 'string' },
      rows: ['{"name":"é"}'],
      letters: ['decode: expected UTF-8, got invalid bytes'],
    },
  },
  {
    id: 'json-escaped-text',
    batches: [['{"text":"\\ud83d\\ude00 \\u0000 \\n \\/","emoji":"😀"}']],
    expected: {
      columns: { text: 'string', emoji: 'string' },
      rows: ['{"text":"😀 \\u0000 \\n /","emoji":"😀"}'],
    },
  },
  {
    id: 'json-text-of-json',
    batches: [['{"id":1}', json('{"id":2}'), '[{"id":3}]', '4', 'null', '']],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":1}'],
      letters: [
        'decode: expected a JSON object, got a string',
        'decode: expected a JSON object, got an array',
        'decode: expected a JSON object, got a number',
        'decode: expected a JSON object, got an empty value',
      ],
      tombstones: 1,
    },
  },
  {
    id: 'json-lines',
    topic: { format: 'jsonl' },
    batches: [['{"id":1}\n{"id":2}\r\n\n{"id":3}', '{"id":4}\n{"id":']],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":1}', '{"id":2}', '{"id":3}', '{"id":4}'],
      letters: ['decode: expected JSON: '],
    },
  },
  {
    id: 'json-duplicate-names',
    batches: [['{"id":1,"id":2}']],
    expected: { columns: { id: 'long' }, rows: ['{"id":2}'] },
  },
  {
    id: 'json-names-differ-in-case',
    batches: [['{"id":1,"ID":2,"deep":{"a":1,"A":2}}'], ['{"Id":3}']],
    expected: {
      columns: { id: 'long', deep: 'string' },
      rows: ['{"id":3,"deep":null}'],
      letters: ['type: ID: cannot become a column, because of its name or the number of columns'],
    },
  },
  {
    id: 'json-names-with-special-characters',
    topic: { table: { partitionColumns: ['ort'] } },
    batches: [
      [
        json({
          id: 1,
          ort: 'Zürich / "A" %',
          'first name': 'Ada',
          filename: 'x',
          'a.b': 1,
          '@type': 't',
          größe: 2,
          '': 3,
          $ref: 'r',
          text: 'line\nline',
        }),
      ],
    ],
    expected: {
      columns: {
        id: 'long',
        ort: 'string',
        filename: 'string',
        'a.b': 'long',
        '@type': 'string',
        größe: 'long',
        $ref: 'string',
        text: 'string',
      },
      rows: [],
      letters: ['type: first name, : cannot become a column, because of its name or the number of columns'],
    },
  },
  {
    id: 'json-names-with-special-characters-rescued',
    topic: { table: { schemaEvolution: 'rescue' } },
    batches: [[json({ id: 1, 'first name': 'Ada', 'a;b': [1] })]],
    expected: {
      columns: { id: 'long', _rescued_data: 'string' },
      rows: ['{"id":1,"_rescued_data":"{\\"first name\\":\\"Ada\\",\\"a;b\\":[1]}"}'],
    },
  },
  {
    id: 'json-several-shapes',
    batches: [
      [
        json({ type: 'a', n: 1, v: 1 }),
        json({ type: 'b', list: [{ x: 1 }], v: 'text' }),
        json({ type: 'c', v: { deep: true } }),
      ],
    ],
    expected: {
      columns: { type: 'string', n: 'long', v: 'string', list: 'array<struct<x: long>>' },
      rows: [
        '{"type":"a","n":1,"v":"1","list":null}',
        '{"type":"b","n":null,"v":"text","list":[{"x":1}]}',
        '{"type":"c","n":null,"v":"{\\"deep\\":true}","list":null}',
      ],
    },
  },
  {
    id: 'json-shape-changes-while-running',
    topic: { inference: { records: 1 } },
    batches: [
      [json({ id: 1, v: 1 })],
      [json({ id: 2, v: 'text' }), json({ id: 3, v: 2, more: { a: 1 } }), json({ id: 4, v: 2.5 })],
    ],
    expected: {
      columns: { id: 'long', v: 'long', more: 'struct<a: long>' },
      rows: ['{"id":1,"v":1,"more":null}', '{"id":3,"v":2,"more":{"a":1}}'],
      letters: ['type: /v expected an integer, got "text"', 'type: /v expected an integer, got 2.5'],
    },
  },
  {
    id: 'json-shape-changes-rescued',
    topic: { inference: { records: 1 }, table: { schemaEvolution: 'rescue' } },
    batches: [[json({ id: 1, v: 1 })], [json({ id: 2, v: 'text', more: { a: 1 } })]],
    expected: {
      columns: { id: 'long', v: 'long', _rescued_data: 'string' },
      rows: [
        '{"id":1,"v":1,"_rescued_data":null}',
        '{"id":2,"v":null,"_rescued_data":"{\\"v\\":\\"text\\",\\"more\\":{\\"a\\":1}}"}',
      ],
    },
  },
  {
    id: 'json-fields-always-null',
    batches: [
      [json({ id: 1, nothing: null, empty: {}, none: [] })],
      [json({ id: 2, nothing: { a: 1 }, empty: { b: 1 }, none: [1] })],
    ],
    expected: {
      columns: { id: 'long', nothing: 'struct<a: long>', empty: 'struct<b: long>', none: 'array<long>' },
      rows: [
        '{"id":1,"nothing":null,"empty":{"b":null},"none":[]}',
        '{"id":2,"nothing":{"a":1},"empty":{"b":1},"none":[1]}',
      ],
    },
  },
  {
    id: 'json-epoch-numbers',
    ...contractOf(
      { at: { type: 'integer' }, ms: { type: 'integer' } },
      {
        transforms: {
          time: 'epoch_millis_to_iso8601(ms)',
          day: { expr: 'substr(epoch_millis_to_iso8601(ms), `0`, `10`)', type: 'date' },
        },
      },
    ),
    batches: [[json({ at: 1_772_323_200, ms: 1_772_323_200_123 })]],
    expected: {
      columns: { at: 'long', ms: 'long', time: 'timestamp', day: 'date' },
      rows: ['{"at":1772323200,"ms":1772323200123,"time":"2026-03-01T00:00:00.123000Z","day":"2026-03-01"}'],
    },
  },
  {
    id: 'json-epoch-into-timestamp',
    ...contractOf({ at: { type: ['string', 'integer'], 'x-delta-type': 'timestamp' } }),
    batches: [[json({ at: 1_772_323_200 }), json({ at: '2026-03-01T00:00:00Z' })]],
    expected: {
      error:
        'KD_CONTRACT_INVALID: The contract cannot be used: /properties/at/x-delta-type: a column of type timestamp cannot hold a JSON integer',
    },
  },
  {
    id: 'json-packed-with-header',
    topic: { decompress: 'auto' },
    batches: [[{ value: gzipSync('{"id":1}'), headers: { 'content-encoding': 'gzip' } }, '{"id":2}']],
    expected: { columns: { id: 'long' }, rows: ['{"id":1}', '{"id":2}'] },
  },
  {
    id: 'json-packed-without-option',
    batches: [['{"id":1}', { value: gzipSync('{"id":2}'), headers: { 'content-encoding': 'gzip' } }]],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":1}'],
      letters: ['decode: expected UTF-8, got invalid bytes'],
    },
  },
]
