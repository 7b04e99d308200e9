import { checkFormats } from './check-formats.ts'
import { existsSync } from 'node:fs'
import { checkAllOrNone, type ReportFault } from '../report.ts'
import type { ResolvedValues } from '../option-values.ts'
import type { SERVICE_OPTIONS } from '../schema.ts'
import type { TopicConfig } from '../types.ts'

/** Formats whose values may carry a schema id of a registry. */
const REGISTRY_FORMATS: ReadonlySet<string> = new Set(['json', 'avro', 'protobuf'])
/** Maximum of `decompressedBytesMax`: every codec allocates its output in one piece. */
const DECOMPRESSED_BYTES_MAX = 268_435_456

/** Reports contradictions among a topic's format options, and files that do not exist. */
export function checkFormat(topic: TopicConfig, report: ReportFault): void {
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
    if (path !== undefined && !existsSync(path)) report([`avro.${name}`], `does not exist: ${path}`)
  }
  checkProtobuf(topic, report)
  // With `formats`, each format is opened with the framings that the settings allow.
  if (topic.formats !== undefined) return
  if (format !== 'avro') {
    if (framing === 'registry' && !REGISTRY_FORMATS.has(format) && format !== 'jsonl')
      report(['framing', 'format'], 'registry requires the format avro, json, jsonl or protobuf')
    if (framing === 'single-object' || framing === 'container')
      report(['framing', 'format'], `${framing} requires the format avro`)
    if (avro.readerSchema !== undefined)
      report(['avro.readerSchema', 'format'], 'is set, but format is not avro')
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
    report([`avro.${name}`], `is required by format avro with framing ${framing}`)
}

function checkProtobuf(
  { format, framing, protobuf, envelope, debezium }: TopicConfig,
  report: ReportFault,
): void {
  const { schema } = protobuf
  if (schema !== undefined && !existsSync(schema)) report(['protobuf.schema'], `does not exist: ${schema}`)
  if (format === 'protobuf' && framing === 'none' && schema === undefined)
    report(['protobuf.schema'], 'is required by format protobuf with framing none')
  if (envelope === 'debezium' && !REGISTRY_FORMATS.has(format))
    report(['envelope', 'format'], 'debezium requires the format avro, json or protobuf')
  const duplicate = debezium.fields.find((name, index) => debezium.fields.indexOf(name) !== index)
  if (duplicate !== undefined) report(['debezium.fields'], `names ${JSON.stringify(duplicate)} twice`)
}

function checkCsv({ delimiter, quote, header, columns }: TopicConfig['csv'], report: ReportFault): void {
  if (delimiter !== 'tab' && delimiter.length !== 1)
    report(['csv.delimiter'], `must be one character or tab: value was ${JSON.stringify(delimiter)}`)
  if (quote !== 'none' && quote.length !== 1)
    report(['csv.quote'], `must be one character or none: value was ${JSON.stringify(quote)}`)
  if (delimiter === quote) report(['csv.quote', 'csv.delimiter'], 'must differ from csv.delimiter')
  if (header && columns !== undefined)
    report(['csv.columns', 'csv.header'], 'is set, but with csv.header the first line names the fields')
  const duplicate = columns?.find((name, index) => columns.indexOf(name) !== index)
  if (duplicate !== undefined) report(['csv.columns'], `names ${JSON.stringify(duplicate)} twice`)
}

/** Holds the options of a registry that may have no URL. */
type RegistryValues = ResolvedValues<typeof SERVICE_OPTIONS>['schemaRegistry']

/** Reports faults of the schema registry options, and topics that require a registry when none is configured. */
export function checkRegistry(
  topics: Readonly<Record<string, TopicConfig>>,
  registry: RegistryValues,
  report: ReportFault,
): void {
  checkLogin(registry, report)
  if (registry.url !== undefined) {
    if (!/^https?:\/\/[^\s/]+/.test(registry.url))
      report(['schemaRegistry.url'], 'must start with http:// or https:// and a host')
    if (/^https?:\/\/[^/]*@/.test(registry.url))
      report(
        ['schemaRegistry.url'],
        'must not contain a login: use schemaRegistry.username and schemaRegistry.password',
      )
    return
  }
  const needing = Object.entries(topics).find(
    ([, topic]) =>
      topic.framing === 'registry' && (REGISTRY_FORMATS.has(topic.format) || topic.format === 'jsonl'),
  )
  if (needing !== undefined)
    report(['schemaRegistry.url'], `is required by topics.${needing[0]}.framing registry`)
}

function checkLogin(registry: RegistryValues, report: ReportFault): void {
  const { url, username, token, tls } = registry
  checkAllOrNone(registry, 'schemaRegistry', ['username', 'password'], report)
  if (token !== undefined && username !== undefined)
    report(
      ['schemaRegistry.token', 'schemaRegistry.username'],
      'is set, but schemaRegistry.username is set too: use one of them',
    )
  checkAllOrNone(tls, 'schemaRegistry.tls', ['certFile', 'keyFile'], report)
  if (tls.keyPassphrase !== undefined && tls.keyFile === undefined)
    report(['schemaRegistry.tls.keyPassphrase'], 'is set, but schemaRegistry.tls.keyFile is not')
  const [given] = Object.keys(tls)
  if (given !== undefined && url?.startsWith('http:') === true)
    report(
      [`schemaRegistry.tls.${given}`],
      'is set, but schemaRegistry.url starts with http://, which is not encrypted',
    )
  for (const name of ['caFile', 'certFile', 'keyFile'] as const) {
    const path = tls[name]
    if (path !== undefined && !existsSync(path))
      report([`schemaRegistry.tls.${name}`], `does not exist: ${path}`)
  }
}
