/** Describes one option of `kafka-delta ingest`, with its name in kafka-delta-ingest. */
export interface IngestOption {
  /** Long name; also the key of its value. */
  readonly name: string
  readonly short?: string
  /** Environment variable used when the command line does not set the option. */
  readonly env?: string
  readonly default?: string
  /** A `list` can be repeated; a `flag` has no value. */
  readonly kind: 'text' | 'list' | 'flag'
  /** Placeholder for the value in the help. */
  readonly value?: string
  readonly help: string
}

/** Lists the positional arguments of `ingest`; each can also come from the environment. */
export const INGEST_ARGUMENTS = [
  { name: 'topic', env: 'KAFKA_TOPIC', help: 'Kafka topic to read' },
  { name: 'table_location', env: 'TABLE_LOCATION', help: 'Delta table to write to; it must exist' },
] as const

/** Lists all options of `ingest`, in the order of the help. */
export const INGEST_OPTIONS: readonly IngestOption[] = [
  {
    name: 'kafka',
    short: 'k',
    env: 'KAFKA_BROKERS',
    default: 'localhost:9092',
    kind: 'text',
    value: 'host:port,…',
    help: 'brokers to connect to first',
  },
  {
    name: 'consumer_group',
    short: 'g',
    env: 'KAFKA_CONSUMER_GROUP',
    default: 'kafka_delta_ingest',
    kind: 'text',
    value: 'name',
    help: 'consumer group',
  },
  {
    name: 'app_id',
    short: 'a',
    env: 'APP_ID',
    default: 'kafka_delta_ingest',
    kind: 'text',
    value: 'id',
    help: "name of this stream in the table's log: partition 3 is the txn <id>-3",
  },
  {
    name: 'seek_offsets',
    env: 'KAFKA_SEEK_OFFSETS',
    kind: 'text',
    value: 'json',
    help: 'last offset to count as ingested, by partition, such as {"0":123,"1":321}, for partitions that the table has no offset of yet; reading starts at the next offset',
  },
  {
    name: 'auto_offset_reset',
    short: 'o',
    env: 'KAFKA_AUTO_OFFSET_RESET',
    default: 'earliest',
    kind: 'text',
    value: 'earliest|latest',
    help: 'where to start in partitions without an offset in the table or in --seek_offsets',
  },
  {
    name: 'allowed_latency',
    short: 'l',
    env: 'ALLOWED_LATENCY',
    default: '300',
    kind: 'text',
    value: 'seconds',
    help: 'longest time between reading a record and its commit',
  },
  {
    name: 'max_messages_per_batch',
    short: 'm',
    env: 'MAX_MESSAGES_PER_BATCH',
    default: '5000',
    kind: 'text',
    value: 'rows',
    help: 'maximum rows per row group of a file',
  },
  {
    name: 'min_bytes_per_file',
    short: 'b',
    env: 'MIN_BYTES_PER_FILE',
    default: '134217728',
    kind: 'text',
    value: 'bytes',
    help: 'commit when the buffered records reach this size',
  },
  {
    name: 'transform',
    short: 't',
    env: 'TRANSFORMS',
    kind: 'list',
    value: "'property: source'",
    help: 'set a property of each message to the result of a JMESPath expression, or to kafka.offset, kafka.partition, kafka.topic, kafka.timestamp or kafka.timestamp_type; can be repeated, in the environment one per line',
  },
  {
    name: 'dlq_table_location',
    env: 'DLQ_TABLE_LOCATION',
    kind: 'text',
    value: 'uri',
    help: 'Delta table for dead letters; without it they go to the Kafka topic <topic>-dlq',
  },
  {
    name: 'dlq_transform',
    env: 'DLQ_TRANSFORMS',
    kind: 'list',
    value: "'property: source'",
    help: 'set a column of each dead letter, in the same way',
  },
  {
    name: 'checkpoints',
    short: 'c',
    env: 'WRITE_CHECKPOINTS',
    kind: 'flag',
    help: 'accepted without effect: checkpoints are always written, every ten versions unless the table configures otherwise',
  },
  {
    name: 'kafka_setting',
    short: 'K',
    kind: 'list',
    value: 'property=value',
    help: 'a librdkafka property; can be repeated. A property without a counterpart is refused',
  },
  {
    name: 'statsd_endpoint',
    short: 's',
    env: 'STATSD_ENDPOINT',
    default: 'localhost:8125',
    kind: 'text',
    value: 'host:port',
    help: 'where StatsD metrics are sent by UDP; none are sent when empty',
  },
  {
    name: 'json',
    env: 'JSON_REGISTRY',
    kind: 'text',
    value: 'url|text',
    help: 'JSON framed with schema ids of the registry at this URL; plain JSON for any other text',
  },
  {
    name: 'avro',
    env: 'AVRO_REGISTRY',
    kind: 'text',
    value: 'url|file|""',
    help: 'Avro framed with schema ids of the registry at this URL; otherwise Avro container files, read with the schema in this file if one is given',
  },
  {
    name: 'soe-avro',
    kind: 'text',
    value: 'file|folder',
    help: 'Avro single objects, written with one of these schemas',
  },
  {
    name: 'ends_at_latest_offsets',
    short: 'e',
    env: 'ENDS_AT_LATEST_OFFSETS',
    kind: 'flag',
    help: 'stop at the end offsets that the partitions have at the start',
  },
  {
    name: 'decompress_gzip',
    env: 'DECOMPRESS_GZIP',
    kind: 'flag',
    help: 'decompress messages that are compressed with gzip',
  },
]

