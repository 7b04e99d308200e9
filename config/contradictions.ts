import { existsSync } from 'node:fs'
import { messageOf } from '../src/core/errors.ts'
import { DATE_PARTS, parseDerivation } from './derive.ts'
import { isTree, readJson } from './tree.ts'
import type {
  AzureConfig,
  Config,
  CsvConfig,
  DynamoConfig,
  KafkaConfig,
  S3Config,
  SchemaRegistryConfig,
  TableConfig,
  TopicConfig,
} from './types.ts'

/** Formats that a schema id may stand in front of. */
const FRAMED: ReadonlySet<string> = new Set(['json', 'avro'])
/** What every codec can take the memory for at once. */
const DECOMPRESSED_BYTES_MAX = 268_435_456

/** Called with the keys that a contradiction is about and what is wrong; ignored when one of them is at fault already. */
export type Report = (keys: readonly string[], fault: string) => void

/** Options that are right one by one but not together, outside `topics`. */
export function checkService(config: Pick<Config, 'kafka' | 'storage'>, report: Report): void {
  checkKafka(config.kafka, report)
  checkS3(config.storage.s3, report)
  checkAws(config.storage.dynamodb, 'storage.dynamodb', report)
  checkAzure(config.storage.azure, report)
  checkEndpoint(config.storage.gcs.endpoint, 'storage.gcs.endpoint', report)
}

/** Options of one topic that are right one by one but not together, and files that must exist. */
export function checkTopic(topic: TopicConfig, report: Report): void {
  if (topic.creditBytes < 2 * topic.flush.bytes) {
    report(
      ['creditBytes', 'flush.bytes'],
      `must be at least twice flush.bytes (${2 * topic.flush.bytes}), so that one flush can fill while another is written: value was ${topic.creditBytes}`,
    )
  }
  if (topic.decompressedBytesMax > DECOMPRESSED_BYTES_MAX) {
    report(
      ['decompressedBytesMax'],
      `must not exceed ${DECOMPRESSED_BYTES_MAX}: value was ${topic.decompressedBytesMax}`,
    )
  }
  if (topic.deadLetters.topic === topic.topic) {
    report(
      ['deadLetters.topic', 'topic'],
      `must differ from the topic that is read: value was "${topic.topic}"`,
    )
  }
  for (const [column, expression] of Object.entries(topic.derive)) {
    if (parseDerivation(column, expression) === undefined) {
      const parts = DATE_PARTS.map((part) => `${part}(column)`).join(', ')
      report(
        [`derive.${column}`, 'derive'],
        `must be one of ${parts}: value was ${JSON.stringify(expression)}`,
      )
    }
  }
  const { partitionColumns } = topic.table
  const twice = partitionColumns.find((column, index) => partitionColumns.indexOf(column) !== index)
  if (twice !== undefined) report(['table.partitionColumns'], `names ${JSON.stringify(twice)} twice`)
  checkMaintenance(topic.table, report)
  if (topic.contract !== undefined) checkContract(topic.contract, report)
  checkFormat(topic, report)
}

function checkCsv({ delimiter, quote, header, columns }: CsvConfig, report: Report): void {
  if (delimiter !== 'tab' && delimiter.length !== 1)
    report(['csv.delimiter'], `must be one character or tab: value was ${JSON.stringify(delimiter)}`)
  if (quote !== 'none' && quote.length !== 1)
    report(['csv.quote'], `must be one character or none: value was ${JSON.stringify(quote)}`)
  if (delimiter === quote) report(['csv.quote', 'csv.delimiter'], 'must differ from csv.delimiter')
  if (header && columns !== undefined)
    report(['csv.columns', 'csv.header'], 'given, while csv.header names the fields')
  const twice = columns?.find((name, index) => columns.indexOf(name) !== index)
  if (twice !== undefined) report(['csv.columns'], `names ${JSON.stringify(twice)} twice`)
}

function checkFormat({ format, framing, avro, csv }: TopicConfig, report: Report): void {
  checkCsv(csv, report)
  for (const name of ['schema', 'schemas'] as const) {
    const path = avro[name]
    if (path !== undefined && !existsSync(path)) report([`avro.${name}`], `there is no ${path}`)
  }
  if (format !== 'avro') {
    if (framing === 'registry' && !FRAMED.has(format))
      report(['framing', 'format'], 'registry belongs to the formats avro and json')
    if (framing === 'single-object') report(['framing', 'format'], `single-object belongs to the format avro`)
    return
  }
  const needed = { none: 'schema', 'single-object': 'schemas', registry: undefined } as const
  const name = needed[framing]
  if (name !== undefined && avro[name] === undefined)
    report([`avro.${name}`], `missing, and the framing ${framing} of Avro needs it`)
}

/** Topics whose schemas are in a registry, and the registry. */
export function checkRegistry(
  topics: Readonly<Record<string, TopicConfig>>,
  registry: Partial<SchemaRegistryConfig> | undefined,
  report: Report,
): void {
  checkTogether(registry ?? {}, 'schemaRegistry', ['username', 'password'], report)
  if (registry?.url !== undefined) {
    if (!/^https?:\/\/[^\s/]+/.test(registry.url))
      report(['schemaRegistry.url'], 'must start with http:// or https:// and a host')
    return
  }
  const needing = Object.entries(topics).find(
    ([, topic]) => topic.framing === 'registry' && FRAMED.has(topic.format),
  )
  if (needing !== undefined)
    report(['schemaRegistry.url'], `missing, and topics.${needing[0]}.framing registry needs it`)
}

