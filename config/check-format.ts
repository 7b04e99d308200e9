import { existsSync } from 'node:fs'
import { checkTogether, type Report } from './report.ts'
import type { CsvConfig, SchemaRegistryConfig, TopicConfig } from './types.ts'

/** Formats that a schema id may stand in front of. */
const FRAMED: ReadonlySet<string> = new Set(['json', 'avro'])
/** What every codec can take the memory for at once. */
const DECOMPRESSED_BYTES_MAX = 268_435_456

/** Options of a topic's format that do not go together, and files that must exist. */
export function checkFormat(topic: TopicConfig, report: Report): void {
  const { format, framing, avro, csv } = topic
  checkCsv(csv, report)
  if (topic.decompressedBytesMax > DECOMPRESSED_BYTES_MAX) {
    report(
      ['decompressedBytesMax'],
      `must not exceed ${DECOMPRESSED_BYTES_MAX}: value was ${topic.decompressedBytesMax}`,
    )
  }
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
