import type { Command } from 'commander'
import { topicIdAppIdOf } from '../../../operators/commit-delta.ts'
import type { Txn } from '../../delta/protocol/actions.ts'
import type { Snapshot } from '../../delta/log/snapshot.ts'
import { textOfTopicIdNumber } from '../../kafka/source/topic-id.ts'
import { print, printJson, formatTable } from '../output.ts'
import { formatDataType } from './type-text.ts'
import {
  liveRowCountOf,
  addTableSubcommand,
  withSnapshot,
  addVersionOptions,
  type TableFlags,
} from './command.ts'

/** Adds the command `table show`, which describes a table at one version. */
export function addShow(parent: Command): void {
  const command = addTableSubcommand(parent, 'show', [
    'kafka-delta table show ./lake/user_events',
    'kafka-delta table show s3://lake/events/user_events --version 12 --json',
  ])
  addVersionOptions(command)
    .description(
      'show version, schema, partition columns, protocol, properties, files, rows, bytes and Kafka offsets',
    )
    .option('--json', 'print JSON')
    .action(async (uri: string, flags: TableFlags) => {
      await withSnapshot(uri, flags, async (snapshot) => {
        const shown = await summarizeTable(uri, snapshot)
        await (flags.json === true ? printJson(shown) : print(textOf(shown)))
      })
    })
}

/** Describes a table for `table show`. `rows` is absent if a file has no statistics. */
interface TableSummary {
  readonly uri: string
  readonly version: bigint
  readonly id: string
  readonly schema: Snapshot['schema']
  readonly partitionColumns: readonly string[]
  readonly protocol: Snapshot['protocol']
  readonly properties: Readonly<Record<string, string>>
  readonly files: number
  readonly rows?: number
  readonly bytes: number
  readonly txns: Readonly<Record<string, bigint>>
  /** Beginning of the Kafka topic's id, as Kafka's tools show it, by the appId of the topic. */
  readonly topicIds: Readonly<Record<string, string>>
}

/** Returns the description of a snapshot. Reads its files one by one, so memory does not grow with their number. */
async function summarizeTable(uri: string, snapshot: Snapshot): Promise<TableSummary> {
  let files = 0
  let bytes = 0
  let rows: number | undefined = 0
  for await (const add of snapshot.files()) {
    files++
    bytes += add.size
    const own = liveRowCountOf(add)
    rows = rows === undefined || own === undefined ? undefined : rows + own
  }
  const { version, schema, protocol, metadata } = snapshot
  const txns = [...snapshot.txns.values()].sort((a, b) =>
    a.appId.localeCompare(b.appId, 'en', { numeric: true }),
  )
  return {
    uri,
    version,
    id: metadata.id,
    schema,
    partitionColumns: metadata.partitionColumns,
    protocol,
    properties: metadata.configuration,
    files,
    ...(rows === undefined ? {} : { rows }),
    bytes,
    ...offsetsAndTopicIdsOf(txns),
  }
}

function offsetsAndTopicIdsOf(txns: readonly Txn[]): Pick<TableSummary, 'txns' | 'topicIds'> {
  const suffix = topicIdAppIdOf('')
  const isId = ({ appId }: Txn): boolean => appId.endsWith(suffix)
  return {
    txns: Object.fromEntries(txns.filter((txn) => !isId(txn)).map(({ appId, version }) => [appId, version])),
    topicIds: Object.fromEntries(
      txns
        .filter(isId)
        .map(({ appId, version }) => [appId.slice(0, -suffix.length), textOfTopicIdNumber(version)]),
    ),
  }
}

function textOf(summary: TableSummary): string {
  const { protocol } = summary
  const features = [...new Set([...(protocol.readerFeatures ?? []), ...(protocol.writerFeatures ?? [])])]
  const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '))
  const facts = [
    ['table', summary.uri],
    ['id', summary.id],
    ['version', String(summary.version)],
    ['files', String(summary.files)],
    ['rows', summary.rows === undefined ? 'unknown: a file has no statistics' : String(summary.rows)],
    ['bytes', String(summary.bytes)],
    ['partitions', list(summary.partitionColumns)],
    [
      'protocol',
      `reader ${protocol.minReaderVersion}, writer ${protocol.minWriterVersion}, features ${list(features)}`,
    ],
    ['properties', list(Object.entries(summary.properties).map(([key, value]) => `${key}=${value}`))],
  ]
  const blocks = [
    facts.map(([name = '', value = '']) => `${name.padEnd(12)}${value}\n`).join(''),
    formatTable(
      ['column', 'type', 'nullable'],
      summary.schema.fields.map((field) => [
        field.name,
        formatDataType(field.type),
        field.nullable ? 'yes' : 'no',
      ]),
    ),
  ]
  const txns = Object.entries(summary.txns)
  if (txns.length > 0) blocks.push(formatTable(['appId', 'last offset'], txns))
  const topicIds = Object.entries(summary.topicIds)
  if (topicIds.length > 0)
    blocks.push(
      formatTable(
        ['topic of appId', 'id begins with'],
        topicIds.map(([appId, id]) => [appId, `${id}…`]),
      ),
    )
  return blocks.join('\n')
}