function checkMaintenance({ optimize, vacuum, properties }: TableConfig, report: Report): void {
  const { everyCommits, everyMs, ...how } = optimize
  const [given] = Object.keys(how)
  if (given !== undefined && everyCommits === undefined && everyMs === undefined) {
    const when = 'table.optimize.everyCommits'
    report([`table.optimize.${given}`], `given, while neither ${when} nor table.optimize.everyMs is`)
  }
  if (vacuum.retentionHours !== undefined && vacuum.everyMs === undefined)
    report(['table.vacuum.retentionHours'], 'given, while table.vacuum.everyMs is not')
  if ('delta.checkpointInterval' in properties) {
    const key = 'table.properties.delta.checkpointInterval'
    report([key, 'table.properties'], 'belongs into table.checkpointInterval')
  }
}

/** Entries of `topics` that get into each other's way. */
export function checkTopics(topics: Readonly<Record<string, TopicConfig>>, report: Report): void {
  const entries = Object.entries(topics)
  for (const [index, [name, topic]] of entries.entries()) {
    for (const [otherName, other] of entries.slice(0, index)) {
      if (topic.topic === other.topic) {
        report(
          [`topics.${name}.topic`, `topics.${otherName}.topic`],
          `topics.${otherName} reads ${JSON.stringify(topic.topic)} too, and one group hands a partition to only one of them; a second table needs a process of its own with another kafka.groupId`,
        )
      } else if (topic.appId === other.appId && topic.table.uri === other.table.uri) {
        report(
          [`topics.${name}.appId`, `topics.${otherName}.appId`],
          `topics.${otherName} writes to the same table under the same appId ${JSON.stringify(topic.appId)}`,
        )
      }
    }
  }
}

function checkKafka(kafka: KafkaConfig, report: Report): void {
  if (kafka.sessionTimeoutMs < 3 * kafka.heartbeatMs) {
    report(
      ['kafka.sessionTimeoutMs', 'kafka.heartbeatMs'],
      `must be at least three times kafka.heartbeatMs (${3 * kafka.heartbeatMs}): value was ${kafka.sessionTimeoutMs}`,
    )
  }
  if (kafka.fetchBytesPerPartitionMax > kafka.fetchBytesMax) {
    report(
      ['kafka.fetchBytesPerPartitionMax', 'kafka.fetchBytesMax'],
      `must not exceed kafka.fetchBytesMax (${kafka.fetchBytesMax}): value was ${kafka.fetchBytesPerPartitionMax}`,
    )
  }
  const noHostPort = kafka.brokers.find((broker) => !/^[^\s/]+:\d{1,5}$/.test(broker))
  if (noHostPort !== undefined) {
    report(['kafka.brokers'], `must each be host:port: value was ${JSON.stringify(noHostPort)}`)
  }
  if (kafka.brokers.length === 0) report(['kafka.brokers'], 'must name at least one broker')
  checkTogether(kafka.sasl ?? {}, 'kafka.sasl', ['mechanism', 'username', 'password'], report)
}

function checkS3(s3: S3Config, report: Report): void {
  checkAws(s3, 'storage.s3', report)
  if (s3.multipartBytesMin < 5 * 1024 * 1024) {
    report(
      ['storage.s3.multipartBytesMin'],
      `must be at least 5242880 (5 MiB): value was ${s3.multipartBytesMin}`,
    )
  }
}

/** Keys and address of a service of AWS. */
function checkAws(section: S3Config | DynamoConfig, prefix: string, report: Report): void {
  checkTogether(section, prefix, ['accessKeyId', 'secretAccessKey'], report)
  if (section.sessionToken !== undefined && section.accessKeyId === undefined) {
    report([`${prefix}.sessionToken`, `${prefix}.accessKeyId`], 'belongs to an access key, and none is given')
  }
  checkEndpoint(section.endpoint, `${prefix}.endpoint`, report)
}

function checkAzure(azure: AzureConfig, report: Report): void {
  const given = (['accountKey', 'sasToken', 'connectionString'] as const).filter(
    (name) => azure[name] !== undefined,
  )
  if (given.length > 1) {
    const keys = given.map((name) => `storage.azure.${name}`)
    report(keys, `only one way to log in is possible, and ${keys.join(' and ')} are given`)
  }
  checkEndpoint(azure.endpoint, 'storage.azure.endpoint', report)
}

function checkEndpoint(endpoint: string | undefined, key: string, report: Report): void {
  if (endpoint === undefined || /^https?:\/\/[^\s/]+/.test(endpoint)) return
  report([key], `must start with http:// or https:// and a host: value was ${JSON.stringify(endpoint)}`)
}

function checkTogether(section: object, prefix: string, names: readonly string[], report: Report): void {
  const missing = names.filter((name) => (section as Record<string, unknown>)[name] === undefined)
  const given = names.filter((name) => !missing.includes(name))
  for (const name of given.length === 0 ? [] : missing) {
    report([`${prefix}.${name}`], `missing, while ${prefix}.${given.join(' and ')} is given`)
  }
}

function checkContract(path: string, report: Report): void {
  if (!existsSync(path)) {
    report(['contract'], `there is no file ${path}`)
    return
  }
  try {
    if (!isTree(readJson(path))) report(['contract'], `must hold a JSON object: ${path}`)
  } catch (error) {
    report(['contract'], `cannot be read as JSON: ${path}: ${messageOf(error)}`)
  }
}
