import { contractOf } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const json = JSON.stringify

/** Rows of JSON whose names, texts, numbers and times other readers have trouble with. */
export const JSON_TEXTS: readonly CompatibilityRow[] = [
  {
    id: 'json-byte-order-mark',
    batches: [['\ufeff{"id":1}', '{"id":2}']],
    expected: { columns: { id: 'long' }, rows: ['{"id":1}', '{"id":2}'] },
  },
  {
    id: 'json-broken-unicode',
    batches: [
      [
        '{"id":1,"name":"\\ud83d","list":["\\udc00"],"\\ud800":1}',
        '{"id":2,"name":"\\ud83d\\ude00"}',
        '{"id":3,"name":"\\ud83d"}',
        '{"id":4,"list":["\\udc00"]}',
      ],
    ],
    expected: {
      columns: { id: 'long', name: 'string', list: 'array<string>' },
      rows: ['{"id":2,"name":"😀","list":null}'],
      letters: [
        'type: ',
        'type: /name expected well-formed Unicode, got half of a surrogate pair in "\\ud83d"',
        'type: /list/0 expected well-formed Unicode, got half of a surrogate pair in "\\udc00"',
      ],
    },
  },
  {
    id: 'json-java-local-date-time',
    ...contractOf({
      at: { type: 'string', 'x-delta-type': 'timestamp' },
      local: { type: 'string', 'x-delta-type': 'timestamp_ntz' },
    }),
    batches: [
      [
        json({ at: '2026-03-01T10:00Z', local: '2026-03-01T10:00' }),
        json({ at: '2026-03-01T10:00:00+01:00[Europe/Berlin]', local: '2026-03-01T10:00:01' }),
      ],
    ],
    expected: {
      columns: { at: 'timestamp', local: 'timestamp_ntz' },
      rows: [
        '{"at":"2026-03-01T10:00:00.000000Z","local":"2026-03-01T10:00:00.000000"}',
        '{"at":"2026-03-01T09:00:00.000000Z","local":"2026-03-01T10:00:01.000000"}',
      ],
    },
  },
  {
    id: 'json-java-local-date-time-inferred',
    topic: { inference: { timestamps: true } },
    batches: [[json({ at: '2026-03-01T10:00Z' })]],
    expected: { columns: { at: 'timestamp' }, rows: ['{"at":"2026-03-01T10:00:00.000000Z"}'] },
  },
  {
    id: 'json-whole-numbers-of-a-new-column',
    topic: { inference: { records: 1 } },
    batches: [
      ['{"id":1}'],
      ['{"id":2,"price":3.0,"s":{"p":1.0},"l":[2.0]}'],
      ['{"id":3,"price":2.5,"s":{"p":1.5},"l":[2.5]}'],
    ],
    expected: {
      columns: { id: 'long', price: 'double', s: 'struct<p: double>', l: 'array<double>' },
      rows: [
        '{"id":1,"price":null,"s":null,"l":null}',
        '{"id":2,"price":3,"s":{"p":1},"l":[2]}',
        '{"id":3,"price":2.5,"s":{"p":1.5},"l":[2.5]}',
      ],
    },
  },
  {
    id: 'json-dotted-names-dropped',
    topic: { drop: ['"user.email"', 'deep."a.b"'], rename: { '"log.level"': 'level' } },
    batches: [[json({ id: 1, 'user.email': 'a@b.example', 'log.level': 'info', deep: { 'a.b': 1, c: 2 } })]],
    expected: {
      columns: { id: 'long', level: 'string', deep: 'struct<c: long>' },
      rows: ['{"id":1,"level":"info","deep":{"c":2}}'],
    },
  },
  {
    id: 'json-header-null',
    topic: { transforms: { trace: 'kafka.headers.trace', empty: 'kafka.headers.empty' } },
    batches: [
      [
        { value: '{"id":1}', headers: { trace: null, empty: '' } },
        { value: '{"id":2}', headers: { trace: 'x' } },
      ],
    ],
    expected: {
      columns: { id: 'long', trace: 'string', empty: 'string' },
      rows: ['{"id":1,"trace":null,"empty":""}', '{"id":2,"trace":"x","empty":null}'],
    },
  },
  {
    id: 'json-record-time-out-of-range',
    topic: { transforms: { at: 'kafka.timestamp' } },
    batches: [['{"id":1}', { value: '{"id":2}', timestampMs: 253_402_300_800_000 }]],
    expected: {
      columns: { id: 'long', at: 'timestamp' },
      rows: ['{"id":1,"at":"2026-03-01T00:00:00.000000Z"}', '{"id":2,"at":null}'],
    },
  },
  {
    id: 'json-contract-is-case-sensitive',
    topic: { contract: 'file:contract.json' },
    files: {
      'contract.json': json({ type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }),
    },
    batches: [['{"id":1}', '{"ID":2}', '{"id":3,"ID":4}']],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":1}'],
      letters: [
        'contract: / must have required property \'id\', got {"ID":2}',
        'type: ID: cannot become a column, because of its name or the number of columns',
      ],
    },
  },
  {
    id: 'json-nested-too-deeply',
    batches: [['{"id":1}', `{"id":2,"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}`]],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":1}'],
      letters: ['decode: expected at most 1,000 nested levels, got more'],
    },
  },
]
