import { checkFormats } from './check-formats.ts'
import { existsSync } from 'node:fs'
import { checkTogether, type Report } from '../report.ts'
import type { CsvConfig, SchemaRegistryConfig, TopicConfig } from '../types.ts'

/** Formats that a schema id may stand in front of. */
const FRAMED: ReadonlySet<string> = new Set(['json', 'avro', 'protobuf'])
/** What every codec can take the memory for at once. */
const DECOMPRESSED_BYTES_MAX = 268_435_456

/** Options of a topic's format that do not go together, and files that must exist. */
export function checkFormat(topic: TopicConfig, report: Report): void {
  const { format, framing, avro, csv } = topic
  checkCsv(csv, report)
  checkFormats(topic, report)
  if (topic.decompressedBytesMax > DECOMPRESSED_BYTES_MAX) {
    report(
      ['decompressedBytesMax'],
      `must not exceed ${DECOMPRESSED_BYTES_MAX}: value was ${topic.decompressedBytesMax}`,
    )
  }
  for (const name of ['schema', 'schemas', 'readerSchema'] as const) {
    const path = avro[name]
    if (path !== undefined && !existsSync(path)) report([`avro.${name}`], `there is no ${path}`)
  }
  checkProtobuf(topic, report)
  // Of several formats each is opened in the ways that the settings allow.
  if (topic.formats !== undefined) return
  if (format !== 'avro') {
    if (framing === 'registry' && !FRAMED.has(format) && format !== 'jsonl')
      report(['framing', 'format'], 'registry belongs to the formats avro, json, jsonl and protobuf')
    if (framing === 'single-object' || framing === 'container')
      report(['framing', 'format'], `${framing} belongs to the format avro`)
    if (avro.readerSchema !== undefined)
      report(['avro.readerSchema', 'format'], 'given, while format is not avro')
    return
  }
  const needed = {
    none: 'schema',
    'single-object': 'schemas',
    container: undefined,
    registry: undefined,
  } as const
  const name = needed[framing]
  if (name !== undefined && avro[name] === undefined)
    report([`avro.${name}`], `missing, and the framing ${framing} of Avro needs it`)
}

function checkProtobuf({ format, framing, protobuf, envelope, debezium }: TopicConfig, report: Report): void {
  const { schema } = protobuf
  if (schema !== undefined && !existsSync(schema)) report(['protobuf.schema'], `there is no ${schema}`)
  if (format === 'protobuf' && framing === 'none' && schema === undefined)
    report(['protobuf.schema'], 'missing, and the framing none of Protobuf needs it')
  if (envelope === 'debezium' && !FRAMED.has(format))
    report(['envelope', 'format'], 'debezium belongs to the formats avro, json and protobuf')
  const twice = debezium.fields.find((name, index) => debezium.fields.indexOf(name) !== index)
  if (twice !== undefined) report(['debezium.fields'], `names ${JSON.stringify(twice)} twice`)
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

/** Topics whose schemas are in a registry, and the registry. */
export function checkRegistry(
  topics: Readonly<Record<string, TopicConfig>>,
  registry: Partial<SchemaRegistryConfig> | undefined,
  report: Report,
): void {
  if (registry !== undefined) checkLogin(registry, report)
  if (registry?.url !== undefined) {
    if (!/^https?:\/\/[^\s/]+/.test(registry.url))
      report(['schemaRegistry.url'], 'must start with http:// or https:// and a host')
    if (/^https?:\/\/[^/]*@/.test(registry.url))
      report(['schemaRegistry.url'], 'must not hold a login, which belongs into username and password')
    return
  }
  const needing = Object.entries(topics).find(
    ([, topic]) => topic.framing === 'registry' && (FRAMED.has(topic.format) || topic.format === 'jsonl'),
  )
  if (needing !== undefined)
    report(['schemaRegistry.url'], `missing, and topics.${needing[0]}.framing registry needs it`)
}

function checkLogin(registry: Partial<SchemaRegistryConfig>, report: Report): void {
  const { url, username, token, tls = {} } = registry
  checkTogether(registry, 'schemaRegistry', ['username', 'password'], report)
  if (token !== undefined && username !== undefined)
    report(['schemaRegistry.token', 'schemaRegistry.username'], 'given, while schemaRegistry.username is too')
  checkTogether(tls, 'schemaRegistry.tls', ['certFile', 'keyFile'], report)
  if (tls.keyPassphrase !== undefined && tls.keyFile === undefined)
    report(['schemaRegistry.tls.keyPassphrase'], 'given, while schemaRegistry.tls.keyFile is not')
  const [given] = Object.keys(tls)
  if (given !== undefined && url?.startsWith('http:') === true)
    report([`schemaRegistry.tls.${given}`], 'given, while schemaRegistry.url starts with http://')
  for (const name of ['caFile', 'certFile', 'keyFile'] as const) {
    const path = tls[name]
    if (path !== undefined && !existsSync(path))
      report([`schemaRegistry.tls.${name}`], `there is no such file: ${path}`)
  }
}
