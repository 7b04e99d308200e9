import { PipelineError } from '../core/errors.ts'
import { storeEnvironment, tableUri } from './environment.ts'
import { formatOf } from './formats.ts'
import { brokersOf, kafkaSettings, propertiesOf, type PemTexts } from './librdkafka.ts'
import { ingestFlags, type Given, type IngestFlags } from './options.ts'
import { seekOffsetsOf } from './seek-offsets.ts'
import { statsdOf, type StatsdPlace } from './statsd-place.ts'

/** The name of the one entry of `topics`, for `--set`. */
export const INGEST_ENTRY = 'ingest'

/** What a command line of kafka-delta-ingest comes to. */
export interface IngestPlan {
  /** Configuration of ours, yet to be loaded. */
  readonly config: object
  /** The environment that goes with it. */
  readonly env: Readonly<Record<string, string>>
  /** PEM texts that `config` has no files for. */
  readonly pem: PemTexts
  readonly until: 'stopped' | 'latest'
  /** The last offset that counts as ingested, by partition, ascending; empty where nothing was said. */
  readonly seekOffsets: ReadonlyMap<number, bigint>
  /** Absent where no metrics are wanted. */
  readonly statsd?: StatsdPlace
  /** What was accepted without an effect, one sentence each. */
  readonly notes: readonly string[]
}

/**
 * Our configuration for what kafka-delta-ingest was told, by its own names; reads nothing but its arguments.
 * @throws KD_COMMAND_INVALID with every fault, one a line.
 */
export function ingestPlan(given: Given, env: Readonly<Record<string, string | undefined>>): IngestPlan {
  const faults: string[] = []
  const report = (fault: string): void => void faults.push(fault)
  const flags = ingestFlags(given, env, report)
  const plan = planOf(flags, env, report)
  if (faults.length === 0) return plan
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  throw new PipelineError('KD_COMMAND_INVALID', [count, ...faults.map((fault) => `  ${fault}`)].join('\n'))
}

function planOf(
  flags: IngestFlags,
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): IngestPlan {
  const { texts, lists } = flags
  const startFrom = texts['auto_offset_reset'] ?? ''
  if (startFrom !== 'earliest' && startFrom !== 'latest')
    report(`--auto_offset_reset: expected earliest or latest, got ${startFrom}`)
  const properties = propertiesOf(
    [...loginProperties(env, report), ...(lists['kafka_setting'] ?? [])],
    report,
  )
  const { kafka, pem, notes } = kafkaSettings(properties, startFrom, report)
  const { topic: format, registry } = formatOf(flags, report)
  if (registry !== undefined && (env['SCHEMA_REGISTRY_PROXY'] ?? '') !== '')
    report('SCHEMA_REGISTRY_PROXY: a proxy on the way to the registry is not supported')
  const statsd = statsdOf(texts['statsd_endpoint'] ?? '', env, report)
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
        table: { uri: tableUri(texts['table_location'] ?? ''), schemaEvolution: 'none' },
        flush: {
          ageMs: Math.max(1, 1000 * wholeNumber(texts, 'allowed_latency', report)),
          bytes: Math.max(1, bytes),
          // Nothing but bytes and age ends a file there.
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
    env: storeEnvironment(env),
    pem,
    notes,
    until: flags.flags.has('ends_at_latest_offsets') ? 'latest' : 'stopped',
    seekOffsets: seekOffsetsOf(texts['seek_offsets'], report),
    ...(statsd === undefined ? {} : { statsd }),
  }
}

const FLUSH_RECORDS_MAX = 10_000_000
/** Room for some fetches, however small files may be. */
const CREDIT_BYTES_MIN = 16_777_216

function deadLettersOf(flags: IngestFlags, report: (fault: string) => void): object {
  const location = flags.texts['dlq_table_location'] ?? ''
  const transforms = transformsOf('dlq_transform', flags.lists, report)
  if (location === '') {
    if (Object.keys(transforms).length > 0)
      report('--dlq_transform: given, while --dlq_table_location is not')
    return {}
  }
  return {
    deadLetters: {
      table: tableUri(location),
      ...(Object.keys(transforms).length === 0 ? {} : { transforms }),
    },
  }
}

/** Properties by what they are set to; a later one of a name wins, as there. */
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

/** The login in the environment, as the properties that it was made into; `-K` is stronger. */
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
    // A secret is in it, so nothing of it is repeated.
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
