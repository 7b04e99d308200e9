import { COB_FORMATS } from './cob-date.ts'
import type { OptionTree } from '../option.ts'

/** What rows are made of messages: options of an entry of `topics`. */
export const ROW_OPTIONS = {
  contract: {
    doc: "File with the JSON Schema that records must meet and from which the table's schema is derived. Unset, the schema of the format is taken where there is one (`avro.schema`, the registry), else that of an existing table, else the columns that the first messages ask for. See [contracts](contracts.md). A relative path counts from the folder of the configuration file.",
    format: 'text',
    default: null,
    nullable: true,
    path: true,
  },
  kafkaColumns: {
    doc: 'Add the columns `_kafka_topic`, `_kafka_partition`, `_kafka_offset`, `_kafka_timestamp` and `_kafka_key`.',
    format: 'flag',
    default: false,
  },
  derive: {
    doc: "Columns that follow from others: column name → `year(c)`, `month(c)`, `day(c)`, `hour(c)` or `date(c)` of a timestamp, date or ISO 8601 text, in UTC or in a time zone (`date(c, 'Europe/Berlin')`), and of numbers since the epoch (`date(millis(c))`, `seconds`, `micros`); `bucket(c, 16)`; `truncate(c, 4)`. See [partitioning](partitioning.md).",
    format: 'map',
    default: [],
  },
  cobDate: {
    column: {
      doc: 'Column of the close-of-business date. Where the date stands in a column of the same name, that column is checked and keeps its type; otherwise the column is a date.',
      format: 'text',
      default: 'cob_date',
    },
    from: {
      doc: 'Where the close-of-business date of a record stands: `value:PATH` (a column, or a field of structs by its dotted path), `key` or `header:NAME`. A record without one, or with one that breaks a rule below, becomes a dead letter with the reason `partition`. Unset, there is no such date.',
      format: 'text',
      default: null,
      nullable: true,
    },
    pattern: {
      doc: 'Pattern of RE2 that finds the date in the text: its first group, or all that it finds where it has none. Unset, the whole text is the date.',
      format: 'text',
      default: null,
      nullable: true,
    },
    format: {
      doc: 'How the date is written, to the digit.',
      format: COB_FORMATS,
      default: 'YYYY-MM-DD',
    },
    timeZone: {
      doc: "IANA name of the time zone in which the record's Kafka timestamp says what day it is; `allowFuture` and `daysBackMax` count from that day, so that a record reads the same whenever it is read.",
      format: 'text',
      default: 'UTC',
    },
    allowFuture: {
      doc: "Take dates after the record's day as well.",
      format: 'flag',
      default: false,
    },
    daysBackMax: {
      doc: "Days by which the date may lie before the record's day. Unset, any number.",
      format: 'whole-number',
      unit: 'days',
      default: null,
      nullable: true,
    },
  },
  compatibility: {
    doc: 'Make rows as another program does. `kafka-delta-ingest`: the table must exist and its columns alone count, also where the format has a schema; numbers may come as text, timestamps also as microseconds and dates as days since the epoch, timestamps without a zone are in UTC, and JSON has binary values as hexadecimal text; logical types of Avro come as numbers. `docs/from-kafka-delta-ingest.md` tells more.',
    format: ['none', 'kafka-delta-ingest'],
    default: 'none',
  },
} as const satisfies OptionTree
