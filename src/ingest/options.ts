/** One option of `kafka-delta ingest`, with the names that kafka-delta-ingest gave it. */
export interface IngestOption {
  /** Long name; also the key under which its value is found. */
  readonly name: string
  readonly short?: string
  /** Environment variable that counts where the command line is silent. */
  readonly env?: string
  readonly default?: string
  /** `list` may be given several times; `flag` takes no value. */
  readonly kind: 'text' | 'list' | 'flag'
  /** What stands for the value in the help. */
  readonly value?: string
  readonly help: string
}

/** What `ingest` reads and writes, by their places; each may come from the environment instead. */
export const INGEST_ARGUMENTS = [
  { name: 'topic', env: 'KAFKA_TOPIC', help: 'Kafka topic to read' },
  { name: 'table_location', env: 'TABLE_LOCATION', help: 'Delta table to write to; it must exist' },
] as const

/** Every option of `ingest`, in the order of its help. */
export const INGEST_OPTIONS: readonly IngestOption[] = [
  {
    name: 'kafka',
    short: 'k',
    env: 'KAFKA_BROKERS',
    default: 'localhost:9092',
    kind: 'text',
    value: 'host:port,…',
    help: 'brokers to ask first',
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
    help: 'last offset that counts as ingested, by partition, such as {"0":123,"1":321}, for partitions of which the table holds nothing yet; reading goes on with the one after it',
  },
  {
    name: 'auto_offset_reset',
    short: 'o',
    env: 'KAFKA_AUTO_OFFSET_RESET',
    default: 'earliest',
    kind: 'text',
    value: 'earliest|latest',
    help: 'where to begin in partitions of which neither the table nor --seek_offsets knows anything',
  },
  {
    name: 'allowed_latency',
    short: 'l',
    env: 'ALLOWED_LATENCY',
    default: '300',
    kind: 'text',
    value: 'seconds',
    help: 'longest time that a record waits for its commit',
  },
  {
    name: 'max_messages_per_batch',
    short: 'm',
    env: 'MAX_MESSAGES_PER_BATCH',
    default: '5000',
    kind: 'text',
    value: 'rows',
    help: 'most rows in one row group of a file',
  },
  {
    name: 'min_bytes_per_file',
    short: 'b',
    env: 'MIN_BYTES_PER_FILE',
    default: '134217728',
    kind: 'text',
    value: 'bytes',
    help: 'commit when the buffered records came to this many bytes',
  },
  {
    name: 'transform',
    short: 't',
    env: 'TRANSFORMS',
    kind: 'list',
    value: "'property: source'",
    help: 'set a property of each message to what a JMESPath expression finds, or to kafka.offset, kafka.partition, kafka.topic, kafka.timestamp or kafka.timestamp_type; may be repeated, in the environment one a line',
  },
  {
    name: 'dlq_table_location',
    env: 'DLQ_TABLE_LOCATION',
    kind: 'text',
    value: 'uri',
    help: 'Delta table for messages of which no row can be made; without it they go to the Kafka topic <topic>-dlq',
  },
  {
    name: 'dlq_transform',
    env: 'DLQ_TRANSFORMS',
    kind: 'list',
    value: "'property: source'",
    help: 'set a column of each dead letter, likewise',
  },
  {
    name: 'checkpoints',
    short: 'c',
    env: 'WRITE_CHECKPOINTS',
    kind: 'flag',
    help: 'accepted; checkpoints are always written, every ten versions unless the table says otherwise',
  },
  {
    name: 'kafka_setting',
    short: 'K',
    kind: 'list',
    value: 'property=value',
    help: 'a librdkafka property; may be repeated. One that has no counterpart is refused by its name',
  },
  {
    name: 'statsd_endpoint',
    short: 's',
    env: 'STATSD_ENDPOINT',
    default: 'localhost:8125',
    kind: 'text',
    value: 'host:port',
    help: 'where metrics go by UDP; an empty text sends none',
  },
  {
    name: 'json',
    env: 'JSON_REGISTRY',
    kind: 'text',
    value: 'url|text',
    help: 'JSON with the schema ids of the registry at this address in front; JSON as it is for any other text',
  },
  {
    name: 'avro',
    env: 'AVRO_REGISTRY',
    kind: 'text',
    value: 'url|file|""',
    help: 'Avro with the schema ids of the registry at this address in front; Avro container files otherwise, read by the schema in this file where one is named',
  },
  {
    name: 'soe-avro',
    kind: 'text',
    value: 'file|folder',
    help: 'Avro single objects, written by one of these schemas',
  },
  {
    name: 'ends_at_latest_offsets',
    short: 'e',
    env: 'ENDS_AT_LATEST_OFFSETS',
    kind: 'flag',
    help: 'stop at the end offsets as they are at the start',
  },
  {
    name: 'decompress_gzip',
    env: 'DECOMPRESS_GZIP',
    kind: 'flag',
    help: 'each message is compressed with gzip',
  },
]

/** What was said for one option, from the command line or the environment. */
export type Given = Readonly<Record<string, string | readonly string[] | boolean | undefined>>

/** Every argument and option with what was said for it; texts are there where something was said or there is a default. */
export interface IngestFlags {
  readonly texts: Readonly<Record<string, string>>
  readonly lists: Readonly<Record<string, readonly string[]>>
  readonly flags: ReadonlySet<string>
}

const YES: ReadonlySet<string> = new Set(['true', 'yes', 'on', 'y', 't', '1'])
const NO: ReadonlySet<string> = new Set(['false', 'no', 'off', 'n', 'f', '0'])

/** Lays the command line over the environment and the defaults. Whatever is wrong goes to `report`. */
export function ingestFlags(
  given: Given,
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): IngestFlags {
  const texts: Record<string, string> = {}
  const lists: Record<string, readonly string[]> = {}
  const flags = new Set<string>()
  for (const { name, env: variable, help } of INGEST_ARGUMENTS) {
    const said = given[name] ?? env[variable]
    if (typeof said === 'string' && said !== '') texts[name] = said
    else report(`<${name}>: missing, and ${variable} is not set: ${help}`)
  }
  for (const { name, env: variable, kind, ...option } of INGEST_OPTIONS) {
    const said = given[name]
    const set = variable === undefined ? undefined : env[variable]
    if (kind === 'list') {
      const lines = set?.split('\n').filter((line) => line.trim() !== '')
      lists[name] = Array.isArray(said) ? (said as string[]) : (lines ?? [])
    } else if (kind === 'text') {
      const text = typeof said === 'string' ? said : (set ?? option.default)
      if (text !== undefined) texts[name] = text
    } else if (said === true) flags.add(name)
    else if (set !== undefined && set !== '') {
      if (YES.has(set.toLowerCase())) flags.add(name)
      else if (!NO.has(set.toLowerCase())) report(`${variable}: expected true or false, got ${set}`)
    }
  }
  return { texts, lists, flags }
}

/**
 * Splits what followed one `-t`, `-K` or `--dlq_transform` into one option for each value, since
 * `-t 'a: b' 'c: d'` is how they were written for years. A value is told by its form from a topic or a table location.
 */
export function withRepeatedLists(argv: readonly string[]): readonly string[] {
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
