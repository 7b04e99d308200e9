import type { OptionTree } from '../option.ts'

/** How the values of a topic are written: options of an entry of `topics`. */
export const FORMAT_OPTIONS = {
  format: {
    doc: 'How record values are encoded: JSON objects, lines of JSON (each a row), Avro records, Protobuf messages, lines of CSV, UTF-8 text or bytes as they are; the last two go into one column, `value`.',
    format: ['json', 'jsonl', 'avro', 'protobuf', 'csv', 'text', 'bytes'],
    default: 'json',
  },
  formats: {
    doc: 'Instead of `format`, several formats that values may have, told apart one by one: by a mark where the format has one (Avro containers, single objects, schema ids where `schemaRegistry.url` is given), then by the brace of a JSON object, then CSV and text, Protobuf and Avro without a frame last. Among those that look alike the first in the list that can read the value does.',
    format: 'text-list',
    default: null,
    nullable: true,
  },
  recordsPerMessageMax: {
    doc: 'Records that one message may hold, where it may hold several; a message with more is a dead letter. At most 1000000.',
    format: 'whole-number',
    unit: 'records',
    default: 100_000,
  },
  framing: {
    doc: 'What stands in front of a value and names its schema: nothing, the mark and fingerprint of an Avro single object (`single-object`, needs `avro.schemas`), the header of an Avro object container file, whose records all become rows (`container`), or the zero byte and schema id of a registry (`registry`, needs `schemaRegistry.url`).',
    format: ['none', 'single-object', 'container', 'registry'],
    default: 'none',
  },
  subject: {
    doc: 'Subject of the registry whose newest schema gives the columns of a topic without `contract`.',
    format: 'text',
    default: null,
    template: true,
    computed: { text: '`<topic>-value`', of: ({ topic }) => `${topic}-value` },
  },
  avro: {
    schema: {
      doc: 'File with the Avro schema (`.avsc`) of records without a frame. Without `contract`, the table gets its columns from it.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
    schemas: {
      doc: 'Folder of Avro schemas (`*.avsc`) by which single objects are written, found by their fingerprints.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
    readerSchema: {
      doc: 'File with the Avro schema (`.avsc`) that rows follow, whatever schemas their records were written by: read by the rules of Avro for schema resolution. Without `contract`, the table gets its columns from it.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
  },
  protobuf: {
    schema: {
      doc: 'File with the messages (`.proto`) of values without a frame. What it imports lies in its folder or in one above; the types of `google/protobuf` need not lie anywhere. Without `contract`, the table gets its columns from it.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
    message: {
      doc: 'Full name of the message, such as `acme.orders.Order`. Unset, the first of the file; with the framing `registry`, the one that each value names.',
      format: 'text',
      default: null,
      nullable: true,
    },
  },
  envelope: {
    doc: 'What values are beside rows: nothing, or events of Debezium, each a change of a row (`debezium`, with the formats json, avro and protobuf).',
    format: ['none', 'debezium'],
    default: 'none',
  },
  debezium: {
    fields: {
      doc: 'What of an event goes into columns beside those of the row, named as the transformation ExtractNewRecordState names them: `op` becomes `__op`, `source.ts_ms` becomes `__source_ts_ms`. Names without `source.` are looked for in the event and then in its source. `__deleted` is always there.',
      format: 'text-list',
      default: ['op', 'table', 'source.ts_ms'],
    },
  },
  csv: {
    delimiter: {
      doc: 'Character between two fields of CSV, or the word `tab`.',
      format: 'text',
      default: ',',
    },
    quote: { doc: 'Character around fields of CSV, or the word `none`.', format: 'text', default: '"' },
    header: {
      doc: 'Whether each value is two lines of CSV, the first with the names of the fields.',
      format: 'flag',
      default: false,
    },
    columns: {
      doc: 'Names of the fields of CSV without a header, in their order. Unset, the columns of the contract or the table.',
      format: 'text-list',
      default: null,
      nullable: true,
    },
    nullWords: {
      doc: 'Fields of CSV that are null where they stand without quotes, beside the empty one.',
      format: 'text-list',
      default: [],
    },
  },
  decompress: {
    doc: 'How each value is compressed by itself, beside the compression of Kafka: `auto` goes by the first bytes (snappy only in a frame) and takes values without a mark as they are.',
    format: ['none', 'auto', 'gzip', 'snappy', 'lz4', 'zstd'],
    default: 'none',
  },
  decompressedBytesMax: {
    doc: 'Most that one value may come to after `decompress`; a larger one is a dead letter. At most 268435456.',
    format: 'whole-number',
    unit: 'bytes',
    default: 16_777_216,
  },
} as const satisfies OptionTree
