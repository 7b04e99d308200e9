import type { OptionTree } from '../option.ts'

/** Names of the encodings of record values. */
const FORMATS = ['json', 'jsonl', 'avro', 'protobuf', 'csv', 'text', 'bytes'] as const

/** Declares the options of an entry of `topics` that describe how record values are encoded. */
export const FORMAT_OPTIONS = {
  format: {
    doc: 'Encoding of record values: a JSON object, lines of JSON (each becomes a row), an Avro record, a Protobuf message, a line of CSV, UTF-8 text or raw bytes. `text` and `bytes` fill a single column, `value`. See [formats](formats.md).',
    format: FORMATS,
    default: 'json',
  },
  formats: {
    doc: 'Candidate formats, instead of `format`, for a topic whose values have different encodings. The format of each value is detected: first by magic bytes (Avro container files, Avro single objects, schema ids if `schemaRegistry.url` is set), then by the opening brace of a JSON object, then CSV and text, and last Protobuf and Avro without framing. Among candidates that cannot be distinguished, the first in the list that can decode the value is used.',
    format: 'text-list',
    items: FORMATS,
    default: null,
    nullable: true,
  },
  recordsPerMessageMax: {
    doc: 'Maximum number of records in one message, for formats that allow several. A message with more becomes a dead letter. At most 1000000.',
    format: 'whole-number',
    unit: 'records',
    default: 100_000,
  },
  framing: {
    doc: 'What precedes a value and identifies its schema: nothing (`none`), the marker and schema fingerprint of an Avro single object (`single-object`, requires `avro.schemas`), the header of an Avro object container file, whose records each become a row (`container`), or a zero byte and the schema id of a registry (`registry`, requires `schemaRegistry.url`).',
    format: ['none', 'single-object', 'container', 'registry'],
    default: 'none',
  },
  subject: {
    doc: 'Subject in the schema registry whose latest schema defines the columns of a topic without `contract`.',
    format: 'text',
    default: null,
    template: true,
    computed: { description: '`<topic>-value`', compute: ({ topic }) => `${topic}-value` },
  },
  avro: {
    /** Absolute path of an existing file. Set for format `avro` without framing. */
    schema: {
      doc: 'File with the Avro schema (`.avsc`) of values without framing; required with format `avro` and framing `none`. Without `contract`, it also defines the columns of the table.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
    /** Absolute path of an existing folder. Set for format `avro` with single objects. */
    schemas: {
      doc: 'Folder with the Avro schemas (`*.avsc`) that single objects were written with; each is found by its fingerprint. Required with framing `single-object`.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
    /** Absolute path of an existing file. */
    readerSchema: {
      doc: "File with the Avro reader schema (`.avsc`): records are converted to it from their writer's schema by Avro's schema resolution. Without `contract`, it also defines the columns of the table. Set it to keep columns stable while producers change their schemas.",
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
  },
  protobuf: {
    /** Absolute path of an existing file. Set for format `protobuf` without framing. */
    schema: {
      doc: 'File with the message definitions (`.proto`) of values without framing; required with format `protobuf` and framing `none`. Imported files are looked up in its folder and in the folders above it; the types of `google/protobuf` are built in. Without `contract`, it also defines the columns of the table.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
    },
    message: {
      doc: 'Full name of the message type, such as `acme.orders.Order`. Unset: the first message of the file, or with framing `registry` the one that each value names.',
      format: 'text',
      default: null,
      nullable: true,
    },
  },
  envelope: {
    doc: 'Envelope around rows: `none`, or `debezium` for Debezium change events, of which each describes the change of one row. `debezium` requires the format json, avro or protobuf.',
    format: ['none', 'debezium'],
    default: 'none',
  },
  debezium: {
    fields: {
      doc: "Fields of a Debezium event that become columns beside those of the row, named as by Debezium's ExtractNewRecordState: `op` becomes `__op`, `source.ts_ms` becomes `__source_ts_ms`. A name without `source.` is looked up in the event first and then in its `source`. `__deleted` is always added.",
      format: 'text-list',
      default: ['op', 'table', 'source.ts_ms'],
    },
  },
  csv: {
    /** One character, or the word `tab`. */
    delimiter: {
      doc: 'Character that separates the fields of CSV, or the word `tab`.',
      format: 'text',
      default: ',',
    },
    /** One character, or the word `none`. */
    quote: {
      doc: 'Character that quotes fields of CSV, or the word `none` if fields are never quoted.',
      format: 'text',
      default: '"',
    },
    header: {
      doc: 'Set to true if each value consists of two lines of CSV, of which the first names the fields.',
      format: 'flag',
      default: false,
    },
    columns: {
      doc: 'Names of the fields of CSV without a header, in order. Unset: the columns of the contract or of the table.',
      format: 'text-list',
      default: null,
      nullable: true,
    },
    nullWords: {
      doc: 'Words that mean null in an unquoted field of CSV, in addition to an empty field.',
      format: 'text-list',
      default: [],
    },
  },
  decompress: {
    doc: "Compression of each single value by its producer, independent of Kafka's compression of batches. `auto` detects it from the first bytes (snappy only in its frame format) and reads values without known magic bytes as uncompressed.",
    format: ['none', 'auto', 'gzip', 'snappy', 'lz4', 'zstd'],
    default: 'none',
  },
  decompressedBytesMax: {
    doc: 'Maximum size of one value after `decompress`. A larger value becomes a dead letter. At most 268435456.',
    format: 'whole-number',
    unit: 'bytes',
    default: 16_777_216,
  },
} as const satisfies OptionTree
