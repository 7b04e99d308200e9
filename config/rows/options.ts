import type { OptionTree } from '../option.ts'

/** Declares the options of an entry of `topics` that shape rows. */
export const ROW_OPTIONS = {
  /** Absolute path of an existing JSON file. */
  contract: {
    doc: 'File with the JSON Schema that messages must satisfy and that defines the columns of the table. Unset: the schema of the format is used if there is one (`avro.schema`, the registry), else the columns of the existing table, else columns inferred from the first messages. Relative paths are resolved against the folder of the configuration file. See [contracts](contracts.md).',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
  },
  kafkaColumns: {
    doc: 'Adds the columns `_kafka_topic`, `_kafka_partition`, `_kafka_offset`, `_kafka_timestamp` and `_kafka_key` to every row. `table verify` uses them to find duplicates.',
    format: 'flag',
    default: false,
  },
  /** Expressions by the name of their column. Their syntax is checked; `parseDerivation` parses them. */
  derive: {
    doc: "Derived columns: column name → `year(c)`, `month(c)`, `day(c)`, `hour(c)` or `date(c)` of a timestamp, date or ISO 8601 text, in UTC or in a time zone (`date(c, 'Europe/Berlin')`), also of numbers since the epoch (`date(millis(c))`, `seconds`, `micros`); `bucket(c, 16)`; `truncate(c, 4)`. See [partitioning](partitioning.md).",
    format: 'map',
    default: [],
  },
  cobDate: {
    column: {
      doc: 'Name of the close-of-business date column. If the date is read from a column of the same name, that column is validated and keeps its type; otherwise the column is a date.',
      format: 'text',
      default: 'cob_date',
    },
    /** Source of the date. Its syntax is checked; `parseCobSource` parses it. */
    from: {
      doc: 'Where the close-of-business date of a record is read from: `value:PATH` (a column, or a field of structs by its [path](transforms.md#paths)), `key` or `header:NAME`. A record without a date, or with one that violates an option below, becomes a dead letter with the reason `partition`. Unset: rows have no such date.',
      format: 'text',
      default: null,
      nullable: true,
    },
    /** RE2 pattern that compiles. */
    pattern: {
      doc: 'RE2 pattern that finds the date in the text: its first group, or the whole match without a group. Unset: the whole text is the date.',
      format: 'text',
      default: null,
      nullable: true,
    },
    format: {
      doc: 'Format of the date; the text must match it exactly.',
      format: ['YYYY-MM-DD', 'YYYYMMDD'],
      default: 'YYYY-MM-DD',
    },
    timeZone: {
      doc: 'IANA name of the time zone that turns the Kafka timestamp of the record into its day. `allowFuture` and `daysBackMax` are relative to that day, so that a record is judged the same whenever it is read.',
      format: 'text',
      default: 'UTC',
    },
    allowFuture: {
      doc: 'Accepts dates after the day of the record.',
      format: 'flag',
      default: false,
    },
    daysBackMax: {
      doc: 'Maximum number of days that the date may lie before the day of the record. Unset: no limit.',
      format: 'whole-number',
      unit: 'days',
      default: null,
      nullable: true,
    },
  },
  compatibility: {
    doc: 'Produces rows like another program. `kafka-delta-ingest`: the table must exist and defines the columns, even if the format has a schema; numbers may be given as text, timestamps also as microseconds and dates as days since the epoch, timestamps without a time zone are in UTC, binary values in JSON are hexadecimal text, and logical types of Avro become numbers. See [migrating from kafka-delta-ingest](from-kafka-delta-ingest.md).',
    format: ['none', 'kafka-delta-ingest'],
    default: 'none',
  },
} as const satisfies OptionTree