/** Holds the values given on the command line, by option name. */
export type IngestArguments = Readonly<Record<string, string | readonly string[] | boolean | undefined>>

/** Holds the resolved value of every argument and option; texts are present when given or when they have a default. */
export interface IngestFlags {
  readonly texts: Readonly<Record<string, string>>
  readonly lists: Readonly<Record<string, readonly string[]>>
  readonly flags: ReadonlySet<string>
}

const YES: ReadonlySet<string> = new Set(['true', 'yes', 'on', 'y', 't', '1'])
const NO: ReadonlySet<string> = new Set(['false', 'no', 'off', 'n', 'f', '0'])

/**
 * Resolves arguments and options: the command line takes precedence over the environment, then defaults apply. Faults
 * are reported.
 */
export function resolveIngestFlags(
  given: IngestArguments,
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): IngestFlags {
  const texts: Record<string, string> = {}
  const lists: Record<string, readonly string[]> = {}
  const flags = new Set<string>()
  for (const { name, env: variable, help } of INGEST_ARGUMENTS) {
    const value = given[name] ?? env[variable]
    if (typeof value === 'string' && value !== '') texts[name] = value
    else report(`<${name}>: missing, and ${variable} is not set: ${help}`)
  }
  for (const { name, env: variable, kind, ...option } of INGEST_OPTIONS) {
    const value = given[name]
    const set = variable === undefined ? undefined : env[variable]
    if (kind === 'list') {
      const lines = set?.split('\n').filter((line) => line.trim() !== '')
      lists[name] = Array.isArray(value) ? (value as string[]) : (lines ?? [])
    } else if (kind === 'text') {
      const text = typeof value === 'string' ? value : (set ?? option.default)
      if (text !== undefined) texts[name] = text
    } else if (value === true) flags.add(name)
    else if (set !== undefined && set !== '') {
      if (YES.has(set.toLowerCase())) flags.add(name)
      else if (!NO.has(set.toLowerCase())) report(`${variable}: expected true or false, got ${set}`)
    }
  }
  return { texts, lists, flags }
}

/**
 * Repeats the flag for each value that follows one `-t`, `-K` or `--dlq_transform`, since kafka-delta-ingest accepted
 * `-t 'a: b' 'c: d'`. The form of a value distinguishes it from a topic or a table location.
 */
export function repeatListFlags(argv: readonly string[]): readonly string[] {
  const repeated: string[] = []
  let list: { readonly flag: string; readonly form: RegExp } | undefined
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string
    const form = LIST_FORMS[word]
    if (form !== undefined) {
      list = { flag: word, form }
      repeated.push(word)
      const value = argv[++at]
      if (value !== undefined) repeated.push(value)
    } else if (list !== undefined && !word.startsWith('-') && list.form.test(word)) {
      repeated.push(list.flag, word)
    } else {
      list = undefined
      repeated.push(word)
    }
  }
  return repeated
}

const TRANSFORM = /^[^\s:/\\]+:(?!\/\/)\s*\S/
const SETTING = /^[a-z][a-z0-9._]*=/
const LIST_FORMS: Readonly<Record<string, RegExp>> = {
  '-t': TRANSFORM,
  '--transform': TRANSFORM,
  '--dlq_transform': TRANSFORM,
  '-K': SETTING,
  '--kafka_setting': SETTING,
  '--Kafka': SETTING,
}
