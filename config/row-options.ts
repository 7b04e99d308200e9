import type { OptionTree } from './option.ts'

/** What rows are made of messages: options of an entry of `topics`. */
export const ROW_OPTIONS = {
  contract: {
    doc: "File with the JSON Schema that records must meet and from which the table's schema is derived. Unset, the schema of the format is taken where there is one (`avro.schema`, the registry), else that of an existing table. A relative path counts from the folder of the configuration file.",
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
    doc: 'Columns taken from a timestamp column: column name → `year(c)`, `month(c)`, `day(c)`, `hour(c)` or `date(c)`, in UTC.',
    format: 'map',
    default: [],
  },
} as const satisfies OptionTree
