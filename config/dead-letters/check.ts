import { parseKafkaMetadataField, parseJmesPath } from '../transforms/expression.ts'
import { deadLetterSinksOf, replayLedgerUriOf, trimTrailingSlashes } from './sinks.ts'
import type { ReportFault } from '../report.ts'
import type { TopicConfig } from '../types.ts'

/** Reports contradictions among a topic's dead-letter options. */
export function checkDeadLetters(topic: TopicConfig, report: ReportFault): void {
  const { deadLetters, table } = topic
  if (deadLetters.topic === topic.topic) {
    report(
      ['deadLetters.topic', 'topic'],
      `must differ from the topic that is ingested: value was "${topic.topic}"`,
    )
  }
  if (deadLetterSinksOf(topic).table && deadLetters.table === undefined)
    report(['deadLetters.table', 'deadLetters.to'], 'is required by deadLetters.to')
  checkTransforms(deadLetters, report)
  if (deadLetters.maxRate !== undefined && deadLetters.mode === 'stop')
    report(['deadLetters.maxRate', 'deadLetters.mode'], 'is set, but deadLetters.mode is stop')
  const uris: readonly (readonly [string, string | undefined])[] = [
    ['table.uri', table.uri],
    ['deadLetters.table', deadLetters.table],
    // A missing `table.uri` is reported as a required option; no default can be derived from it.
    [
      'deadLetters.replayLedger',
      (table.uri as string | undefined) === undefined ? undefined : replayLedgerUriOf(topic),
    ],
  ]
  for (const [index, [key, uri]] of uris.entries()) {
    const other = uris.slice(0, index).find(([, before]) => isSame(uri, before))
    if (other !== undefined)
      report([key, other[0]], `must be a different table from ${other[0]}: value was "${uri}"`)
  }
}

function checkTransforms({ transforms, table }: TopicConfig['deadLetters'], report: ReportFault): void {
  for (const [column, text] of Object.entries(transforms)) {
    const keys = [`deadLetters.transforms.${column}`, 'deadLetters.transforms']
    if (table === undefined) report(keys, 'is set, but deadLetters.table is not')
    if (column.includes('.')) report(keys, 'must be the name of a column, not a path')
    if (parseKafkaMetadataField(text) !== undefined) continue
    const parsed = parseJmesPath(text)
    if ('fault' in parsed) report(keys, `${parsed.fault}: value was ${JSON.stringify(text)}`)
  }
}

/**
 * Reports dead-letter tables that are also the table of another topic, or that two topics would write to
 * under one appId.
 */
export function checkDeadLetterTables(
  topics: Readonly<Record<string, TopicConfig>>,
  report: ReportFault,
): void {
  for (const [name, topic] of Object.entries(topics)) {
    const { table } = topic.deadLetters
    if (table === undefined) continue
    for (const [otherName, other] of Object.entries(topics)) {
      if (otherName === name) continue
      const key = `topics.${name}.deadLetters.table`
      if (isSame(table, other.table.uri))
        report([key], `must be a different table from topics.${otherName}.table.uri: value was "${table}"`)
      if (name < otherName && isSame(table, other.deadLetters.table) && topic.appId === other.appId)
        report(
          [key, `topics.${otherName}.deadLetters.table`],
          `topics.${otherName} writes its dead letters to the same table under the same appId ${topic.appId}`,
        )
    }
  }
}

function isSame(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && trimTrailingSlashes(a) === trimTrailingSlashes(b)
}
