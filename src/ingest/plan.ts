import { PipelineError } from '../core/errors.ts'
import { toStoreEnvironment, toTableUri } from './environment.ts'
import { ingestFormatOf } from './formats.ts'
import { brokersOf, toKafkaSettings, parseProperties, type PemTexts } from './librdkafka.ts'
import { resolveIngestFlags, type IngestArguments, type IngestFlags } from './options.ts'
import { seekOffsetsOf } from './seek-offsets.ts'
import { statsdEndpointOf, type StatsdEndpoint } from './statsd-endpoint.ts'

/** Names the single entry in `topics`, for `--set`. */
export const INGEST_ENTRY = 'ingest'

/** Holds the configuration and run options that a kafka-delta-ingest command line translates to. */
export interface IngestPlan {
  /** Configuration of this service, not yet validated. */
  readonly config: object
  /** Environment variables for the configuration. */
  readonly env: Readonly<Record<string, string>>
  /** PEM texts to write to files before `config` is complete. */
  readonly pem: PemTexts
  readonly until: 'stopped' | 'latest'
  /** Last offset to count as ingested, by partition, ascending; empty without `--seek_offsets`. */
  readonly seekOffsets: ReadonlyMap<number, bigint>
  /** Absent when no metrics are sent. */
  readonly statsd?: StatsdEndpoint
  /** Accepted settings without effect, one sentence each. */
  readonly notes: readonly string[]
}

/**
 * Translates a kafka-delta-ingest command line and its environment to a configuration of this service, without any
 * I/O.
 * @throws KD_COMMAND_INVALID with every fault, one per line
 */
export function planIngest(
  given: IngestArguments,
  env: Readonly<Record<string, string | undefined>>,
): IngestPlan {
  const faults: string[] = []
  const report = (fault: string): void => void faults.push(fault)
  const flags = resolveIngestFlags(given, env, report)
  const plan = translate(flags, env, report)
  if (faults.length === 0) return plan
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  throw new PipelineError('KD_COMMAND_INVALID', [count, ...faults.map((fault) => `  ${fault}`)].join('\n'))
}

function translate(
  flags: IngestFlags,
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): IngestPlan {
  const { texts, lists } = flags
  const startFrom = texts['auto_offset_reset'] ?? ''
  if (startFrom !== 'earliest' && startFrom !== 'latest')
    report(`--auto_offset_reset: expected earliest or latest, got ${startFrom}`)
  const properties = parseProperties(
    [...loginProperties(env, report), ...(lists['kafka_setting'] ?? [])],
    report,
  )
  const { kafka, pem, notes } = toKafkaSettings(properties, startFrom, report)
  const { topic: format, registry } = ingestFormatOf(flags, report)
  if (registry !== undefined && (env['SCHEMA_REGISTRY_PROXY'] ?? '') !== '')
    report('SCHEMA_REGISTRY_PROXY: a proxy to the schema registry is not supported')
  const statsd = statsdEndpointOf(texts['statsd_endpoint'] ?? '', env, report)
  const transforms = transformsOf('transform', lists, report)
  const bytes = wholeNumber(texts, 'min_bytes_per_file', report)
  const config = {
    kafka: {
      brokers: brokersOf(texts['kafka'] ?? ''),
      groupId: texts['consumer_group'],
      ...kafka,
    },
    ...(registry === undefined ? {} : { schemaRegistry: { url: registry } }),
    topics: {
      [INGEST_ENTRY]: {
        topic: texts['topic'],
        appId: texts['app_id'],
        startFrom,
        ...format,
        compatibility: 'kafka-delta-ingest',
        ...(Object.keys(transforms).length === 0 ? {} : { transforms }),
        creditBytes: Math.max(2 * bytes, CREDIT_BYTES_MIN),
        table: { uri: toTableUri(texts['table_location'] ?? ''), schemaEvolution: 'none' },
        flush: {
          ageMs: Math.max(1, 1000 * wholeNumber(texts, 'allowed_latency', report)),
          bytes: Math.max(1, bytes),
          // kafka-delta-ingest ends a file only by bytes or age.
          count: FLUSH_RECORDS_MAX,
        },
        parquet: {
          compression: 'snappy',
          rowGroupRows: Math.max(1, wholeNumber(texts, 'max_messages_per_batch', report)),
        },
        ...deadLettersOf(flags, report),
      },
    },
  }
  return {
    config,
    env: toStoreEnvironment(env),
    pem,
    notes,
    until: flags.flags.has('ends_at_latest_offsets') ? 'latest' : 'stopped',
    seekOffsets: seekOffsetsOf(texts['seek_offsets'], report),
    ...(statsd === undefined ? {} : { statsd }),
  }
}

const FLUSH_RECORDS_MAX = 10_000_000
/** Leaves room for several fetches, however small the files are. */
const CREDIT_BYTES_MIN = 16_777_216

function deadLettersOf(flags: IngestFlags, report: (fault: string) => void): object {
  const location = flags.texts['dlq_table_location'] ?? ''
  const transforms = transformsOf('dlq_transform', flags.lists, report)
  if (location === '') {
    if (Object.keys(transforms).length > 0) report('--dlq_transform: requires --dlq_table_location')
    return {}
  }
  return {
    deadLetters: {
      table: toTableUri(location),
      ...(Object.keys(transforms).length === 0 ? {} : { transforms }),
    },
  }
}

/** Parses the properties and their sources; the last one of a name wins, as in kafka-delta-ingest. */
function transformsOf(
  option: string,
  lists: IngestFlags['lists'],
  report: (fault: string) => void,
): Readonly<Record<string, string>> {
  const transforms: [string, string][] = []
  for (const text of lists[option] ?? []) {
    const split = text.indexOf(':')
    const property = text.slice(0, Math.max(0, split)).trim()
    const source = text.slice(split + 1).trim()
    if (property === '' || source === '')
      report(`--${option} ${text}: expected 'property: source', such as 'offset: kafka.offset'`)
    else transforms.push([property, source])
  }
  return Object.fromEntries(transforms)
}

function wholeNumber(texts: IngestFlags['texts'], name: string, report: (fault: string) => void): number {
  const text = texts[name] ?? ''
  if (/^\d{1,15}$/.test(text)) return Number(text)
  report(`--${name}: expected a whole number, got ${text}`)
  return 1
}

/**
 * Returns the login variables as the librdkafka properties that kafka-delta-ingest made of them; `-K` takes
 * precedence.
 */
function loginProperties(
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): readonly string[] {
  const properties: string[] = []
  for (const [variable, property] of [
    ['KAFKA_DELTA_INGEST_CERT', 'ssl.certificate.pem'],
    ['KAFKA_DELTA_INGEST_KEY', 'ssl.key.pem'],
    ['KAFKA_DELTA_INGEST_CA', 'ssl.ca.pem'],
  ] as const) {
    const text = env[variable]
    if (text !== undefined && text !== '') properties.push(`${property}=${text}`)
  }
  const json = env['KAFKA_DELTA_INGEST_SCRAM_JSON']
  if (json === undefined || json === '') return properties
  const login = jsonObject(json)
  for (const name of ['username', 'password']) {
    const value = login?.[name]
    // The text contains a secret, so it is not included in the message.
    if (typeof value !== 'string')
      report(`KAFKA_DELTA_INGEST_SCRAM_JSON: expected a JSON object with the text "${name}"`)
    else properties.push(`sasl.${name}=${value}`)
  }
  return properties
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
